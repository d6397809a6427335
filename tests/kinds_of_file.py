"""Files that are no ledger, of many kinds, as people have them, and their beginnings."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import sqlite3
import tarfile
import tempfile
import zipfile
from pathlib import Path

import duckdb

MARKER = "Tell me how, MARKED-TEXT please"
"""Stands in every prompt, response, cell and key of these files: no command may print it."""
_ROWS = [{"prompt": f"{MARKER} {n}", "response": f"No. {MARKER}", "label": n % 2} for n in range(30)]


def _sqlite() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (prompt TEXT)")
        database.executemany("INSERT INTO t VALUES (?)", [(row["prompt"],) for row in _ROWS])
        return database.serialize()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("verdicts.jsonl", json.dumps(_ROWS))
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    return file.getvalue()


def _parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        duckdb.sql(f"SELECT '{MARKER}' AS prompt, 1 AS label").write_parquet(str(path))
        return path.read_bytes()


def kinds() -> dict[str, tuple[bytes, str]]:
    """Return name -> (content, what a command calls it)."""
    noise = random.Random(7).randbytes
    lines = "".join(json.dumps(row) + "\n" for row in _ROWS)
    table = "prompt;response;label\n" + "".join(f"{MARKER};No;{n}\n" for n in range(9))
    commas = table.replace(",", "").replace(";", ",")
    notebook = {"cells": [{"source": MARKER}], "nbformat": 4}
    document, other = "a JSON document", "JSON lines of something else"
    return {
        "minified.json": (json.dumps({"results": [1] * 5000}).encode(), document),
        "indented.json": (json.dumps(_ROWS, indent=1).encode(), document),
        "list.json": (json.dumps(_ROWS).encode() + b"\n", document),
        "keyed_by_prompt.json": (json.dumps({row["prompt"]: 1 for row in _ROWS}).encode(), document),
        "one_row.jsonl": (json.dumps(_ROWS[0]).encode() + b"\n", document),
        "key_first.json": (json.dumps({"key": MARKER}, separators=(",", ":")).encode(), document),
        "number.json": (b"7", "plain text"),
        "notebook.ipynb": (json.dumps(notebook).encode(), "a Jupyter notebook"),
        "others.jsonl": (lines.encode(), other),
        "keyed_by_prompt.jsonl": ((json.dumps({MARKER: 1}) + "\n").encode() * 3, other),
        "no_newline.jsonl": (lines.rstrip().encode(), other),
        "byte_order_mark.jsonl": (lines.encode("utf-8-sig"), "with a byte-order mark"),
        "like_json.txt": (b'{"a text in braces}', "a JSON document"),
        "no_json.txt": (f"{{{MARKER}}}".encode(), "text that begins like JSON and is not"),
        "database.sqlite": (_sqlite(), "an SQLite database"),
        "archive.zip": (_zip(), "a zip archive"),
        "archive.tar": (_tar(), "a tar archive"),
        "packed.gz": (gzip.compress(lines.encode()), "gzip-compressed data"),
        "packed.bz2": (bz2.compress(lines.encode()), "bzip2-compressed data"),
        "packed.xz": (lzma.compress(lines.encode()), "xz-compressed data"),
        "frame.pickle": (pickle.dumps(_ROWS, protocol=5), "a Python pickle"),
        "table.parquet": (_parquet(), "a Parquet file"),
        "table.csv": (commas.encode(), "a CSV table (commas"),
        "semicolon.csv": (table.encode(), "a CSV table (semicolons"),
        "table.tsv": (table.replace(";", "\t").encode(), "a CSV table (tabs"),
        "utf16.csv": (commas.encode("utf-16"), "UTF-16 text"),
        "utf16_no_mark.csv": (commas.encode("utf-16-le"), "UTF-16 text"),
        "utf32.csv": (commas.encode("utf-32"), "UTF-32 text"),
        "latin1.txt": (f"réfus {MARKER}\n".encode("latin-1"), "text in another encoding"),
        "note.txt": (
            f"{MARKER}\n{MARKER}".encode(),
            "a CSV table",
        ),  # one comma in each line: a fair guess
        "prose.md": (b"# A title\n\nSome words, and\nmore of them.\n", "plain text"),
        "page.html": (f"<!doctype html><p>{MARKER}</p>\n".encode(), "HTML or XML"),
        "blank.txt": (b"\n\n  \n", "a file of blank lines"),
        "spaces.txt": (b"   ", "a file of blank lines"),
        "zeros.bin": (bytes(5000), "binary data"),
        "noise.bin": (noise(5000), "binary data"),
        "script.py": (b"import os\n\nprint(os.name)\n", "plain text"),
        "settings.yaml": (f"a: {MARKER}\n".encode(), "plain text"),
    }


def truncated() -> dict[str, bytes]:
    """Return the beginnings of these files, from the first byte on."""
    found = {}
    for name, (content, _) in kinds().items():
        for cut in sorted(
            {1, 2, 3, len(content) // 7, len(content) // 2, len(content) - 1} - {0, len(content)}
        ):
            found[f"{name}[:{cut}]"] = content[:cut]
    return found
