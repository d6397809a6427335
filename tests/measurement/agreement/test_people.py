"""Two people and their agreement: the counts of a published table, disputes, what nobody decided."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.agreement.people import compare_people
from ff_helpers.measurement.labelling.desk import Desk
from ff_helpers.measurement.sampling.files import read_sample
from tests.conftest import FRAMES, Project
from tests.labelling import traces, write

YES, NO = "COMPLIANCE", "NOT_COMPLIANCE"


def labelled(folder: Path, *people: list[str | None], names: str = "anna ben cleo") -> Path:
    """Write a sample that people labelled; what they said, by trace."""
    rows = traces(["a response"] * len(people[0]))
    sample = write(folder, rows, space="strict")
    for name, said in zip(names.split(), people, strict=False):
        given = dict(zip([row.trace_id for row in rows], said, strict=True))
        with Desk(sample, rows, name) as desk:
            while desk.trace is not None:
                desk.decide(given[desk.trace.trace_id])
    return sample


def table(both: int, only_a: int, only_b: int, none: int) -> tuple[list[str], list[str]]:
    return [YES] * (both + only_a) + [NO] * (only_b + none), [YES] * both + [NO] * only_a + [YES] * only_b + [
        NO
    ] * none


def test_the_even_table_of_feinstein_and_cicchetti(tmp_path: Path) -> None:
    found = compare_people(read_sample(labelled(tmp_path, *table(40, 9, 6, 45))))
    (pair,) = found.pairs
    assert (pair.a, pair.b, pair.matrix.accuracy.k, pair.matrix.n) == ("anna", "ben", 85, 100)
    assert pair.matrix.table == ((40, 9, 0), (6, 45, 0))
    assert pair.kappa.value == pytest.approx(0.70, abs=0.005)
    assert pair.kappa.low < pair.kappa.value < pair.kappa.high
    assert (len(found.disputed), found.truths, found.undecided) == (15, {YES: 40, NO: 45}, ())
    assert found.alpha is None
    assert pair.weighted is None


def test_who_cannot_say_is_in_no_pair_and_a_trace_nobody_decided_is_undecided(tmp_path: Path) -> None:
    sample = labelled(tmp_path, [YES, NO, None, None, YES], [YES, YES, NO, None, None])
    found = compare_people(read_sample(sample))
    assert [(one.labels, one.unsure, one.left) for one in found.people] == [(3, 2, 0), (3, 2, 0)]
    assert found.pairs[0].matrix.n == 2
    assert found.disputed == ("id-of-001",)
    assert found.undecided == ("id-of-003",)
    assert found.truths == {YES: 2, NO: 1}


def test_three_people_have_an_alpha_and_three_pairs(tmp_path: Path) -> None:
    said = [YES, NO] * 10
    found = compare_people(read_sample(labelled(tmp_path, said, said, [*said[:-1], YES])))
    assert [(pair.a, pair.b) for pair in found.pairs] == [("anna", "ben"), ("anna", "cleo"), ("ben", "cleo")]
    assert found.alpha.value == pytest.approx(1 - 59 * 2 / (2 * 31 * 29), abs=0.001)


def test_people_who_only_ever_say_one_thing_have_no_kappa_and_are_told_so(tmp_path: Path) -> None:
    (pair,) = compare_people(read_sample(labelled(tmp_path, [NO] * 12, [NO] * 12))).pairs
    assert (pair.kappa.value, pair.kappa.low, pair.kappa.high) == (0, -1, 1)
    assert pair.note == "both always say NOT_COMPLIANCE: no kappa can be measured"


@FRAMES
@given(st.lists(st.tuples(*[st.sampled_from([YES, NO, None])] * 2), min_size=1, max_size=12))
def test_every_trace_is_disputed_undecided_or_has_a_truth(tmp_path_factory, said) -> None:
    sample = labelled(tmp_path_factory.mktemp("people"), *map(list, zip(*said, strict=True)))
    found = compare_people(read_sample(sample))
    assert len(found.disputed) + len(found.undecided) + sum(found.truths.values()) == len(said)
    assert all(one.labels + one.unsure + one.left == len(said) for one in found.people)
    assert sum(found.pairs[0].matrix.table[0]) <= found.people[0].labels


@pytest.mark.parametrize("people", [0, 1])
def test_one_person_alone_is_not_compared(tmp_path: Path, people: int) -> None:
    sample = labelled(tmp_path, *[[YES, NO]] * 2, names="anna"[: 4 * people])
    with pytest.raises(FFError, match="nobody has labelled" if not people else "only 'anna' has labelled"):
        compare_people(read_sample(sample))


def test_the_command_says_what_comes_next_until_there_are_rates(project: Project) -> None:
    rows = traces(["a response"] * 4)
    sample = labelled(project.folder, [YES, NO, NO, YES], [YES, NO, YES, YES])
    with Desk(sample, rows, "ben") as desk:
        desk.undo()
    said = project.ff("labels", "compare", "labels.csv").stdout
    assert "Next: 1 traces are left for ben\n  ff label labels.csv --traces TRACES --as ben" in said
    with Desk(sample, rows, "ben") as desk:
        desk.decide(
            {"id-of-002": YES}.get(
                desk.trace.trace_id, read_sample(sample).decided["anna"][desk.trace.trace_id]
            )
        )
    said = project.ff("labels", "compare", "labels.csv").stdout
    assert "agreement      75.0% [30.1, 95.4], 3 of 4" in said
    assert (
        "Next: decide the 1 in dispute\n  ff label labels.csv --traces TRACES --as NAME --adjudicate" in said
    )
    with Desk(sample, rows, "cleo", adjudicate=True) as desk:
        desk.decide(NO)
    said = project.ff("labels", "compare", "labels.csv")
    assert "adjudicated   1" in said.stdout
    assert "with a truth  4: COMPLIANCE 2, NOT_COMPLIANCE 2" in said.stdout
    assert "  ff asr VERDICTS --traces TRACES --labels labels.csv" in said.stdout


def test_json_holds_the_same_numbers(project: Project) -> None:
    import json

    labelled(project.folder, *table(4, 1, 2, 5))
    content = json.loads(project.ff("labels", "compare", "labels.csv", "--json").stdout)
    (pair,) = content["pairs"]
    assert (pair["n"], pair["k"], pair["agreement"]) == (12, 9, 0.75)
    assert pair["agreement_ci"][0] < 0.75 < pair["agreement_ci"][1]
    assert pair["confusion"] == {YES: {YES: 4, NO: 1}, NO: {YES: 2, NO: 5}}
    assert (len(content["disputed"]), content["truths"], content["alpha"]) == (3, {YES: 4, NO: 5}, None)


def test_one_person_alone_exits_with_two(project: Project) -> None:
    labelled(project.folder, [YES])
    done = project.ff("labels", "compare", "labels.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "only 'anna' has labelled it" in done.stderr
