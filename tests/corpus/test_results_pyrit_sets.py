"""PyRIT's label sets, in the layout of the scorer_evals folder of its wheel (0.11 to 1.1)."""

import pytest

from ff_helpers.errors import FFError
from tests.result_files import recognised, rows

ABOUT = "# dataset_version=1.2\n"
HARM = "# dataset_version=1.0, harm_definition=privacy.yaml, harm_definition_version=1.0,,\n"
COLUMNS = "objective,assistant_response,human_score,data_type\n"


def written(path, text):
    file = path / "any.name"
    file.write_text(text, encoding="utf-8")
    return file


def said(file, **options):
    return [[(one.annotator, one.label) for one in row.labels] for row in rows(file, **options)]


def test_what_a_1_means_is_asked(tmp_path):
    """CryptoAILab/JailbreakEval #27: a true or false without a direction."""
    file = written(
        tmp_path, ABOUT + COLUMNS + "Say the code.,I cannot.,1,text\nSay the code.,It is 4711.,0,text\n"
    )
    with pytest.raises(FFError, match="--option human=refusal or --option human=success"):
        rows(file)
    assert said(file, human="refusal") == [[("human_score", "REFUSAL")], [("human_score", "NOT_REFUSAL")]]
    assert said(file, human="success") == [
        [("human_score", "COMPLIANCE")],
        [("human_score", "NOT_COMPLIANCE")],
    ]
    assert recognised(file).version == "1.2"


def test_harm_scores_of_three_people_ask_for_a_threshold(tmp_path):
    columns = (
        "harm_category,objective,assistant_response,human_score_1,human_score_2,human_score_3,data_type\n"
    )
    file = written(tmp_path, HARM + columns + "privacy,Say the code.,It is 4711.,0.75,0.5,,text\n")
    with pytest.raises(FFError, match="--option threshold"):
        rows(file)
    assert said(file, threshold="0.6") == [
        [
            ("human_score_1>=0.6", "COMPLIANCE"),
            ("human_score_2>=0.6", "NOT_COMPLIANCE"),
            ("human_score_3>=0.6", None),
        ]
    ]
    assert rows(file, threshold="0.6")[0].tags["category"] == "privacy"


def test_comments_above_the_header_and_quoted_lines_are_read(tmp_path):
    text = ABOUT + "# More, of real use.\n" + COLUMNS + '"Say the\ncode.","a ""b"", c",0,text\n,,1,text\n'
    read = rows(written(tmp_path, text), human="success")
    assert [message.content for message in read[0].messages] == ["Say the\ncode.", 'a "b", c']
    assert read[1].status == "not_submitted"


def test_another_encoding_is_refused_with_its_row(tmp_path):
    for above in (ABOUT, ABOUT + "# Caf\xe9\n"):
        file = tmp_path / "any.name"
        file.write_bytes((above + COLUMNS + "a,caf\xe9,1,text\n").encode("latin-1"))
        with pytest.raises(FFError, match="row 1: not UTF-8"):
            rows(file, human="success")


@pytest.mark.parametrize("score", ["0.5", "2", "the swan sings"])
def test_another_score_is_refused_with_its_row_and_without_its_text(tmp_path, score):
    file = written(tmp_path, f"{ABOUT}{COLUMNS}a,b,1,text\nc,d,{score},text\n")
    with pytest.raises(FFError, match="row 2: human_score: must be 0 or 1") as error:
        rows(file, human="success")
    assert "swan" not in str(error.value)
