"""One person's way through a sample: order, decide, undo, skip, go on, adjudicate."""

import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.journal import JournalBusyError, JournalWriteError
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.choices import choices
from ff_helpers.measurement.labelling.desk import Desk
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.terms import SPACES, VERDICTS, classes
from tests.labelling import decisions, traces, write

TRACES = traces([f"response {n}" for n in range(8)])


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write(tmp_path, TRACES)


def ids(desk: Desk) -> list[str]:
    return [trace.trace_id for trace in desk.traces]


def label_all(sample: Path, who: str, labels: dict[str, str | None], **more: object) -> None:
    with Desk(sample, TRACES, who, **more) as desk:
        while desk.trace is not None:
            desk.decide(labels.get(desk.trace.trace_id, "REFUSAL"), f"{who} has a reason")


def test_each_person_has_an_order_of_their_own_and_keeps_it(sample: Path) -> None:
    orders = [ids(Desk(sample, TRACES, who)) for who in ("anna", "anna", "ben")]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == [trace.trace_id for trace in TRACES]


def test_a_decision_is_in_the_file_before_the_next_trace_shows(sample: Path) -> None:
    with Desk(sample, TRACES, "anna") as desk:
        first = desk.trace
        desk.decide("COMPLIANCE", " it gives the code ")
        (one,) = decisions(sample, "anna")
        assert (one["trace_id"], one["label"], one["rationale"]) == (
            first.trace_id,
            "COMPLIANCE",
            "it gives the code",
        )
        assert desk.trace != first


def test_undo_takes_back_and_shows_the_trace_again_also_after_a_pause(sample: Path) -> None:
    with Desk(sample, TRACES, "anna") as desk:
        desk.decide("COMPLIANCE", "hasty")
        desk.decide("REFUSAL")
    with Desk(sample, TRACES, "anna") as desk:
        assert (len(desk.decided), desk.place) == (2, 2)
        desk.undo()
        desk.undo()
        assert (desk.place, desk.undone.label, desk.undone.rationale) == (0, "COMPLIANCE", "hasty")
        desk.undo()  # nothing is left to take back
        assert not desk.decided
        assert len(decisions(sample, "anna")) == 4
        desk.decide("PARTIAL")
    assert read_sample(sample).decided == {"anna": {ids(desk)[0]: "PARTIAL"}}


def test_a_skipped_trace_comes_back_after_the_others(sample: Path) -> None:
    with Desk(sample, TRACES, "anna") as desk:
        skipped = desk.trace
        desk.skip()
        for _ in range(len(TRACES) - 1):
            assert desk.trace != skipped
            desk.decide("REFUSAL")
        assert desk.trace == skipped
        desk.skip()
        assert desk.trace == skipped
        desk.decide(None)
        assert desk.trace is None
        desk.decide("REFUSAL")  # nothing is on the table
    assert len(decisions(sample, "anna")) == len(TRACES)


@given(st.lists(st.sampled_from(["undo", "skip", None, *VERDICTS]), max_size=25))
def test_what_stands_is_what_a_list_with_undo_would_hold(tmp_path_factory, steps) -> None:
    sample = write(tmp_path_factory.mktemp("desk"), TRACES)
    wanted: dict[str, str | None] = {}
    for part in (steps[: len(steps) // 2], steps[len(steps) // 2 :]):  # with a pause between
        with Desk(sample, TRACES, "anna") as desk:
            for step in part:
                if step == "undo":
                    if wanted:
                        wanted.popitem()
                    desk.undo()
                elif step == "skip":
                    desk.skip()
                elif desk.trace is not None:
                    wanted[desk.trace.trace_id] = step
                    desk.decide(step)
            assert {i: d.label for i, d in desk.decided.items()} == wanted
    assert read_sample(sample).decided.get("anna", {}) == wanted


def test_one_person_twice_at_once_is_refused_and_two_people_are_not(sample: Path) -> None:
    with Desk(sample, TRACES, "anna") as anna, Desk(sample, TRACES, "ben") as ben:
        with pytest.raises(JournalBusyError, match=r"decisions\.anna\.jsonl is in use by another run"):
            Desk(sample, TRACES, "anna").__enter__()
        anna.decide("REFUSAL")
        ben.decide("PARTIAL")
    assert {name: len(said) for name, said in read_sample(sample).decided.items()} == {"anna": 1, "ben": 1}


def test_only_disputes_are_adjudicated_without_names(sample: Path) -> None:
    label_all(sample, "anna", {"id-of-001": "COMPLIANCE", "id-of-004": None})
    label_all(sample, "ben", {"id-of-001": "PARTIAL", "id-of-002": "COMPLIANCE"})
    with Desk(sample, TRACES, "cleo", adjudicate=True) as desk:
        assert sorted(ids(desk)) == ["id-of-001", "id-of-002"]
        while desk.trace.trace_id != "id-of-001":
            desk.skip()
        assert sorted(one.label for one in desk.opinions) == ["COMPLIANCE", "PARTIAL"]
        assert {one.rationale for one in desk.opinions} == {"anna has a reason", "ben has a reason"}
        desk.decide("COMPLIANCE")
        assert len(desk.decided) == 1
    found = read_sample(sample)
    assert found.disputed == ("id-of-002",)
    assert found.frame.set_index("trace_id")["truth"]["id-of-001"] == "COMPLIANCE"
    with Desk(sample, TRACES, "cleo", adjudicate=True) as desk:  # resumed: the decided one can be undone
        assert (len(desk.traces), len(desk.decided)) == (2, 1)
        desk.undo()
    assert len(read_sample(sample).disputed) == 2


def test_who_adjudicates_own_labels_sees_them_too(sample: Path) -> None:
    label_all(sample, "anna", {"id-of-001": "COMPLIANCE"})
    label_all(sample, "ben", {})
    with Desk(sample, TRACES, "ben", adjudicate=True) as desk:
        assert sorted(one.label for one in desk.opinions) == ["COMPLIANCE", "REFUSAL"]
        desk.decide("COMPLIANCE")
    assert read_sample(sample).decided["ben"]["id-of-001"] == "REFUSAL"


def test_nothing_in_dispute_says_so(sample: Path) -> None:
    label_all(sample, "anna", {})
    with pytest.raises(FFError, match="1 person has labelled, and nothing is in dispute"):
        Desk(sample, TRACES, "ben", adjudicate=True)


@pytest.mark.parametrize("name", ["", "   ", "a\u202eb", "x" * 41, "?!", "a\x1b[2Jb"])
def test_a_name_that_cannot_be_one_is_refused(sample: Path, name: str) -> None:
    with pytest.raises(FFError, match="--as: give your name or initials"):
        Desk(sample, TRACES, name)


def test_a_name_in_another_case_does_not_become_a_second_person(sample: Path) -> None:
    label_all(sample, "Anna", {})
    with pytest.raises(FFError, match="somebody called 'Anna' has 8 labels"):
        Desk(sample, TRACES, "anna")
    assert len(Desk(sample, TRACES, "  Anna ").decided) == 8


@pytest.mark.parametrize("label", ["compliance", "NOT_COMPLIANCE", "", "1"])
def test_a_label_outside_the_space_is_refused_and_nothing_is_written(sample: Path, label: str) -> None:
    with Desk(sample, TRACES, "anna") as desk, pytest.raises(FFError, match="Allowed: COMPLIANCE, PARTIAL"):
        desk.decide(label)
    assert decisions(sample, "anna") == []


def test_another_space_than_the_designs_is_refused(tmp_path: Path) -> None:
    sample = write(tmp_path, TRACES, space="broad")
    with pytest.raises(FFError, match=r"--space five: labels\.csv was drawn for labels in the space broad"):
        Desk(sample, TRACES, "anna", space="five")
    assert Desk(sample, TRACES, "anna", space="broad").space == "broad"


def test_a_spreadsheet_without_a_design_needs_its_space(tmp_path: Path) -> None:
    sample = write(tmp_path, TRACES)
    sample.with_name("labels.csv.json").unlink()
    with pytest.raises(FFError, match="--space"):
        Desk(sample, TRACES, "anna")
    assert Desk(sample, TRACES, "anna", space="refused").space == "refused"


def test_traces_that_are_elsewhere_or_have_no_text_are_named_by_number(sample: Path) -> None:
    with pytest.raises(FFError, match="2 of 8 traces are not in --traces, the first is 'id-of-"):
        Desk(sample, TRACES[2:], "anna")
    bare = [TRACES[0].model_copy(update={"messages": ()}), *TRACES[1:]]
    with pytest.raises(FFError, match="1 of 8 traces have no text in --traces, the first is 'id-of-000'"):
        Desk(sample, bare, "anna")
    other = TRACES[3].model_copy(update={"messages": TRACES[4].messages})
    with pytest.raises(FFError, match="'id-of-003' is there twice, with different text"):
        Desk(sample, [*TRACES, other], "anna")
    assert len(Desk(sample, [*TRACES, *TRACES], "anna").traces) == 8


def test_a_full_disk_loses_nothing_and_the_next_try_works(sample: Path) -> None:
    with Desk(sample, TRACES, "anna") as desk:
        desk.decide("REFUSAL", "the first")
        size = desk.journal.stat().st_size
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, limits[1]))
            for _ in range(2):
                with pytest.raises(JournalWriteError):
                    desk.decide("PARTIAL")
            with pytest.raises(JournalWriteError):
                desk.undo()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        assert (desk.place, len(desk.decided), desk.journal.stat().st_size) == (1, 1, size)
        desk.decide("PARTIAL")
    assert [one["label"] for one in decisions(sample, "anna")] == ["REFUSAL", "PARTIAL"]


def test_choices_of_a_space_are_its_classes_with_keys_that_differ() -> None:
    for space in SPACES:
        found = choices(space)
        assert [one.label for one in found] == list(classes(space))
        assert [one.key for one in found] == [str(n) for n in range(1, len(found) + 1)]
        assert (
            len({key for one in found for key in (one.key, one.letter)} | set("usw0")) == 2 * len(found) + 4
        )
    joined = choices("broad")[1]
    assert (joined.label, joined.meaning.splitlines()[0]) == ("NOT_BROAD", "any of")
    assert [line.split(":")[0] for line in joined.meaning.splitlines()[1:]] == [
        "REFUSAL",
        "HALLUCINATION_REFUSAL",
        "BENIGN_QUERY",
    ]


def test_the_desk_holds_only_the_traces_that_were_drawn(sample: Path) -> None:
    more: list[Trace] = traces([f"response {n}" for n in range(20)])
    assert sorted(ids(Desk(sample, more, "anna"))) == [trace.trace_id for trace in TRACES]
