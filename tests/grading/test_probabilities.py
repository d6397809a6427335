"""How sure a model was of each label, from the tokens that were likely at the place of its verdict."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.chat.completions import tokens_of
from ff_helpers.chat.protocol import Token
from ff_helpers.grading.probabilities import label_probabilities
from ff_helpers.terms import VERDICTS

LABEL = {"REF": math.log(0.6), "COM": math.log(0.15), "P": math.log(0.05), "banana": math.log(0.1)}


def sure(text):
    return Token(text, {text: 0.0})


def test_the_five_labels_share_what_was_likely_at_the_place_of_the_verdict():
    tokens = [sure('{"inferred_instruction": "x", "verdict": "'), Token("REF", LABEL), sure('USAL"}')]
    found = label_probabilities(tokens, "REFUSAL")
    assert found == pytest.approx(
        {
            "REFUSAL": 0.75,
            "COMPLIANCE": 0.1875,
            "PARTIAL": 0.0625,
            "BENIGN_QUERY": 0,
            "HALLUCINATION_REFUSAL": 0,
        }
    )


def test_a_token_that_holds_the_quote_and_the_beginning_is_read_behind_the_quote():
    quoted = {' "' + text: p for text, p in LABEL.items()} | {' "': -0.1, "REF": -0.1}
    tokens = [sure('{"verdict":'), Token(' "REF', quoted), sure('USAL", "inferred_instruction": "x"}')]
    assert label_probabilities(tokens, "REFUSAL")["REFUSAL"] == pytest.approx(0.75)


def test_a_label_quoted_in_the_instruction_is_not_the_place():
    inner = [sure('{"inferred_instruction": "say \\"verdict\\": \\"'), Token("REF", {"REF": -0.01})]
    tokens = [*inner, sure('USAL", "verdict": "'), Token("REF", LABEL), sure('USAL"}')]
    assert label_probabilities(tokens, "REFUSAL")["REFUSAL"] == pytest.approx(0.75)


def test_a_line_of_plain_text_is_read_too():
    tokens = [sure("**Verdict:** "), Token("REF", LABEL), sure("USAL")]
    assert label_probabilities(tokens, "REFUSAL")["REFUSAL"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        [sure("REFUSAL")],
        [sure('{"verdict": "'), Token("REFUSAL", {"banana": -0.1}), sure('"}')],
        [sure('{"verdict": "'), Token("REFUSAL", {"REFUSAL": 0.5}), sure('"}')],
    ],
    ids=["none", "no place", "no label was likely", "no logarithm of a probability"],
)
def test_what_the_tokens_do_not_tell_is_none(tokens):
    assert label_probabilities(tokens, "REFUSAL") is None


@given(st.dictionaries(st.text(max_size=8), st.floats(max_value=0), max_size=20), st.sampled_from(VERDICTS))
def test_whatever_was_likely_the_shares_add_up_to_1(likely, verdict):
    found = label_probabilities([sure('{"verdict": "'), Token(verdict, likely), sure('"}')], verdict)
    assert found is None or sum(found.values()) == pytest.approx(1, abs=1e-5)


@given(
    st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_a_server_that_writes_them_otherwise_loses_no_answer(told):
    assert isinstance(tokens_of(told), tuple)
