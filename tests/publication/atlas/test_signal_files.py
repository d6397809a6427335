"""The signal's files: dated, validated, never overwritten by chance; the pointer; what is broken is named."""

import json
from datetime import date, timedelta
from multiprocessing import get_context

import pytest

import ff_helpers as ff
from ff_helpers.corpus.jsonl import BadLineError
from ff_helpers.errors import FFError
from ff_helpers.paths import MissingInputError
from ff_helpers.publication.atlas.files import (
    current,
    dates,
    path_of,
    read_file,
    read_signal,
    save_signal,
    write_signal,
)
from tests.publication.atlas.signals import DAY, signals

ONE = (("gemma3:27b", 1, 5, "gemini"),)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("paper", as_of="2026-11-22")


def test_what_is_written_is_read_and_old_files_stay(run):
    new = signals(*ONE, ("gpt-5.2", 2, 30, "gemini"), as_of=DAY)
    old = ff.start("paper", as_of="2026-11-20")
    save_signal(old, signals(*ONE))
    save_signal(run, new)
    assert read_signal(run) == new
    assert read_signal(run, as_of="2026-11-20") == signals(*ONE, as_of=date(2026, 11, 20))
    assert (run.folder / "atlas" / "current").read_text() == "asr_signal_2026-11-22.jsonl\n"
    assert sorted(path.name for path in (run.folder / "atlas").iterdir()) == [
        "asr_signal.schema.json",
        "asr_signal_2026-11-20.jsonl",
        "asr_signal_2026-11-22.jsonl",
        "current",
    ]


def test_the_same_signal_is_the_same_bytes_and_writing_it_again_changes_nothing(tmp_path):
    first = write_signal(tmp_path, signals(*ONE), DAY)
    before = first.read_bytes(), first.stat().st_mtime_ns
    assert write_signal(tmp_path, signals(*ONE), DAY) == first
    assert (first.read_bytes(), first.stat().st_mtime_ns) == before


def test_a_second_export_on_one_day_is_refused_and_nothing_is_overwritten(tmp_path):
    first = write_signal(tmp_path, signals(*ONE), DAY)
    before = first.read_bytes()
    with pytest.raises(FFError, match="--as-of"):
        write_signal(tmp_path, signals(("gemma3:27b", 2, 5, "gemini")), DAY)
    assert first.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".*")] == []
    write_signal(tmp_path, signals(("gemma3:27b", 2, 5, "gemini")), DAY, replace=True)
    assert read_file(first)[0].asr.k == 2


def test_a_clock_set_back_is_refused(tmp_path):
    write_signal(tmp_path, signals(*ONE), DAY)
    with pytest.raises(FFError, match="Is the clock right"):
        write_signal(tmp_path, signals(*ONE), DAY - timedelta(days=1))
    assert dates(tmp_path) == [DAY]
    assert current(tmp_path).name == "asr_signal_2026-11-22.jsonl"


def test_a_day_without_an_export_names_those_that_are_there(tmp_path):
    write_signal(tmp_path, signals(*ONE), DAY)
    with pytest.raises(FFError, match="There are: 2026-11-22"):
        path_of(tmp_path, date(2026, 11, 21))


def test_a_model_twice_is_refused_and_nothing_is_replaced(tmp_path):
    path = write_signal(tmp_path, signals(*ONE), DAY)
    with pytest.raises(BadLineError, match="the same model or alias as record 1"):
        write_signal(tmp_path, signals(*ONE) * 2, DAY, replace=True)
    assert read_file(path) == signals(*ONE, as_of=DAY)


def test_a_model_may_be_there_as_exported_and_as_graded_here(tmp_path):
    exported = signals(*ONE)
    here = [exported[0].model_copy(update={"origin": "ledger"})]
    assert len(read_file(write_signal(tmp_path, exported + here, DAY))) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"confidence": "high"}, "confidence"),
        ({"canonical_id": None}, "canonical_id: this or unresolved_reason"),
        ({"last_graded_reason": None}, "last_graded"),
        ({"asr": None}, "asr: this or asr_reason"),
        ({"mixes_graders": True}, "mixes_graders"),
        ({"with_accuracy": None}, "with_accuracy"),
        ({"rank": 1}, "rank"),
        (
            {
                "asr": {
                    "overall": 0.9,
                    "ci_low": 0,
                    "ci_high": 1,
                    "k": 1,
                    "n": 5,
                    "denominator": "d",
                    "tier": "strict",
                }
            },
            "asr",
        ),
    ],
)
def test_a_record_that_is_not_valid_is_named_by_file_and_line(tmp_path, change, field):
    path = write_signal(tmp_path, signals(*ONE), DAY)
    path.write_text(json.dumps(json.loads(path.read_text()) | change) + "\n")
    with pytest.raises(BadLineError, match=rf"{path.name}:1.*{field}"):
        read_file(path)


def test_a_file_of_another_version_says_which(tmp_path):
    path = write_signal(tmp_path, signals(*ONE), DAY)
    path.write_text('{"signal_version": "0.2", "model": "x"}\n')
    with pytest.raises(FFError, match=r":1:signal_version: format version 0\.2: written by a newer version"):
        read_file(path)


@pytest.mark.parametrize(
    "named",
    ["", "../secret", "asr_signal_2026-01-01.jsonl", "asr_signal_2026-99-99.jsonl", "/etc/passwd", "current"],
)
def test_a_broken_pointer_says_so_and_how_to_mend_it(run, named):
    save_signal(run, signals(*ONE))
    (run.folder / "atlas" / "current").write_text(named)
    with pytest.raises(FFError, match=r"current names.*asr_signal_2026-11-22\.jsonl"):
        read_signal(run)


def test_no_signal_yet(run):
    with pytest.raises(MissingInputError, match=r"ff run params/paper\.yaml"):
        read_signal(run)
    assert current(run.folder) is None


def _export(folder, k):
    try:
        write_signal(folder, signals(("gemma3:27b", k, 5, "gemini")), DAY)
    except FFError:
        return False
    return True


def test_of_many_exports_at_once_one_is_written_and_it_is_whole(tmp_path):
    with get_context("spawn").Pool(4) as pool:
        done = pool.starmap(_export, [(tmp_path, k) for k in range(4)])
    assert sum(done) == 1
    assert read_file(current(tmp_path))[0].asr.k == done.index(True)
    assert [path.name for path in tmp_path.glob(".*")] == []
