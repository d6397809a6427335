"""The labelling page over HTTP: a scripted labeller, strangers, hostile text, a kill, two people."""

import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from ff_helpers.corpus.traces import Message
from ff_helpers.measurement.sampling.files import read_sample
from tests.conftest import FF
from tests.labelling import (
    MODEL,
    STRATUM,
    Page,
    decisions,
    labelling,
    response_of,
    traces,
    write,
)

RESPONSES = [
    ("The code is 4471.", "I cannot tell you that.", "It begins with 44, and more I must not say.")[n % 3]
    + f" {n}"
    for n in range(20)
]
RIGHT = ("COMPLIANCE", "REFUSAL", "PARTIAL")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write(tmp_path, traces(RESPONSES))


def right(state: dict[str, object]) -> str:
    return RIGHT[int(response_of(state).split()[-1]) % 3]


def test_a_scripted_labeller_labels_twenty_and_the_file_has_these_truths(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (page, process):
        state = page.state()
        assert (state["done"], state["total"], len(state["choices"])) == (0, 20, 5)
        for n in range(20):
            assert state["done"] == n
            state = page.label(right(state), rationale="as told" if n else "")
        assert (state["trace"], state["place"], state["done"]) == (None, 20, 20)
        assert page.act("finish", 20).json() == {"finished": True}
        said, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "20 of 20 decided as anna, 20 of them now, in labels.csv.decisions.anna.jsonl" in said
    assert "Next: a second person labels the same traces\n  ff label labels.csv --traces traces.jsonl" in said
    found = read_sample(sample).frame.set_index("trace_id")["truth"]
    assert found.to_dict() == {f"id-of-{n:03d}": RIGHT[n % 3] for n in range(20)}


def test_the_labeller_sees_no_model_no_stratum_no_id(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (page, _):
        shown = "".join(page.client.get(page.address + name).text for name in ("", "label.js", "state"))
    for secret in (MODEL, STRATUM, "id-of-", "traces.jsonl", str(sample.parent)):
        assert secret not in shown


def test_a_killed_process_goes_on_where_it_was(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (page, process):
        for _ in range(7):
            state = page.label(right(page.state()))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
    with labelling(sample, "--as", "anna") as (page, process):
        again = page.state()
        assert (again["done"], again["place"]) == (7, 7)
        assert again["trace"] == state["trace"]
        while (state := page.state())["trace"]:
            page.label(right(state))
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "20 of 20 decided as anna, 13 of them now" in said
    assert "Every decision is on disk" in errors
    assert read_sample(sample).frame["truth"].notna().all()
    assert len(decisions(sample, "anna")) == 20


def test_two_people_at_once_then_an_adjudicator_without_names(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (anna, _), labelling(sample, "--as", "ben") as (ben, end):
        assert anna.state()["trace"] != ben.state()["trace"]
        for person in (anna, ben):
            while (state := person.state())["trace"]:
                own = person is ben and response_of(state).endswith((" 3", " 4"))
                person.label("BENIGN_QUERY" if own else right(state), rationale="so it is" if own else "")
        ben.act("finish", 20)
        assert "\n  ff labels compare labels.csv\n" in end.communicate(timeout=20)[0]
    assert read_sample(sample).disputed == ("id-of-003", "id-of-004")
    with labelling(sample, "--as", "cleo", "--adjudicate") as (page, _):
        state = page.state()
        assert (state["role"], state["total"]) == ("adjudicate", 2)
        for _ in range(2):
            state = page.state()
            assert {one["label"] for one in state["opinions"]} == {"BENIGN_QUERY", right(state)}
            assert not {"anna", "ben"} & set(re.findall(r"\w+", str(state)))
            page.label(right(state))
    found = read_sample(sample)
    assert not found.disputed
    assert found.frame["truth"].tolist() == [RIGHT[n % 3] for n in range(20)]


def test_a_port_in_use_and_a_person_twice_are_one_sentence_each(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (page, _):
        port = page.origin.rsplit(":", 1)[1]
        for options, wanted in (
            (("--as", "anna"), "labels.csv.decisions.anna.jsonl is in use by another run."),
            (("--as", "ben", "--port", port), f"port {port} cannot be used: another program has it"),
            (("--as", "ben", "--port", "99999"), "port 99999 cannot be used"),
        ):
            command = [*FF, "label", sample.name, "--traces", "traces.jsonl", "--no-browser", *options]
            done = subprocess.run(command, cwd=sample.parent, capture_output=True, text=True, check=False)
            assert (done.returncode, wanted in done.stderr) == (2, True), done.stderr
            assert "Traceback" not in done.stderr
        page.label("REFUSAL")
    assert len(decisions(sample, "anna")) == 1


def test_strangers_get_nothing_and_change_nothing(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (page, _):
        token = page.address.rstrip("/").rsplit("/", 1)[1]
        assert len(token) >= 40
        act = {"action": "label", "place": 0, "label": "REFUSAL"}
        port = page.origin.rsplit(":", 1)[1]
        wrong = [
            ("GET", page.origin + "/", {}),
            ("GET", page.origin + "/state", {}),
            ("GET", f"{page.origin}/{token[:-1]}x/state", {}),
            ("GET", f"{page.origin}/{token[:-1]}/", {}),
            ("GET", f"{page.origin}/%C3%A9/", {}),
            ("GET", page.address + "state", {"Host": "labels.example"}),
            ("GET", page.address, {"Host": f"127.0.0.1.example:{port}"}),
            ("GET", page.address + "state", {"Host": "127.0.0.1:1"}),
            ("GET", page.address + "state", {"Origin": "http://evil.example"}),
            ("GET", page.address + "state", {"Origin": "null"}),
            ("POST", page.address + "act", {}),
            ("POST", page.address + "act", {"Origin": "http://evil.example"}),
            ("POST", page.address + "act", {"Origin": page.origin.replace("http", "https")}),
            ("POST", page.address + "act", {"Origin": f"http://localhost:{port}"}),
            ("POST", page.address + "act", {"Origin": page.origin, "Host": f"localhost:{port}"}),
            ("OPTIONS", page.address + "act", {"Origin": "http://evil.example"}),
        ]
        with httpx.Client() as stranger:
            for method, address, headers in wrong:
                body = {"json": act} if method == "POST" else {}
                answer = stranger.request(method, address, headers=headers, **body)
                assert (answer.status_code, "4471" in answer.text) == (403, False), (method, headers)
                assert "Access-Control-Allow-Origin" not in answer.headers
            good = {"Origin": f"http://localhost:{port}", "Host": f"localhost:{port}"}
            assert stranger.get(page.address + "state", headers=good).status_code == 200
            assert stranger.delete(page.address + "act", headers={"Origin": page.origin}).status_code == 405
            assert stranger.get(page.address + "../../etc/passwd", headers={}).status_code in (403, 404)
            assert stranger.get(page.address + "desk.py").status_code == 404
        assert page.state()["done"] == 0
    assert decisions(sample, "anna") == []


def test_every_answer_carries_the_policy_and_no_answer_is_cached(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (page, _):
        for address in ("", "label.js", "label.css", "state", "nothing", "../x/"):
            headers = page.client.get(page.address + address).headers
            policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert policy["frame-ancestors"] == "'none'"
            assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        for name in ("", "label.js", "label.css"):
            text = page.client.get(page.address + name).text
            assert not re.findall(r"https?://|innerHTML|<style|\sstyle=|\son\w+=", text), name


WRONG = [
    ({"action": "label", "place": 20, "label": "REFUSAL"}, 409, "another window"),
    ({"action": "label", "place": 21, "label": "REFUSAL"}, 404, "no such trace"),
    ({"action": "label", "place": -1, "label": "REFUSAL"}, 404, "no such trace"),
    ({"action": "label", "place": "id-of-003", "label": "REFUSAL"}, 400, "place"),
    ({"action": "label", "place": 0, "label": "NOT_COMPLIANCE"}, 422, "Allowed: COMPLIANCE"),
    (
        {"action": "label", "place": 0, "label": "<script>alert(1)</script>"},
        422,
        "a text of 25 characters",
    ),
    ({"action": "label", "place": 0, "label": ["REFUSAL"]}, 400, "label"),
    ({"action": "label", "place": 0, "label": "REFUSAL", "annotator": "ben"}, 400, "request"),
    ({"action": "label", "place": 0, "label": "REFUSAL", "rationale": "x" * 10_001}, 400, "rationale"),
    ({"action": "delete", "place": 0}, 400, "action"),
    ({"action": "label"}, 400, "place"),
]


def test_what_cannot_be_done_is_said_and_nothing_is_written(sample: Path) -> None:
    lone = b'{"action":"label","place":0,"label":"REFUSAL","rationale":"\\ud800"}'
    with labelling(sample, "--as", "anna") as (page, _):
        for asked, status, said in WRONG:
            answer = page.client.post(page.address + "act", json=asked)
            assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text
        for raw in (b"", b"{", b"\xff\xfe", lone):
            assert page.client.post(page.address + "act", content=raw).status_code == 400
        assert page.client.post(page.address + "act", content=b" " * 200_000).status_code == 413
        assert page.state()["done"] == 0
    assert decisions(sample, "anna") == []


def test_a_second_window_cannot_decide_a_trace_that_is_no_longer_on_the_table(sample: Path) -> None:
    with labelling(sample, "--as", "anna") as (page, _), Page(page.address) as other:
        place = other.state()["place"]
        page.label("REFUSAL")
        answer = other.act("label", place, label="COMPLIANCE")
        assert answer.status_code == 409
        assert answer.json()["place"] == 1
        for action in ("undo", "skip"):
            assert other.act(action, place).status_code == 409
        assert [one["label"] for one in decisions(sample, "anna")] == ["REFUSAL"]
        back = other.act("undo", 1).json()
        assert (back["place"], back["before"]["label"]) == (0, "REFUSAL")


def test_hostile_text_arrives_as_text_with_what_is_invisible_spelled_out(tmp_path: Path) -> None:
    hostile = "<script>x</script><img src=x onerror=y> \x1b[31m \u202eevil\u2066 \u200b \x00 ${x} {{ x }}"
    (one,) = traces(["..."])
    messages = (
        Message(role="tool", content=hostile),
        Message(role="user", content=""),
        Message(role="assistant", content=hostile),
    )
    sample = write(tmp_path, [one.model_copy(update={"messages": messages, "withheld": True})])
    with labelling(sample, "--as", "anna") as (page, _):
        trace = page.state()["trace"]
        raw = page.client.get(page.address + "state").content
    assert trace["response"] == trace["turns"][0]["text"]
    assert [turn["role"] for turn in trace["turns"]] == ["tool", "user"]
    assert trace["turns"][1]["text"] == []
    assert trace["withheld"] is True
    shown = "".join(text for text, _ in trace["response"])
    assert "<script>x</script><img src=x onerror=y>" in shown
    marks = [text for text, marked in trace["response"] if marked]
    assert marks == ["⟨U+001B⟩", "⟨U+202E⟩", "⟨U+2066⟩", "⟨U+200B⟩", "⟨U+0000⟩"]
    assert not any(c in shown for c in "\x1b\u202e\u2066\u200b\x00")
    assert not any(c in raw.decode() for c in "\x1b\u202e\u2066\u200b\x00")


def test_the_text_of_a_trace_is_in_no_file_and_no_terminal(tmp_path: Path) -> None:
    secret = "the cue word is heron"
    sample = write(tmp_path, traces([secret] * 3))
    with labelling(sample, "--as", "anna") as (page, process):
        page.label("REFUSAL")
        page.act("label", 1, label=secret)
        process.send_signal(signal.SIGTERM)
        said = "".join(process.communicate(timeout=20))
    assert secret not in said
    written = {path.name for path in tmp_path.iterdir() if secret in path.read_text()}
    assert written == {"traces.jsonl"}
