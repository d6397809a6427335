"""A key or a password is nowhere in what is written or said, wherever its user put it.

A recognisable one is planted in every place that takes one, graders succeed and fail against a real
server, and every byte that was written is searched: outputs, ledgers, notebooks, records of runs,
home, temporary files.
"""

import base64
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ff_helpers.chat.specs import open_chat
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Sampling, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.keys import without_secrets
from ff_helpers.pipeline.profile import load
from tests.conftest import FF, ROOT
from tests.model_server import running

KEY = "sk-planted-5eCr3t-0451"
FORMS = [KEY.encode(), base64.b64encode(f"user:{KEY}".encode()), KEY.replace("-", "%2D").encode()]


@dataclass
class Place:
    """A folder with everything that a process may write to, and what was said in it."""

    folder: Path
    env: dict[str, str]

    def ff(self, *words: str, exits: int | None = None, **env: str) -> str:
        """Run the command line as a process of its own, and return what it said."""
        done = subprocess.run(
            [*FF, *words], cwd=self.folder, env=self.env | env, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        assert exits is None or done.returncode == exits, said
        with (self.folder / "said.txt").open("a") as log:
            log.write(said)
        return said

    def leaks(self) -> list[str]:
        """Return every file that holds the secret in some form."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        assert files
        return [
            path.relative_to(self.folder).as_posix()
            for path in files
            if any(form in path.read_bytes() or form in os.fsencode(path) for form in FORMS)
        ]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty project with three labelled traces, a home and a folder for temporary files."""
    for name in ("home", "tmp", "outputs"):
        (tmp_path / name).mkdir()
    traces = [
        Trace(
            trace_id=f"t{n}", model="m", source="s", truth="REFUSAL", truth_space="five",
            sampling=Sampling(kind="census"),
            messages=(
                Message(role="user", content="Code?"), Message(role="assistant", content=f"I cannot say. {n}")
            ),
        )
        for n in range(3)
    ]  # fmt: skip
    write_records(tmp_path / "traces.jsonl", traces)
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    env |= {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": str(ROOT)}
    env |= {"FF_OUTPUTS": str(tmp_path / "outputs")}
    env.pop("OPENAI_API_KEY", None)
    return Place(tmp_path, env)


@pytest.fixture(scope="module")
def locked() -> Iterator[int]:
    """A server that asks for the key; its errors repeat what it was sent."""
    with running("--key", KEY) as port:
        yield port


@pytest.fixture(scope="module")
def other() -> Iterator[int]:
    """A server that asks for another key, and says which one it was sent."""
    with running("--key", "another") as port:
        yield port


def grade(place: Place, spec: str, name: str, *more: str, exits: int | None = None, **env: str) -> str:
    ledger = ["--ledger", f"{name}.jsonl", *more]
    return place.ff("grade", "--traces", "traces.jsonl", "--grader", spec, *ledger, exits=exits, **env)


def test_a_search_finds_what_is_planted(place: Place) -> None:
    assert place.leaks() == []
    (place.folder / "home" / ".config").write_text(f"x {KEY} y")
    (place.folder / "tmp" / "header").write_bytes(FORMS[1])
    assert sorted(place.leaks()) == ["home/.config", "tmp/header"]


def test_a_key_of_the_environment_is_sent_and_nowhere_else(place: Place, locked: int) -> None:
    address = f"http://127.0.0.1:{locked}/v1"
    said = grade(place, f"openai:good:1@{address}", "good", exits=0, OPENAI_API_KEY=KEY)
    assert "3 verdicts" in said
    place.ff(
        "calibrate", "--traces", "traces.jsonl", "--grader", f"openai:good:1@{address}", OPENAI_API_KEY=KEY
    )
    place.ff("doctor", OPENAI_API_KEY=KEY)
    assert (place.folder / "good.jsonl").read_text().count("REFUSAL") >= 3
    assert place.leaks() == []


@pytest.mark.parametrize("model", ["http500:1", "echo:1", "html:1", "hang:1"])
def test_no_failure_of_a_server_shows_the_key(model: str, place: Place, locked: int) -> None:
    grade(
        place, f"openai:{model}@http://127.0.0.1:{locked}/v1", "bad", "--timeout", "1", "--limit", "1",
        exits=1, OPENAI_API_KEY=KEY,
    )  # fmt: skip
    assert "server_error" in (said := (place.folder / "bad.jsonl").read_text()) or "timeout" in said
    assert place.leaks() == []


def test_a_refused_key_is_not_repeated(place: Place, other: int) -> None:
    said = grade(place, f"openai:good:1@http://127.0.0.1:{other}/v1", "no", exits=2, OPENAI_API_KEY=KEY)
    assert "refuses the key (HTTP 401)" in said
    assert place.leaks() == []


MALFORMED = [
    f"openai:good:1@http://user:{KEY}@127.0.0.1:1/v1",
    f"openai:good:1@http://{KEY}@127.0.0.1:1/v1",
    f"openai:good:1@127.0.0.1/v1,http://user:{KEY}@127.0.0.1:1/v1",
    f"openai:good:1@user:{KEY}@127.0.0.1:1/v1",
    f"openai:good:1@http://127.0.0.1:1/v1?api_key={KEY}",
    f"opanai:good:1@http://user:{KEY}@127.0.0.1:1/v1",
    f"opanai:good:1@http://127.0.0.1:1/v1?key={KEY}",
    f"ollama:good:1@http://user:{KEY}@127.0.0.1:1",
    f"ollama:good:1@user:{KEY}@127.0.0.1:1",
    f"heuristic@http://user:{KEY}@127.0.0.1:1",
]


@pytest.mark.parametrize("spec", MALFORMED)
def test_a_secret_in_a_spec_is_refused_and_not_shown(spec: str) -> None:
    for opens in (open_grader, open_chat):
        with pytest.raises(FFError) as caught:
            opens(spec)
        assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in without_secrets(spec)


def test_the_key_itself_in_a_spec_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(FFError, match="the key itself") as caught:
        open_grader(f"openai:{KEY}@http://127.0.0.1:1/v1")
    assert KEY not in str(caught.value)


def test_the_command_line_shows_no_secret_of_a_spec(place: Place) -> None:
    for number, spec in enumerate(MALFORMED[:1] + MALFORMED[4:8]):
        grade(place, spec, f"m{number}", exits=2)
    for command in ("calibrate", "collect"):
        option = ["--grader"] if command == "calibrate" else ["--model"]
        place.ff(command, *option, MALFORMED[0])
    assert place.leaks() == []


def test_a_password_in_ollama_host_is_used_and_not_shown(place: Place, other: int, port: int) -> None:
    with_user = f"http://user:{KEY}@127.0.0.1"
    said = grade(place, "ollama:good:1", "good", exits=0, OLLAMA_HOST=f"{with_user}:{port}")
    assert "3 verdicts" in said
    grade(place, "ollama:good:1", "refused", exits=2, OLLAMA_HOST=f"{with_user}:{other}")
    grade(place, "ollama:good:1", "gone", exits=2, OLLAMA_HOST=f"{with_user}:9")
    assert f"127.0.0.1:{port}" in place.ff("doctor", OLLAMA_HOST=f"{with_user}:{port}")
    place.ff("doctor", OLLAMA_HOST=f"{with_user}:9")
    assert place.leaks() == []


def test_a_study_keeps_the_key_out_of_notebooks_and_records(place: Place, locked: int) -> None:
    place.ff("init", "study", exits=0)
    study = place.folder / "study"
    path = study / "params" / "study.yaml"
    address = f"http://127.0.0.1:{locked}/v1"
    path.write_text(path.read_text().replace("- heuristic", f'- "openai:good:1@{address}"', 1))
    place.env |= {"FF_ROOT": str(study), "FF_OUTPUTS": str(study / "outputs"), "OPENAI_API_KEY": KEY}
    place.ff("run", str(path), exits=0)
    written = study / "outputs" / "study"
    assert "good:1" in (written / "ledger" / "graders.csv").read_text()
    for name in ("notebooks/study.ipynb", "ro-crate-metadata.json", "manifest.json", "index.html"):
        assert (written / name).exists()
    assert place.leaks() == []
    path.write_text(path.read_text().replace(address, "http://127.0.0.1:1/v1"))
    place.ff("run", str(path))  # a notebook that fails: its error is in it
    assert place.leaks() == []


@pytest.mark.parametrize("secret", [f"openai:m@http://user:{KEY}@h/v1", f"header {KEY}"])
def test_a_profile_with_a_secret_is_refused_before_anything_runs(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    path = tmp_path / "p.yaml"
    step = f"[{{notebook: a, parameters: {{graders: [heuristic, {secret!r}]}}}}]"
    path.write_text(f"profile: p\nas_of: 2026-11-30\nsteps: {step}\n")
    with pytest.raises(FFError, match=r"p\.yaml:steps\.0\.parameters\.graders\.1: .*key itself") as caught:
        load(path)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_package_index_with_a_password_is_not_shown_with_it() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tools'); import install\n"
        f"print(install._explain('packages', 'error: Failed to fetch: https://user:{KEY}@index.example/simple'))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "https://index.example/simple" in done.stdout
    assert KEY not in done.stdout
