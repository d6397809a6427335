"""What a file is, in words: an error can say so without showing any of its text."""

import codecs
import csv
import json
from pathlib import Path
from typing import Final

from pydantic_core import from_json

HEAD: Final = 1 << 16
"""Bytes that are read; a file is never read whole for this."""
_MAGIC: Final = (
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"PK\x03\x04", "a zip archive (.zip, .xlsx, .docx and .npz are)"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"\x1f\x8b", "gzip-compressed data (`gunzip` unpacks it)"),
    (0, b"BZh", "bzip2-compressed data (`bunzip2` unpacks it)"),
    (0, b"\xfd7zXZ\0", "xz-compressed data (`unxz` unpacks it)"),
    (0, b"\x28\xb5\x2f\xfd", "zstd-compressed data (`unzstd` unpacks it)"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"ARROW1", "an Arrow (Feather) file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"%PDF", "a PDF"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document (.xls, .doc)"),
    (0, b"\x80\x04\x95", "a Python pickle"),
    (0, b"\x80\x05\x95", "a Python pickle"),
    (8, b"DUCK", "a DuckDB database"),
    (257, b"ustar", "a tar archive"),
)
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet by its first bytes, under any name."""
    return _head(path)[:4] == b"PAR1"


def kind_of(path: Path) -> str:
    """Return what a file is, with its article: `a JSON document`, `a CSV table (commas)`, `binary data`."""
    head = _head(path)
    if not head:
        return "an empty file"
    for place, magic, kind in _MAGIC:
        if head[place : place + len(magic)] == magic:
            return kind
    text = _text(head)
    if text is None:
        return _no_utf8(head)
    if not text.strip():
        return "a file of blank lines"
    kind = _kind_of_text(text.lstrip("\ufeff").lstrip() or "-")
    return f"{kind} with a byte-order mark (save it without)" if text[0] == "\ufeff" else kind


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _text(head: bytes) -> str | None:
    """Return UTF-8 text, whose last character may be cut; None for other bytes."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _no_utf8(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32 text (save it as UTF-8)"
    even, odd = head[::2], head[1::2]
    wide = len(head) > 3 and max(even.count(0), odd.count(0)) > len(odd) // 2 > min(
        even.count(0), odd.count(0)
    )
    if wide or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16 text (save it as UTF-8)"
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return "binary data" if control else "text in another encoding than UTF-8 (save it as UTF-8)"


def _kind_of_text(text: str) -> str:
    first, newline, rest = text.partition("\n")
    if text[0] in "{[":
        if newline and rest.strip() and _is_json(first):
            return "JSON lines of something else"
        if _begins_json(text):
            return "a Jupyter notebook" if '"nbformat"' in text else "a JSON document"
        return "text that begins like JSON and is not"
    if text[0] == "<":
        return "HTML or XML"
    found = _delimiter(text)
    return f"a CSV table ({_DELIMITERS[found]} between the columns)" if found else "plain text"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _begins_json(text: str) -> bool:
    try:
        from_json(text, allow_partial=True)
    except ValueError:
        return False
    return True


def _delimiter(text: str) -> str | None:
    """Return the delimiter that splits two or more lines into equally many cells, at least two; or None."""
    lines = text.splitlines()[:20]
    lines = lines[:-1] if len(text) >= HEAD // 4 and len(lines) > 1 else lines
    for delimiter in _DELIMITERS:
        try:
            rows = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if len(rows) > 1 and len(set(rows)) == 1 and rows[0] > 1:
            return delimiter
    return None
