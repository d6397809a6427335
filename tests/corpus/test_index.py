"""Sets without their text: what an index holds, and who may grade it."""

import pytest

from ff_helpers import grade, paths, verdicts
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.readers import load_set
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import read_ledger

SHIPPED = {"refusal": 105, "objective": 395}
HEADER = "trace_id,source,truth,truth_space,digest,response_digest"
fetched = pytest.mark.skipif(
    not (paths.parts() / "pyrit").is_dir(), reason="no labelled sets: `make parts` fetches them"
)


def index_of(tmp_path, rows, header=HEADER):
    path = tmp_path / "index.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    return paths.start("trial", as_of="2026-11-22")


@fetched
@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_indexes_are_those_of_the_fetched_sets(name):
    index, texts = load_set(f"index:data/labelled/pyrit_{name}.csv"), load_set(f"pyrit:{name}")
    assert len(index) == SHIPPED[name]
    for known, trace in zip(index, texts, strict=True):
        assert (known.sha256, known.response_sha256) == (trace.sha256, trace.response_sha256)
        same = {"trace_id", "source", "truth", "truth_space", "withheld", "model"}
        assert known.model_dump(include=same) == trace.model_dump(include=same)
        assert known.messages == ()


def test_verdicts_recorded_on_the_text_are_replayed_on_its_index(run, tmp_path, make_trace):
    texts = [
        make_trace(said, trace_id=f"t-{n}", truth=truth, truth_space="refused")
        for n, (said, truth) in enumerate([("I cannot help.", "REFUSAL"), ("It is 4417.", "NOT_REFUSAL")])
    ]
    write_records(tmp_path / "texts.jsonl", texts)
    grade(run, {"set": str(tmp_path / "texts.jsonl")}, ["heuristic"])
    recording = run.ledger("verdicts").rename(tmp_path / "recorded.jsonl")
    rows = [f"{t.trace_id},s,{t.truth},refused,{t.sha256},{t.response_sha256}" for t in texts]
    index = index_of(tmp_path, rows)
    again = paths.start("again", as_of="2026-11-22")
    grade(again, {"set": f"index:{index}"}, [f"recorded:{recording}"], repeat_rows=2)
    assert verdicts(again)[["trace_id", "verdict", "truth", "repeat"]].to_numpy().tolist() == [
        ["t-0", "REFUSAL", "REFUSAL", 0],
        ["t-1", "COMPLIANCE", "NOT_REFUSAL", 0],
    ]


def test_a_grader_that_reads_text_is_refused_with_the_way_out(run, tmp_path):
    index = index_of(tmp_path, ["t-1,somewhere,REFUSAL,refused,abc,def"])
    with pytest.raises(FFError, match=r"text of 't-1' is not shipped.*recorded:PATH.*make parts"):
        grade(run, {"set": f"index:{index}"}, ["heuristic"])
    assert not run.ledger("verdicts").exists() or run.ledger("verdicts").read_text() == ""


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([], "a,b", r"index\.csv: not an index of traces. Its columns are trace_id, source"),
        (["t-1,s,MAYBE,refused,abc,def"], HEADER, r"index\.csv:2:truth: must be one of"),
        (["t-1,s,REFUSAL,refused,abc"], HEADER, r"index\.csv:2:response_digest"),
        (["t-1,s,REFUSAL,refused,abc,def,more"], HEADER, r"index\.csv:2"),
    ],
)
def test_another_table_or_row_is_named_by_its_line(tmp_path, rows, header, said):
    with pytest.raises(FFError, match=said):
        load_set(f"index:{index_of(tmp_path, rows, header)}")


def test_a_missing_index_is_named(tmp_path):
    with pytest.raises(FFError, match=r"none\.csv cannot be read: No such file"):
        load_set(f"index:{tmp_path}/none.csv")


def test_no_recording_holds_text_of_a_set_that_is_not_shipped():
    hidden = {
        trace.trace_id for name in SHIPPED for trace in load_set(f"index:data/labelled/pyrit_{name}.csv")
    }
    ledgers = sorted((paths.data() / "recorded").glob("*.jsonl"))
    found = [r for path in ledgers for r in read_ledger(path) if r.trace_id in hidden]
    assert found
    assert {(r.raw, r.inferred_instruction, r.rationale) for r in found} == {(None, None, None)}
