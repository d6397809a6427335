"""Tables as people have them: delimiter, encoding and header are found, and said where they are unusual."""

import csv
import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ff_helpers.corpus.tables import DELIMITERS, layout_of, read_table
from ff_helpers.errors import FFError

HEAD, ROWS = ["id", "human", "judge"], [["r1", "accordé", "réfus"], ["r2", "réfus", "a, b; c|d\te"]]


def written(rows, delimiter=",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"],
)
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_delimiter_and_encoding_are_found(tmp_path, delimiter, encoding) -> None:
    path = tmp_path / "l.txt"
    path.write_text(written([HEAD, *ROWS], delimiter), encoding=encoding, newline="")
    frame, layout = read_table(path)
    assert list(frame.columns) == HEAD
    assert frame.to_numpy().tolist() == ROWS
    assert layout.delimiter == delimiter
    assert layout.encoding == ("cp1252" if encoding == "latin-1" else encoding)
    usual = delimiter == "," and encoding in ("utf-8", "utf-8-sig")
    assert (layout.said == "") == usual
    assert delimiter == "," or DELIMITERS[delimiter] in layout.said


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\ufeff"), min_size=1, max_size=6)


@given(
    st.integers(2, 5).flatmap(
        lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=9)
    ),
    st.sampled_from(list(DELIMITERS)),
)
@example([["\t", "\t"], ["\t", "\t"]], ",")
@example([["a\tb", "c\td"]], ",")
def test_what_a_csv_writer_wrote_comes_back(tmp_path_factory, rows, delimiter) -> None:
    path = tmp_path_factory.mktemp("t") / "l.csv"
    head = [f"name{place}" for place, _ in enumerate(rows[0])]
    path.write_text(written([head, *rows], delimiter), encoding="utf-8", newline="")
    frame, layout = read_table(path)
    assert (list(frame.columns), frame.to_numpy().tolist(), layout.delimiter) == (head, rows, delimiter)


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("", 1),
        ("sep=;\n", 2),
        ("Export of a study\n", 2),
        ("Export of a study\n\n", 3),
        ('"Export, of a ""study"""\n"two\nlines"\n', 4),
        ("Export of a study;;\n;;\n", 3),
        ("# dataset_version=1,2\n", 2),
    ],
)
def test_the_header_is_found_below_titles(tmp_path, above, line) -> None:
    path = tmp_path / "l.csv"
    path.write_text(above + written([HEAD, *ROWS, *ROWS], ";"), encoding="utf-8")
    frame, layout = read_table(path)
    assert (layout.header, layout.delimiter) == (line, ";")
    assert (f"the header in line {line}" in layout.said) == (line > 1)
    assert list(frame.columns) == HEAD
    assert list(frame.index) == [line + 1, line + 2, line + 3, line + 4]


def test_a_column_of_the_index_needs_no_name(tmp_path) -> None:
    (tmp_path / "l.csv").write_text(",judge\n0,1\n1,0\n")
    frame, layout = read_table(tmp_path / "l.csv")
    assert (list(frame.columns), layout.header, len(frame)) == (["", "judge"], 1, 2)


def test_json_lines_are_a_table(tmp_path) -> None:
    path = tmp_path / "l.jsonl"
    text = '{"human": true, "n": 1.50, "x": null}\n\n{"human": "No", "n": 7, "more": {"a": 1}}\n'
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text(text, encoding=encoding)
        frame, _ = read_table(path)
        assert frame.to_dict("list") == {
            "human": ["true", "No"], "n": ["1.50", "7"], "x": ["", ""], "more": ["", ""],
        }  # fmt: skip
        assert list(frame.index) == [1, 3]


def test_a_csv_is_read_as_it_stands(tmp_path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(b'\xef\xbb\xbf# version=1,\r\nt,g\r\nNA,"two\r\nlines"\r\n\r\n,01\r\n')
    frame, _ = read_table(path)
    assert frame.to_dict("list") == {"t": ["NA", ""], "g": ["two\r\nlines", "01"]}
    assert list(frame.index) == [4, 6]


def test_many_columns_and_long_cells_do_not_hide_the_delimiter(tmp_path) -> None:
    names = [f"column {place} {'x' * 200}" for place in range(10_000)]
    (tmp_path / "wide.csv").write_text(written([names, ["1"] * 10_000], ";"))
    assert read_table(tmp_path / "wide.csv")[0].shape == (1, 10_000)
    (tmp_path / "long.csv").write_text(written([HEAD, ["1", "2", "a\n;" * 600_000]], "|"))
    frame, layout = read_table(tmp_path / "long.csv")
    assert (layout.delimiter, len(frame["judge"].iloc[0])) == ("|", 1_800_000)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is an empty file"),
        (b"a,b\n1,2\n1\n", "line 3 has 1 cells, the header 2"),
        (b"a;b\n1;2\n1;2;3\n", "line 3 has 3 cells, the header 2"),
        (b"a,b\n1,2,3\n", "line 2 has 3 cells"),
        (b"# one\n# two\n", "it has no header"),
        (b"a,b\n\x81,2\n", "it is text in another encoding than UTF-8"),
        ("é,b\n".encode() + b"\xe9,2\n", "byte 5 is not UTF-8, and the text before it is"),
        ("a,b\n1,é\n".encode("utf-16")[:-1], "it is not UTF-16 to its end"),
        (b'a,b\n"1,2\n', "cannot be read: after line 2 a quote is not closed"),
        (b'{"a": "1"}\n["b"]\n', "line 2 is not a JSON object"),
        (b'{"a": "1"}\n{"a": \n', "line 2 is not a JSON object"),
        (b'{"rows":\n [1, 2]}', "it is a JSON document"),
        (b"<html><body>a,b</body></html>", "it is HTML or XML"),
        (b"a,b\n\0\0\0,2\n", "it is binary data"),
        (b"SQLite format 3\0 and more", "it is an SQLite database"),
    ],
)
def test_what_is_no_table_is_named_by_line(tmp_path, content, says) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(content)
    with pytest.raises(FFError, match=says):
        read_table(path)


def test_what_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(FFError, match=r"no\.csv: no such file\. Expected a table: CSV \(commas, semicolons"):
        layout_of(tmp_path / "no.csv")
    with pytest.raises(FFError, match="it is a folder"):
        layout_of(tmp_path)


def test_a_json_object_on_one_line_is_a_row(tmp_path) -> None:
    (tmp_path / "one.json").write_text(json.dumps({"label": "1", "text": "two\nlines"}))
    assert read_table(tmp_path / "one.json")[0].to_dict("list") == {"label": ["1"], "text": ["two\nlines"]}
