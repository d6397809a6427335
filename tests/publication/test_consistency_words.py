"""What can stand behind a printed figure, in words."""

import pytest

import ff_helpers as ff


@pytest.mark.parametrize(
    ("figure", "options", "said"),
    [
        (("65.0", "43.3", "81.9"), {}, "only 13 of 20."),
        (("58",), {"n": 20}, "that would be 11.6 rows; 11 of 20 is 55% and 12 of 20 is 60%"),
        (("62", "38", "81"), {"n": 20}, "no count has both this percentage and this interval"),
        (("62", "38", "81"), {}, "made differently: Wilson 95% interval, digits cut off: 10 of 16"),
        (("6.2",), {"n": 16}, "Only with digits rounded, a tie to the even digit."),
        (("18.7",), {"n": 16}, "a tie that went down"),
        (("62",), {}, "To narrow this down: the interval"),
        (("62", "54", "70"), {}, "To narrow this down: more digits"),
    ],
)
def test_the_answer_says_what_fits_and_what_would(figure, options, said):
    assert said in ff.lessons.consistency_words(ff.explain.consistent(*figure, **options)).text
