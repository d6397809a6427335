"""What graders are called: their name where it is unique, and what sets namesakes apart where it is not."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.grading.identities import chosen, identities, shown_names, told_apart
from ff_helpers.grading.outcome import Options, Record
from ff_helpers.terms import IDENTITY, IDENTITY_COLUMNS, Identity
from tests.cards import make_card

A = Identity("m", "sha256:" + "a" * 64, rubric="r@1", temperature=0.0, seed=0)
PARTS = {
    "name": st.sampled_from(["m", "n", "m (aaaaaaaaaaaa)"]),
    "digest": st.sampled_from([A.digest, "sha256:" + "a" * 63 + "b", "a person", None]),
    "rubric": st.sampled_from(["r@1", "r@2", None]),
    "temperature": st.sampled_from([0.0, 0.7, None]),
    "seed": st.sampled_from([0, 7, None]),
}
KNOWN = st.lists(st.builds(Identity, **PARTS), min_size=1, max_size=6)


@given(KNOWN)
def test_no_two_identities_get_one_name_and_a_unique_name_stands_alone(known: list[Identity]) -> None:
    names = shown_names(known)
    assert set(names) == set(known)
    assert len(set(names.values())) == len(names)
    for one, name in names.items():
        assert name.startswith(one.name)
        if sum(other.name == one.name for other in names) == 1 and "(" not in "".join(o.name for o in names):
            assert name == one.name
        assert chosen(known, name) == one


@given(KNOWN)
def test_a_frame_told_apart_has_one_name_per_identity_and_stays_as_it_is(known: list[Identity]) -> None:
    columns = {
        c: [getattr(one, part) for one in known] for part, c in IDENTITY_COLUMNS.items() if c in IDENTITY
    }
    frame = pd.DataFrame(columns, index=range(5, 5 + len(known)))
    named, who = told_apart(frame)
    assert identities(frame) == list(dict.fromkeys(known))
    assert [who[name] for name in named["grader"]] == known
    assert list(named.index) == list(frame.index)
    assert named["grader"].nunique() == len(set(known))
    again, _ = told_apart(named)
    assert again["grader"].tolist() == named["grader"].tolist()


def test_a_name_of_several_or_of_nobody_is_refused_with_those_there_are() -> None:
    other = Identity("m", "sha256:" + "b" * 64)
    with pytest.raises(FFError, match=r"2 graders here are called 'm'\. Name one of: m \(a{12}\), m \(b"):
        chosen([A, other], "m")
    with pytest.raises(FFError, match=r"no grader here is 'x'\. Name one of: m"):
        chosen([A], "x")


def test_records_and_cards_are_of_the_identity_whether_they_say_its_quantization_or_not() -> None:
    said = {"key": "k", "trace_id": "t", "response_sha256": "s", "grader": "m", "grader_digest": A.digest}
    said |= {"rubric": "r@1", "method": "flip-final-turn", "verdict": "REFUSAL", "software": "s"}
    old = Record.model_validate(said | {"options": {"temperature": 0.0, "seed": 0}})
    options = Options(temperature=0.0, seed=0, quantization="Q4_1", answer_schema="0123456789ab")
    new = Record.model_validate(said | {"options": options})
    assert old.identity == new.identity == A == make_card(A).identity
    assert (new.identity.quantization, new.identity.schema) == ("Q4_1", "0123456789ab")
    assert (old.identity.quantization, old.identity.method) == (None, "flip-final-turn")
    assert '"quantization"' not in old.model_dump_json(exclude_none=True)
