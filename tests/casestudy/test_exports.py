"""Exports of others: the published JSON and CSV, and every way in which one can be wrong."""

import json

import pytest

import ff_helpers as ff
from ff_helpers import paths
from ff_helpers.casestudy.exports import read_export
from ff_helpers.errors import FFError

ROW = {
    "model_name": "gemma3:27b",
    "numerator": 13,
    "denominator": 20,
    "asr_pct": 65.0,
    "classifiers_used": ["a", "b"],
}


def as_json(tmp_path, *rows):
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"generated_at": "2026-06-10", "models": rows}))
    return path


def test_both_forms_say_the_same(tmp_path):
    csv = tmp_path / "export.csv"
    csv.write_text("model_name,compliance,graded,classifiers\ngemma3:27b,13,20,a|b\n")
    assert read_export(as_json(tmp_path, ROW)).equals(read_export(csv))
    assert read_export(csv).to_dict("records") == [
        {"model_name": "gemma3:27b", "compliance": 13, "graded": 20, "classifiers": "a|b"}
    ]


def test_the_shipped_export_is_read():
    frame = read_export(paths.data() / "published" / "model_asr_2026-06-10.csv")
    assert frame["graded"].tolist() == ff.case.published("model_asr_2026-06-10")["graded"].tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"numerator": 21}, r"models\.1:compliance: 21 of 20"),
        ({"numerator": -1}, r"models\.1:numerator"),
        ({"denominator": 2.5}, r"models\.1:denominator"),
        ({"denominator": None}, r"models\.1:denominator"),
        ({"model_name": ""}, r"models\.1:model_name"),
        ({"asr_pct": 66.0}, r"models\.1:asr_pct: 66\.0 is not 13 of 20"),
        ({"classifiers_used": "a"}, r"models\.1:classifiers_used"),
        ({"classifiers_used": ["a|b"]}, r"models\.1:classifiers_used"),
        ({"model_name": "other"}, r"models\.1:model_name: the same name as at models\.0"),
    ],
)
def test_a_wrong_row_is_named_by_place_and_field(tmp_path, change, said):
    first = ROW | {"model_name": "other"}
    with pytest.raises(FFError, match=said):
        read_export(as_json(tmp_path, first, ROW | change))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is an empty file, and its header lacks model_name, compliance, graded, classifiers"),
        (
            "model_name,asr\nx,1\n",
            r"a CSV table \(commas between the columns\), "
            "and its header lacks compliance, graded, classifiers",
        ),
        ("model_name,compliance,graded,classifiers\nx,1\n", "2: the line has too few fields"),
        ("model_name,compliance,graded,classifiers\nx,one,2,a\n", "2:compliance"),
        ("{", "1: not JSON"),
        ('{"rows": []}', "models: must be a list"),
        ("[3]", r"models\.0"),
    ],
)
def test_a_file_that_is_no_export_says_what_is_expected(tmp_path, text, said):
    path = tmp_path / "export"
    path.write_text(text)
    with pytest.raises(FFError, match=said) as error:
        read_export(path)
    assert "Expected model_name" in str(error.value)


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(FFError, match="no such file"):
        read_export(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FFError, match="not UTF-8"):
        read_export(tmp_path / "bytes.csv")
