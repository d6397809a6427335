"""Files that earlier versions wrote mean the same today; files of a newer version are refused, untouched.

`old_data/` holds what each version wrote (`write.sh`): 0.1.0 on three of its days, and 0.2.0.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from ff_helpers.corpus.jsonl import NewerFormatError
from ff_helpers.corpus.scenarios import read_scenarios
from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError
from ff_helpers.grading.importing.account import read_account
from ff_helpers.grading.ledger import Ledger, read_ledger, verdict_frame
from ff_helpers.grading.outcome import record_key
from ff_helpers.measurement.rates.count_file import count_file, read_counts
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.measurement.standing import admit, saved_cards, standing
from ff_helpers.pipeline.profile import Profile, load
from ff_helpers.publication.atlas.files import current, read_file
from ff_helpers.publication.atlas.trust import read_trust
from ff_helpers.publication.claims import read_claims
from tests.conftest import ROOT

OLD = ROOT / "tests" / "old_data"
VERSIONS = sorted(path for path in OLD.iterdir() if path.is_dir())
FIRST, LAST = OLD / "0.1.0_2026-11-22", OLD / "0.2.0"
NEWER = "written by a newer version of ff-helpers"


def having(name: str) -> pytest.MarkDecorator:
    """The versions of which a file of that name is kept."""
    kept = [path for path in VERSIONS if list(path.glob(name))]
    return pytest.mark.parametrize("old", kept, ids=[path.name for path in kept])


def told(old: Path) -> dict[str, dict[str, int]]:
    """What that version's own `ff ledger` counted: grader -> verdict -> rows."""
    found: dict[str, dict[str, int]] = {}
    for line in (old / "ledger.txt").read_text().splitlines():
        if head := re.match(r"(\S+) \(digest", line):
            found[head[1]] = own = {}
        elif count := re.match(r"  ([A-Z_]+) +(\d+)$", line):
            own[count[1]] = int(count[2])
    return found


def outcomes(table: pd.DataFrame) -> dict[str, int]:
    """How often each verdict occurs in a table of counts."""
    return {str(name): int(n) for name, n in table.groupby("outcome", observed=True)["n"].sum().items()}


@having("ledger.jsonl")
def test_a_ledger_holds_the_verdicts_that_its_version_counted(old: Path) -> None:
    frame = verdict_frame(old / "ledger.jsonl")
    assert {who: dict(Counter(rows["verdict"])) for who, rows in frame.groupby("grader")} == told(old)
    assert len(frame) == sum(sum(counts.values()) for counts in told(old).values())


@having("ledger.jsonl")
def test_a_ledger_counts_by_model_and_class_with_its_traces(old: Path) -> None:
    table = read_counts(old / "ledger.jsonl", traces=[old / "traces.jsonl"]).table
    assert {who: outcomes(rows) for who, rows in table.groupby("grader")} == told(old)
    assert set(table["model"]) == {"smollm2-135m"}
    assert table["intent"].notna().all()


@having("ledger.jsonl")
def test_what_was_graded_is_not_graded_again(old: Path, tmp_path: Path) -> None:
    traces = {trace.trace_id: trace for trace in read_traces(old / "traces.jsonl")}
    copy = tmp_path / "ledger.jsonl"
    shutil.copy(old / "ledger.jsonl", copy)
    records = list(read_ledger(copy))
    with Ledger(copy) as ledger:
        for one in records:
            assert (record_key(one.identity, traces[one.trace_id], one.repeat), one.trace_id) in ledger.done
    assert copy.read_bytes() == (old / "ledger.jsonl").read_bytes()


@having("cards")
def test_cards_say_the_accuracy_that_their_version_measured(old: Path) -> None:
    proxies, written = saved_cards(old / "cards")
    assert proxies.sentence().startswith("accuracy 20.0% [13.8, 28.0], 24 of 120, on proxies (space five")
    assert written.sentence().startswith("accuracy 20.6% [10.3, 36.8], 7 of 34, on written (space five")
    for card in (proxies, written):
        assert card.gate.state == "rejected"
        assert card.chance == pytest.approx(0.2)
        assert card.gate.thresholds.published_accuracy == 0.7
        asked = {one.name: one.threshold for one in card.gate.published}
        assert asked == {"traces": 20, "accuracy": 0.7}


@having("cards")
def test_old_cards_decide_who_may_grade(old: Path) -> None:
    who = saved_cards(old / "cards")[0].identity
    with pytest.raises(FFError, match="is rejected, so it may not grade"):
        admit(who, old / "cards")


def test_a_grader_that_an_old_gate_let_pass_though_a_constant_answer_is_better_is_rejected() -> None:
    folder = OLD / "0.1.0_2026-11-27" / "constant"
    assert [json.loads(path.read_text())["gate"]["state"] for path in folder.iterdir()] == ["provisional"]
    (card,) = saved_cards(folder)
    assert (card.k, card.n, card.majority.k) == (30, 40, 34)
    assert card.gate.state == standing(card.identity, [card]).state == "rejected"
    assert "accuracy 0.75, always NOT_REFUSAL 0.85" in card.gate.reasons[0]
    with pytest.raises(FFError, match="no better than a constant answer"):
        admit(card.identity, folder)


@having("atlas")
def test_a_signal_has_the_rates_of_the_export_that_it_was_made_of(old: Path) -> None:
    path = current(old / "atlas")
    assert path is not None
    signals = read_file(path)
    said = {alias: (s.asr.k, s.asr.n) for s in signals if s.asr for alias in s.aliases if len(s.aliases) == 1}
    assert len(said) >= 8
    frame = duckdb.read_csv(str(ROOT / "data" / "published" / "model_asr_2026-06-10.csv")).df()
    export = {name: (int(k), int(n)) for name, k, n in frame[["model_name", "compliance", "graded"]].values}
    assert said == {name: export[name] for name in said}
    assert all(s.origin == "export" and s.graders and s.as_of is not None for s in signals)


def test_a_signal_of_the_first_day_says_what_its_version_did_not_record() -> None:
    signals = read_file(FIRST / "atlas" / "asr_signal_2026-11-22.jsonl")
    later = read_file(OLD / "0.1.0_2026-11-27" / "atlas" / "asr_signal_2026-11-22.jsonl")
    assert [s.label for s in signals] == [s.label for s in later]
    for one, other in zip(signals, later, strict=True):
        assert (one.asr, one.mixes_graders, one.with_accuracy) == (
            other.asr,
            other.mixes_graders,
            other.with_accuracy,
        )
        assert [g.headline for g in one.graders] == [g.headline for g in other.graders]
        assert one.corpus == one.no_verdict_reason == "not recorded by the version that wrote this file"


@having("scenarios.jsonl")
def test_scenarios_load(old: Path) -> None:
    arms = [
        one.arm for arm in ("forbidden", "permitted") for one in read_scenarios(old / "scenarios.jsonl", arm)
    ]
    assert len(arms) == 4


@having("*.yaml")
def test_profiles_and_rules_of_trust_load(old: Path) -> None:
    for path in [*old.glob("study.yaml"), *old.glob("ollama.yaml")]:
        profile = Profile.model_validate(yaml.safe_load(path.read_text()))
        assert profile.profile == path.stem
        assert profile.steps
    if (old / "trust.yaml").exists():
        assert read_trust(old / "trust.yaml").veto.asr_above == 0.6


@having("labels.csv")
def test_a_sample_has_the_labels_that_people_gave(old: Path) -> None:
    sample = read_sample(old / "labels.csv")
    assert sample.design is not None
    assert (sample.design.design, sample.space, len(sample.frame)) == ("random", "strict", 8)
    assert sample.frame["probability"].tolist() == pytest.approx([8 / 12] * 8)
    assert Counter(sample.decided["ann"].values()) == {"COMPLIANCE": 2, "NOT_COMPLIANCE": 3, None: 1}
    assert sample.frame["truth"].notna().sum() == 5


@having("imported")
def test_the_account_and_labels_of_an_import_load(old: Path) -> None:
    account = read_account(old / "imported")
    assert account is not None
    assert (account.rows, account.judges[0].labels) == (122, {"COMPLIANCE": 109, "NOT_COMPLIANCE": 11})
    assert read_sample(old / "imported" / "labels.csv").frame["truth"].notna().sum() == 39


@having("*.parquet")
def test_a_compact_ledger_counts_what_its_ledger_does(old: Path) -> None:
    lines, columns = (count_file(old / name) for name in ("ledger.jsonl", "ledger.parquet"))
    assert outcomes(lines) == outcomes(columns)
    assert sum(outcomes(lines).values()) == 24


def test_a_record_that_says_version_1_is_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = (FIRST / "ledger.jsonl").read_text().splitlines()[0]
    path.write_text('{"format_version":1,' + first[1:] + "\n")
    assert len(verdict_frame(path)) == len(count_file(path)) == 1


def _count(path: Path) -> object:
    return count_file(path)


def _open(path: Path) -> object:
    with Ledger(path) as ledger:
        return ledger


def _list_ledger(path: Path) -> object:
    return list(read_ledger(path))


def _list_traces(path: Path) -> object:
    return list(read_traces(path))


def _list_scenarios(path: Path) -> object:
    return list(read_scenarios(path, "forbidden"))


def _sample(path: Path) -> object:
    return read_sample(path.with_name("labels.csv"))


@pytest.mark.parametrize(
    ("name", "read", "line"),
    [
        *(("ledger.jsonl", read, line) for read in (_count, _open, _list_ledger) for line in (1, 5)),
        *(("traces.jsonl", _list_traces, line) for line in (1, 5)),
        ("scenarios.jsonl", _list_scenarios, 2),
        ("labels.csv.decisions.ann.jsonl", _sample, 3),
    ],
)
def test_a_line_of_a_newer_version_is_named_and_nothing_is_changed(
    name: str, read: Callable[[Path], object], line: int, tmp_path: Path
) -> None:
    for one in LAST.glob("labels.csv*"):
        shutil.copy(one, tmp_path)
    path = tmp_path / name
    lines = (LAST / name).read_text().splitlines(keepends=True)
    lines[line - 1] = '{"format_version":2,"surprise":true,' + lines[line - 1][1:]
    path.write_text("".join(lines))
    before = path.read_bytes()
    with pytest.raises(NewerFormatError, match=rf"{name}:{line}:format_version: .*2: {NEWER}"):
        read(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.torn*"))


@pytest.mark.parametrize(
    ("name", "old", "new", "read"),
    [
        ("card.json", "{", '{"format_version": 2, "surprise": 1, ', lambda path: saved_cards(path.parent)),
        ("labels.csv.json", '"format": 1', '"format": 2', _sample),
        ("import.json", "ff-import@1", "ff-import@2", lambda path: read_account(path.parent)),
        ("asr_signal_2026-11-30.jsonl", '"0.1"', '"0.2"', read_file),
        ("study.yaml", "profile:", "format_version: 2\nprofile:", load),
        ("trust.yaml", "signals:", "format_version: 2\nsignals:", read_trust),
        ("claims.yaml", "sources:", "format_version: 2\nsources:", read_claims),
    ],
)
def test_a_file_of_a_newer_version_is_refused(
    name: str, old: str, new: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    shutil.copy(LAST / "labels.csv", tmp_path)
    found = [*LAST.rglob(name), *(ROOT / "params").glob(name), *(LAST / "cards").glob("*proxies*.json")][0]
    text = found.read_text()
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FFError, match=rf"{name}.*{NEWER}"):
        read(path)


def test_a_compact_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path, about = tmp_path / "v.parquet", '{"rows": 24, "format": 2, "surprise": 1}'
    rows = f"SELECT * FROM read_parquet('{LAST / 'ledger.parquet'}')"
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, KV_METADATA {{ff_helpers: '{about}'}})")
    with pytest.raises(FFError, match=NEWER):
        count_file(path)
