"""The atlas page without a browser: its bytes, its data, what a row's status is, what a hostile name does."""

import html
import json
import re
from pathlib import Path

import pytest

from ff_helpers.publication.atlas.page import LONGEST, PageRow, atlas_page, row_basis
from ff_helpers.publication.atlas.signal import Signal
from ff_helpers.publication.pages import write_page
from tests.atlas_rows import (
    AS_OF,
    DISCLOSURE,
    GEMMA,
    HAIKU,
    HOSTILE,
    QWEN,
    TRUTH,
    UNNAMED,
    VETO,
    exported,
    grader,
    hostile,
    kinds,
    many,
    rate,
    signal,
)


def page(rows: list[PageRow]) -> str:
    return atlas_page(rows, profile="test", as_of=AS_OF, disclosure=DISCLOSURE, veto=VETO)


def records(text: str) -> dict[str, object]:
    found = re.findall(r'<script type="application/json" id="records">(.*?)</script>', text, re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def plain(text: str) -> list[list[str]]:
    """The cells of the table that readers without JavaScript get."""
    (table,) = re.findall(r"<noscript>.*?<tbody>(.*?)</tbody>.*?</noscript>", text, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(?:<bdi>)?(.*?)(?:</bdi>)?</td>", row, re.DOTALL) for row in rows]
    return [[html.unescape(cell) for cell in row] for row in cells]


def test_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = atlas_page(kinds(), profile="test", as_of=AS_OF, disclosure=DISCLOSURE)
        write_page(tmp_path / name, text)
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two
    assert b"\r" not in one
    assert set(re.findall(rb"20\d\d-\d\d-\d\d", one)) == {b"2026-11-22", b"2026-11-20"}  # as_of, last_graded


def test_the_records_come_out_as_they_went_in() -> None:
    rows = kinds() + hostile()
    data = records(page(rows))
    assert [Signal.model_validate(row["signal"]) for row in data["rows"]] == [row.signal for row in rows]
    assert [row["trust"]["reason"] for row in data["rows"]] == [row.trust.reason for row in rows]
    assert data["rows"][0]["facts"]["licence"] == "Gemma terms"
    assert data["rows"][1]["facts"] is None


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (signal("a", rate(5, 30), (TRUTH,)), "labels"),
        (signal("a", rate(5, 30), (GEMMA,)), "measured"),
        (signal("a", rate(5, 30), (GEMMA, TRUTH)), "measured"),
        (exported("a", 5, 30, GEMMA, HAIKU), "unmeasured"),
        (exported("a", 5, 30, HAIKU, UNNAMED), "marked"),
        (exported("a", 5, 30, grader("keywords", "heuristic")), "marked"),
        (exported("a", 5, 30, grader("always", "constant"), GEMMA), "marked"),
        (exported("a", 5, 30), "marked"),
        (exported("a", 5, 30, QWEN, GEMMA), "rejected"),
        (exported("a", 5, 30, QWEN, UNNAMED), "rejected"),
        (signal("a", rate(5, 30), (GEMMA, QWEN.model_copy(update={"headline": False}))), "measured"),
        (signal("a", None, (QWEN.model_copy(update={"headline": False}),)), "rejected"),
        (signal("a", None, ()), "marked"),
    ],
)
def test_a_row_is_what_its_worst_headline_grader_is(record: Signal, status: str) -> None:
    assert row_basis(record) == status
    assert records(page([PageRow(record, None, None)]))["rows"][0]["status"] == status


def test_a_hostile_name_ends_no_element() -> None:
    text = page(hostile())
    elements = re.findall(r"<script[ >]", text)
    assert len(elements) == text.count("</script>") == 2
    (block,) = re.findall(r'id="records">(.*?)</script>', text, re.DOTALL)
    assert block.isascii()
    assert not set("<>&") & set(block)
    assert "<img" not in text
    assert "\u202e" not in block
    names = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in HOSTILE]
    assert [row[0] for row in plain(text)] == names


def test_only_the_pages_own_script_may_run() -> None:
    import base64
    import hashlib

    text = page(hostile())
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:)", text.split('id="records"')[0])


def test_without_javascript_each_row_has_its_rate_and_its_doubt() -> None:
    rows = {row[0]: row[1:] for row in plain(page(kinds()))}
    assert len(rows) == len(kinds())
    assert rows["gemma/gemma@3-27b-it"] == ["41.3 [33.5, 49.5]", "143", "◇ unmeasured"]
    assert rows["yi/yi@1.5-6b"] == ["– [0.0, 100.0]", "0", "● known truth"]
    assert rows["mistral/mistral@7b-instruct"] == [
        "no rate; a rejected grader would have reported 75.0 [59.8, 85.8]", "0", "✕ rejected",
    ]  # fmt: skip


def test_the_head_counts_the_rows() -> None:
    text = " ".join(re.sub(r"<[^>]+>", "", page(kinds()).split("<main>")[0]).split())
    rows = kinds()
    assert f"{len(rows)} models, {sum(row.signal.n for row in rows)} graded traces." in text
    assert "11 of 12 names resolve" in text
    assert "4 have fewer than 20" in text
    assert "known truth (4)" in text
    assert "whose accuracy was measured and passed (2)" in text
    assert "at least one was never measured (3)" in text
    assert "one is unnamed, a heuristic or a constant (1)" in text
    assert "one failed (2)" in text


def test_what_the_page_must_say_is_there_and_open() -> None:
    text = page(kinds())
    assert "What this signal does not tell you" in text.split("<details")[0]
    assert text.count("<li><strong>") == 8
    assert html.escape(DISCLOSURE) in text
    assert VETO in text
    assert "None" not in page([PageRow(signal("a", None, ()), None, None)]).split('id="records"')[0]


def test_seventy_rows_are_a_small_file() -> None:
    assert len(page(many(70)).encode()) < 400_000
    assert page([]).count("<tr>") == 1
