"""Numbers in prose are values; a template and its values must fit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.paths import PACKAGE
from ff_helpers.publication.pages import read_words
from ff_helpers.publication.prose import points, say
from ff_helpers.terms import Unknown


def test_a_proportion_reads_as_in_tables():
    rate = wilson(13, 20)
    assert say("{a}", a=rate).text == "65.0% [43.3, 81.9]"
    assert say("{a:counts}; {a:k} of {a:n}, {a:percent}", a=rate).text == (
        "65.0% [43.3, 81.9] (13 of 20); 13 of 20, 65.0%"
    )


def test_differences_and_unknowns():
    text = say(
        "{up:points} {down:points} {none:points} {share:percent}",
        up=0.2125,
        down=-0.0556,
        none=-0.0001,
        share=0.5,
    )
    assert text.text == "+21.3 −5.6 0.0 50.0%"
    assert say("{a}, {b}", a=None, b=Unknown("digest", "not published")).text == (
        "not determinable, digest: not published"
    )


def test_a_p_value_is_never_zero():
    assert say("{a:p}, {b:p}", a=0.0182, b=0.0).text == "p = 0.018, p < 0.001"


def test_shown_as_markdown():
    assert say("**{n}**", n=3)._repr_markdown_() == "**3**"


def test_template_and_values_must_fit():
    with pytest.raises(FFError, match=r"no value for \{b\}; values given: a"):
        say("{b}", a=1)
    with pytest.raises(FFError, match="does not use b"):
        say("{a}", a=1, b=2)
    with pytest.raises(FFError, match="cannot be written as 'percent'"):
        say("{a:percent}", a="word")


@given(st.floats(-1, 1))
def test_points_are_signed_and_near(value):
    text = points(value).replace("−", "-")
    assert abs(float(text) - 100 * value) <= 0.05 + 1e-6
    assert text == "0.0" or text[0] in "+-"


def test_every_sentence_is_told_somewhere():
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    sentences = set(read_words("sentences", dict[str, str]))
    assert set(re.findall(r"\btell(?:_rows)?\(\s*[\"'](\w+)", sources)) <= sentences
    assert [name for name in sentences if not re.search(f"[\"']{name}[\"']", sources)] == []
