"""The atlas page in a real browser: what it shows is what the records say, and everybody can use it."""

import csv
import io
import json
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from ff_helpers.measurement.proportions.intervals import independent_difference, percent, wilson
from ff_helpers.publication.atlas.page import PageRow, atlas_page, row_basis
from ff_helpers.publication.atlas.signal import Rate, Signal
from ff_helpers.publication.pages import write_page
from ff_helpers.terms import INTENTS
from tests.atlas_rows import AS_OF, DISCLOSURE, HOSTILE, VETO, hostile, kinds, many
from tests.browser.accessible import axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

GEMMA = "gemma/gemma@3-27b-it"
SMOLLM = "smollm/smollm@2-135m-instruct"
LLAMA = "llama/llama@3.2-1b-instruct"
REJECTED = "mistral/mistral@7b-instruct"
Opened = Callable[..., "Page"]


@pytest.fixture
def atlas(page: "Page", tmp_path: Path) -> Iterator[Opened]:
    """A function that opens a page of rows; at the end nothing was asked for and nothing went wrong."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(10_000)

    def opened(rows: list[PageRow] | None = None, fragment: str = "") -> "Page":
        path = tmp_path / "atlas" / "index.html"
        if rows is not None or not path.exists():
            path.parent.mkdir(exist_ok=True)
            text = atlas_page(rows or kinds(), profile="test", as_of=AS_OF, disclosure=DISCLOSURE, veto=VETO)
            write_page(path, text)
        page.goto("about:blank")  # else a link with another fragment would not load the page anew
        page.goto(path.as_uri() + fragment)
        return page

    yield opened
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
    assert page.problems == []
    assert errors == []


def until(page: "Page", condition: str) -> None:
    """Wait until a condition holds; Playwright's own waiting evaluates text, which the page forbids."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {condition}")


def line(page: "Page", key: str) -> str:
    return f'tbody tr[data-key="{key}"]'


def text(page: "Page", selector: str) -> str:
    return " ".join(page.locator(selector).inner_text().split())


def keys(page: "Page") -> list[str]:
    return page.eval_on_selector_all("tbody tr[data-key]", "rows => rows.map(row => row.dataset.key)")


def shown(rate: Rate) -> str:
    return f"{percent(rate.overall)}% [{percent(rate.ci_low)}, {percent(rate.ci_high)}]"


def card(page: "Page") -> dict[str, str]:
    """The details' terms with what stands beside each."""
    pairs = page.eval_on_selector_all(
        "#detail .pairs > div", "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
    )
    return {term: " ".join(words.split()) for term, words in pairs}


@pytest.mark.parametrize("by", ["pointer", "focus"])
def test_details_say_what_the_record_says(atlas: Opened, by: str) -> None:
    page = atlas()
    for row in kinds():
        signal = row.signal
        name = page.locator(f"{line(page, signal.label)} button.name")
        name.scroll_into_view_if_needed()
        name.hover() if by == "pointer" else name.focus()
        page.locator(f'{line(page, signal.label)} [aria-expanded="true"]').wait_for()
        whole, said = text(page, "#detail"), card(page)
        assert page.locator("#detail h3").text_content() == signal.label
        if signal.asr:
            assert page.locator("#detail .big").first.text_content() == shown(signal.asr)
            assert said["Counts"] == f"k = {signal.asr.k} of n = {signal.asr.n}"
            assert said["Denominator"] == signal.asr.denominator
            assert said["Tier"].startswith(f"{signal.asr.tier}: COMPLIANCE")
        else:
            assert page.locator("#detail .big").first.text_content() == "no rate"
            assert signal.asr_reason in whole
            assert f"would have reported: {shown(signal.graders[0].reported)}" in whole
        assert said["Confidence"].startswith(signal.confidence.replace("_", " "))
        for grader in signal.graders:
            assert f"{grader.grader} · {grader.standing}" in whole
            assert f"gate: {grader.gate}" in whole
            assert grader.why in whole
            if grader.accuracy is not None:
                bounds = f"[{percent(grader.ci_low)}, {percent(grader.ci_high)}]"
                assert f"accuracy {percent(grader.accuracy)}% {bounds}: {grader.why}" in whole
                assert f"of {grader.n} on {grader.calibration_set}" in whole
            if grader.reported:
                there = f"{shown(grader.reported)}, {grader.reported.k} of {grader.reported.n}"
                assert f"alone it reports {there}" in whole
        if signal.with_accuracy is not None:
            assert said["Graders with a measured accuracy"].startswith(f"{percent(signal.with_accuracy)}%")
        if signal.mixes_graders:
            assert "which verdict is whose is not published" in said["Method"]
        if signal.by_intent:
            for intent in INTENTS:
                rate = getattr(signal.by_intent, intent)
                there = page.locator("#detail .classes li", has_text=intent).inner_text()
                assert (shown(rate).replace("%", "") if rate else "no graded trace") in there
        else:
            assert f"no class counts: {signal.by_intent_reason}" in whole
        if signal.refusal_stability:
            assert said["Refusal stability"].startswith("80.0% [60.0, 92.0]: 48 of 60 pairs")
            assert said["Multi-turn"] == "25.0% of 120 rows"
        else:
            assert said["Refusal stability"] == f"not known: {signal.refusal_stability_reason}"
            assert said["Multi-turn"] == f"not known: {signal.multi_turn_reason}"
        counted = "3 rows: timeout 2, unparsable 1"
        none = f"not known: {signal.no_verdict_reason}"
        assert said["Rows without a verdict"] == (counted if signal.no_verdict else none)
        assert said["Last graded"] in (f"{signal.last_graded}", f"not known: {signal.last_graded_reason}")
        inferred = [f"{a} (inferred)" if a in signal.inferred_aliases else a for a in signal.aliases]
        assert said["Names in the data"] == ", ".join(inferred)
        if row.facts:
            assert said["Licence"].startswith(row.facts.licence)
            assert said["Provider"] == row.facts.provider
            assert said["Parameters"].startswith(f"{row.facts.parameters_b:g} billion")
            assert said["Source"].startswith(row.facts.source)
        assert row.trust.reason in whole
        for assessed in row.trust.signals:
            weighed = f"{assessed.name.replace('_', ' ')} (weight {assessed.weight:.2f})"
            value = "" if assessed.value is None else f"{assessed.value:.2f}: "
            assert said[weighed] == f"{value}{assessed.why}"


def test_a_link_is_only_what_is_an_address(atlas: Opened) -> None:
    page = atlas(fragment=f"#model={SMOLLM}")
    assert "javascript:alert(1)" in card(page)["Source"]
    assert page.locator("#detail a").count() == 0
    page = atlas(fragment=f"#model={GEMMA}")
    assert page.locator("#detail a").get_attribute("href") == "https://example.org/gemma"


def test_the_card_can_be_reached_kept_and_dismissed(atlas: Opened) -> None:
    page = atlas()
    detail = page.locator("#detail")
    page.hover(f"{line(page, SMOLLM)} td.rate")
    detail.wait_for()
    page.hover("#detail .big")  # over other places, into the card: it stays
    page.wait_for_timeout(500)
    assert detail.is_visible()
    page.keyboard.press("Escape")
    assert detail.is_hidden()
    page.hover(f"{line(page, SMOLLM)} td.rate")
    detail.wait_for()
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert detail.is_hidden()  # though the pointer is still there
    page.hover("h1")
    page.click(f"{line(page, SMOLLM)} td.rate")
    page.hover(f"{line(page, LLAMA)} td.rate")
    page.wait_for_timeout(500)
    assert page.locator("#detail h3").text_content() == SMOLLM
    page.click("#detail .close")
    page.hover("h1")
    page.wait_for_timeout(400)
    assert detail.is_hidden()
    page.hover(f"{line(page, LLAMA)} td.rate")
    detail.wait_for()
    page.hover("h1")
    detail.wait_for(state="hidden")


def test_stippled_are_exactly_the_rows_of_fewer_than_20(atlas: Opened) -> None:
    page = atlas()
    for row in kinds():
        mark = page.locator(f"{line(page, row.signal.label)} td.rate .interval")
        stippled = "url(" in mark.evaluate("mark => getComputedStyle(mark).fill")
        assert stippled == (row.signal.n < 20), row.signal.label


def test_the_interval_is_drawn_where_it_lies(atlas: Opened) -> None:
    page = atlas()
    for row in kinds():
        rate = row.signal.asr or row.signal.graders[0].reported
        boxes = page.locator(f"{line(page, row.signal.label)} svg").evaluate(
            """svg => { const whole = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('.interval, .point')].map(mark => {
              const box = mark.getBoundingClientRect();
              const place = x => (x - whole.left) / whole.width;
              return [place(box.left), place(box.right), box.width]; }) }"""
        )
        interval = boxes[0]
        assert interval[0] == pytest.approx(rate.ci_low, abs=0.01)
        assert interval[1] == pytest.approx(rate.ci_high, abs=0.01)
        assert len(boxes) == (1 if rate.overall is None else 2)
        if rate.overall is not None:
            assert sum(boxes[1][:2]) / 2 == pytest.approx(rate.overall, abs=0.01)
            assert boxes[1][2] < interval[2]


def test_a_rejected_grader_is_grey_and_said_in_words(atlas: Opened) -> None:
    page = atlas()
    grey = "mark => getComputedStyle(mark).stroke + getComputedStyle(mark).fill"
    for row in kinds():
        place = line(page, row.signal.label)
        colours = re.findall(r"rgb\((\d+), (\d+), (\d+)\)", page.locator(f"{place} .interval").evaluate(grey))
        is_grey = all(max(map(int, c)) - min(map(int, c)) < 24 for c in colours)
        rejected = row_basis(row.signal) == "rejected"
        assert is_grey == rejected, row.signal.label
        assert ("✕" in text(page, f"{place} td.grader")) == rejected
        assert ("rejected" in text(page, f"{place} td.grader")) == rejected
    place = line(page, REJECTED)
    assert text(page, f"{place} td.estimate") == "no rate"
    assert "what a rejected grader would have reported: 75.0 [59.8, 85.8], 30 of 40" in text(page, place)
    assert (
        page.locator(f"{place} .would .interval").evaluate("m => getComputedStyle(m).strokeDasharray")
        != "none"
    )


def test_filters_keep_what_matches(atlas: Opened) -> None:
    page = atlas()
    rows = kinds()

    def named(condition: Callable[[PageRow], object]) -> set[str]:
        return {row.signal.label for row in rows if condition(row)}

    for control, value, wanted in (
        ("confidence", "low", named(lambda r: r.signal.confidence == "low")),
        ("confidence", "insufficient_sample", named(lambda r: r.signal.n < 20)),
        ("status", "rejected", named(lambda r: row_basis(r.signal) == "rejected")),
        ("status", "labels", named(lambda r: row_basis(r.signal) == "labels")),
        ("family", "SmolLM", {SMOLLM}),
        ("origin", "export", named(lambda r: r.signal.origin == "export")),
    ):
        page.select_option(f"#{control}", value)
        assert set(keys(page)) == wanted
        assert text(page, "#shown").startswith(f"{len(wanted)} of {len(rows)} models")
        page.click("#clear")
    page.fill("#q", "GOOGLE/gemma")
    assert keys(page) == [GEMMA]
    page.fill("#q", "nothing like this")
    assert keys(page) == []
    assert "No model matches" in text(page, "tbody")
    page.click("#clear")
    assert len(keys(page)) == len(rows)


def test_a_class_shows_its_rates_and_says_where_there_are_none(atlas: Opened) -> None:
    page = atlas()
    page.select_option("#class", "persona_hijack")
    assert text(page, f"{line(page, SMOLLM)} td.estimate") == "70.0"
    assert text(page, f"{line(page, SMOLLM)} td.ci") == "[48.1, 85.5]"
    assert text(page, f"{line(page, SMOLLM)} td.count") == "14 / 20 low"
    assert text(page, f"{line(page, LLAMA)} td.count") == "2 / 20 low"
    assert keys(page)[:2] == [SMOLLM, LLAMA]
    assert text(page, f"{line(page, GEMMA)} td.rate") == "no class counts: the traces have no class"
    page.select_option("#class", "research_only_pressure")
    assert text(page, f"{line(page, SMOLLM)} td.rate") == "no graded trace of this class"
    assert "url(" in page.locator(f"{line(page, LLAMA)} .interval").evaluate("m => getComputedStyle(m).fill")


def test_each_header_sorts_and_says_so(atlas: Opened) -> None:
    page = atlas()
    rows = [row.signal for row in kinds()]

    def ordered(value: Callable[[Signal], float], sign: int) -> list[str]:
        leans = {s.label: bool(s.n) and row_basis(s) != "rejected" for s in rows}
        return [
            s.label
            for s in sorted(
                rows,
                key=lambda s: (
                    not leans[s.label], sign * value(s) if leans[s.label] else 0, -s.n, s.label,
                ),
            )
        ]  # fmt: skip

    assert page.locator('th[data-sort="low"]').get_attribute("aria-sort") == "descending"
    assert "by the lower bound of the 95% interval, highest first" in text(page, "#shown")
    assert keys(page) == ordered(lambda s: s.asr.ci_low, -1)
    for sort, natural, value in (
        ("rate", "descending", lambda s: s.asr.overall),
        ("low", "descending", lambda s: s.asr.ci_low),
    ):
        page.click(f'th[data-sort="{sort}"] button')
        assert page.locator(f'th[data-sort="{sort}"]').get_attribute("aria-sort") == natural
        assert keys(page) == ordered(value, -1)
        page.click(f'th[data-sort="{sort}"] button')
        assert page.locator(f'th[data-sort="{sort}"]').get_attribute("aria-sort") == "ascending"
        assert keys(page) == ordered(value, 1)
    page.click('th[data-sort="n"] button')
    assert keys(page) == [s.label for s in sorted(rows, key=lambda s: (-s.n, s.label))]
    page.click('th[data-sort="name"] button')
    assert page.locator('th[data-sort="name"]').get_attribute("aria-sort") == "ascending"
    assert keys(page) == sorted(s.label for s in rows)
    assert page.locator("th[aria-sort]:not([aria-sort=none])").count() == 1


def test_the_pages_statistics_are_the_suites(atlas: Opened) -> None:
    page = atlas()
    some = [(k, n) for n in (1, 7, 20, 64, 120) for k in sorted({0, 1, n // 3, n})]
    counts = [(*one, *two) for one in some for two in some]
    there = page.evaluate("counts => counts.map(c => window.atlas.difference(...c))", counts)
    for given, found in zip(counts, there, strict=True):
        assert found == pytest.approx(independent_difference(*given), abs=1e-12)
    pairs = [(k, n) for n in (1, 2, 19, 20, 64, 143) for k in range(n + 1)]
    bounds = page.evaluate("pairs => pairs.map(p => window.atlas.wilson(...p))", pairs)
    for pair, found in zip(pairs, bounds, strict=True):
        assert found == pytest.approx((wilson(*pair).low, wilson(*pair).high), abs=1e-12)
    shares = [round(k / n, 6) for n in range(1, 161) for k in range(n + 1)]  # some lie halfway: 1 of 16
    words = page.evaluate("shares => shares.map(window.atlas.percent)", shares)
    assert words == [percent(share) for share in shares]


def compare(page: "Page", a: str, b: str, intent: str = "") -> str:
    page.eval_on_selector("#compare", "details => { details.open = true; }")
    page.select_option("#a", a)
    page.select_option("#b", b)
    page.select_option("#compare-class", intent)
    return text(page, "#compared")


@pytest.mark.parametrize("intent", ["", "persona_hijack", "format_lock", "constraint_erosion"])
def test_a_comparison_has_pythons_figures(atlas: Opened, intent: str) -> None:
    page = atlas()
    rows = {row.signal.label: row.signal for row in kinds()}
    said = compare(page, SMOLLM, LLAMA, intent)
    one, two = (
        getattr(rows[name].by_intent, intent) if intent else rows[name].asr for name in (SMOLLM, LLAMA)
    )
    difference = independent_difference(one.k, one.n, two.k, two.n)
    points = [f"{'−' if x < 0 else '+'}{100 * abs(x):.1f}" for x in difference]
    assert f"{points[0]} points [{points[1]}, {points[2]}]" in said
    assert f"{shown(one)} {one.k} of {one.n}" in said
    assert f"{shown(two)} {two.k} of {two.n}" in said
    decides = difference[1] > 0
    assert ("excludes 0: the counts show that the rate of " + SMOLLM in said) == decides
    assert ("contains 0: these counts do not decide" in said) != decides
    assert "other prompts" in said


def test_few_traces_are_not_compared_firmly_and_doubts_stand_below(atlas: Opened) -> None:
    page = atlas()
    said = compare(page, SMOLLM, "falcon/falcon@3-1b")
    assert "Fewer than 20 graded traces are behind falcon/falcon@3-1b: no firm comparison" in said
    assert "the counts decide" not in said
    said = compare(page, GEMMA, "smollm/smollm@2-1.7b")
    for doubt in (
        "the graders differ: claude-haiku-4.5, gemma3:12b for the first, claude-haiku-4.5, gemini-cli",
        f"verdicts of several graders are mixed for {GEMMA}; which verdict is whose is not published",
        "who graded smollm/smollm@2-1.7b is not known",
        "not every grader was measured for gemma",
        "which rows the denominator leaves out is not known",
        "every verdict is taken as true",
    ):
        assert doubt in said
    assert "the counts show that the rate of smollm/smollm@2-1.7b is higher" in said


@pytest.mark.parametrize(
    ("a", "b", "intent", "why"),
    [
        (GEMMA, SMOLLM, "", "the denominators differ: as exported, unknown and adversarial"),
        ("phi/phi@4-mini", "granite/granite@3.3-2b", "", "the tiers differ: strict and broad"),
        (GEMMA, "qwen/qwen@2.5-7b", "", "the figure of qwen/qwen@2.5-7b comes from a rejected grader"),
        (SMOLLM, REJECTED, "", f"the figure of {REJECTED} comes from a rejected grader"),
        (SMOLLM, "yi/yi@1.5-6b", "", "yi/yi@1.5-6b has no graded trace"),
        (SMOLLM, SMOLLM, "", "the same row was chosen twice"),
        (SMOLLM, "phi/phi@4-mini", "format_lock", "no class counts: the traces have no class"),
        (SMOLLM, LLAMA, "research_only_pressure", "has no rate: no graded trace of this class"),
    ],
)
def test_what_cannot_be_compared_is_not(atlas: Opened, a: str, b: str, intent: str, why: str) -> None:
    said = compare(atlas(), a, b, intent)
    assert "No comparison can be made, because:" in said
    assert why in said
    assert "points" not in said


def test_a_link_brings_everything_back(atlas: Opened) -> None:
    page = atlas(fragment=f"#model={GEMMA}&confidence=high&sort=n&order=reverse&a={SMOLLM}&b={LLAMA}")
    assert set(keys(page)) == {row.signal.label for row in kinds() if row.signal.confidence == "high"}
    assert page.locator('th[data-sort="n"]').get_attribute("aria-sort") == "ascending"
    assert page.locator("#confidence").input_value() == "high"
    assert page.locator("#detail h3").text_content() == GEMMA
    assert "+20.8 points [+8.7, +32.1]" in text(page, "#compared")
    until(page, "document.getElementById('a').value !== ''")
    assert page.locator("#a").input_value() == SMOLLM
    page.select_option("#origin", "export")
    page.fill("#q", "a b&c=d#é")
    until(page, "location.hash.includes('origin=export') && location.hash.includes('q=a%20b')")
    address = page.evaluate("location.hash")
    assert f"model={GEMMA}" in address
    page = atlas(fragment=address)
    assert page.locator("#q").input_value() == "a b&c=d#é"
    assert page.locator("#origin").input_value() == "export"
    assert page.locator("#detail h3").text_content() == GEMMA
    page.evaluate("location.hash = '#sort=name'")  # typed into the address
    until(page, "document.getElementById('q').value === ''")
    assert keys(page) == sorted(row.signal.label for row in kinds())
    assert page.locator("#detail").is_hidden()


@pytest.mark.parametrize("fragment", ["#sort=constructor&class=x&model=%E0%A4%A", "#models", "#=&&=1&a"])
def test_a_broken_link_opens_the_whole_page(atlas: Opened, fragment: str) -> None:
    assert len(keys(atlas(fragment=fragment))) == len(kinds())


def test_hostile_names_are_text(atlas: Opened) -> None:
    page = atlas(hostile())
    names = page.eval_on_selector_all("tbody button.name", "buttons => buttons.map(b => b.textContent)")
    cut = {name if len(name) <= 120 else name[:119] + "…" for name in HOSTILE}
    assert set(names) == cut
    assert page.locator("tbody button.name bdi[dir=auto]").count() == len(HOSTILE)
    for name in HOSTILE:
        page = atlas(fragment=f"#model={quote(name)}")
        limit = name if len(name) <= 300 else name[:299] + "…"
        assert page.locator("#detail h3").text_content() == limit
        compare(page, HOSTILE[0], name)
        assert "evil" not in page.evaluate("document.title")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 0
    page.set_viewport_size({"width": 375, "height": 812})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def nested(cells: dict[str, str]) -> dict[str, object]:
    """Put the dotted columns of the CSV together to a record."""
    record: dict[str, object] = {}
    for column, cell in cells.items():
        if column in ("model", "status") or column.startswith(("facts.", "trust.")):
            continue
        *path, last = column.split(".")
        place = record
        for name in path:
            place = place.setdefault(name, {})
        lists = ("aliases", "inferred_aliases", "graders", "no_verdict")
        place[last] = None if cell == "" else json.loads(cell) if last in lists else cell
    for name in ("asr", "would_have_reported", "refusal_stability", "multi_turn"):
        record[name] = record[name] if any(record[name].values()) else None
    classes = {c: rate if any(rate.values()) else None for c, rate in record["by_intent"].items()}
    record["by_intent"] = classes if any(classes.values()) else None
    for rate in (record["asr"], record["would_have_reported"], *classes.values()):
        if rate:
            rate.setdefault("overall", None)
    return record


def test_downloads_hold_the_same_records(atlas: Opened) -> None:
    rows = kinds() + hostile()
    page = atlas(rows)
    page.fill("#q", "gemma")  # a filter of the view takes nothing out of the data
    got = {}
    for name in ("csv", "jsonl"):
        with page.expect_download() as download:
            page.click(f"#{name}")
        assert download.value.suggested_filename == f"atlas_test_2026-11-22.{name}"
        got[name] = download.value.path().read_bytes().decode("utf-8")
    lines = got["jsonl"].split("\n")
    assert lines.pop() == ""
    assert [Signal.model_validate_json(record) for record in lines] == [row.signal for row in rows]
    table = list(csv.DictReader(io.StringIO(got["csv"], newline="")))
    assert [Signal.model_validate(nested(cells)) for cells in table] == [row.signal for row in rows]
    assert [cells["status"] for cells in table] == [row_basis(row.signal) for row in rows]
    assert [cells["trust.reason"] for cells in table] == [row.trust.reason for row in rows]
    assert table[0]["facts.licence"] == "Gemma terms"


def tab_to(page: "Page", selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the keyboard does not reach {selector}")


def test_everything_works_from_the_keyboard(atlas: Opened) -> None:
    page = atlas()
    focused = "document.activeElement"
    tab_to(page, ".skips a")
    assert page.evaluate(f"{focused}.getBoundingClientRect().left") >= 0  # a skip shows itself
    page.keyboard.press("Enter")
    assert page.evaluate(f"{focused}.id") == "models"
    tab_to(page, "#q")
    page.keyboard.type("-instruct")
    assert set(keys(page)) == {SMOLLM, LLAMA, REJECTED}
    tab_to(page, 'th[data-sort="name"] button')
    page.keyboard.press("Enter")
    assert keys(page) == sorted([SMOLLM, LLAMA, REJECTED])
    tab_to(page, "button.name")
    assert page.locator("#detail h3").text_content() == LLAMA
    outline = page.evaluate(f"getComputedStyle({focused}).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate(f"{focused}.closest('#detail') !== null")
    tab_to(page, "#detail button:not(.close)")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()
    assert page.evaluate(f"{focused}.textContent") == LLAMA
    page.keyboard.press("End")
    assert page.evaluate(f"{focused}.textContent") == SMOLLM
    assert page.locator("#detail h3").text_content() == SMOLLM
    page.keyboard.press("Enter")
    tab_to(page, "#detail button:not(.close)")
    page.keyboard.press("Enter")
    assert "First minus second" in text(page, "#compared")
    assert page.evaluate(f"{focused}.closest('#compare') !== null")
    tab_to(page, "#stop")
    page.keyboard.press("Enter")
    assert text(page, "#compared") == ""
    assert page.evaluate(f"{focused}.id") == "a"


CONTRAST = """names => {
  const channel = c => c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
  const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return { ink: ratio(light(getComputedStyle(document.body).color), ground),
    soft: ratio(light(getComputedStyle(document.querySelector('#shown')).color), ground),
    ...Object.fromEntries(names.map(name => [name, ratio(light(getComputedStyle(
      document.querySelector(`pattern .dot.s-${name}`)).fill), ground)])) } }"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_stand_out_from_their_ground(atlas: Opened, page: "Page", scheme: str) -> None:
    statuses = ["labels", "measured", "unmeasured", "marked", "rejected"]
    page.emulate_media(color_scheme=scheme)
    ratios = atlas().evaluate(CONTRAST, statuses)
    assert min(ratios["ink"], ratios["soft"]) >= 4.5
    assert min(ratios[name] for name in statuses) >= 3
    other = {"light": "dark", "dark": "light"}[scheme]
    dark = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(dark)
    while other not in page.locator("#theme").inner_text():
        page.click("#theme")
    assert page.evaluate(dark) != before
    turned = page.evaluate(CONTRAST, statuses)
    assert min(turned["ink"], turned["soft"]) >= 4.5


def test_on_a_phone_nothing_runs_out_of_the_window(atlas: Opened, page: "Page") -> None:
    page.set_viewport_size({"width": 375, "height": 812})
    width = "document.documentElement.scrollWidth"
    atlas()
    assert page.evaluate(width) <= 375
    for part in ("model", "rate", "estimate", "ci", "count", "grader"):
        assert page.locator(f"{line(page, GEMMA)} .{part}").is_visible(), part
    page.click(f"{line(page, GEMMA)} td.rate")
    assert page.locator("#detail").is_visible()
    assert page.evaluate(width) <= 375
    page.keyboard.press("Escape")
    compare(page, SMOLLM, LLAMA)
    assert page.evaluate(width) <= 375
    page.locator('th[data-sort="n"] button').click()
    assert page.locator('th[data-sort="n"]').get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("size", [(375, 812), (900, 700), (1280, 800)])
def test_the_card_never_hides_the_row_it_is_of(atlas: Opened, page: "Page", size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    atlas(many(60))
    page.locator("tbody button.name").first.focus()
    for _ in range(25):
        page.keyboard.press("ArrowDown")
        apart = page.evaluate(
            """() => { const a = document.activeElement.getBoundingClientRect();
            const b = document.getElementById('detail').getBoundingClientRect();
            return a.bottom <= b.top || a.top >= b.bottom || a.right <= b.left || a.left >= b.right }"""
        )
        assert apart


def test_print_shows_all_rows_and_no_controls(atlas: Opened, page: "Page") -> None:
    rows = many(320)
    atlas(rows, fragment="#sort=name&model=family0/base@117b")
    assert len(keys(page)) < len(rows)
    page.pdf()  # tells the page that it is printed
    assert len(keys(page)) == len(rows)
    page.emulate_media(media="print")
    hidden = page.eval_on_selector_all(
        "tbody tr", "rows => rows.filter(row => row.getBoundingClientRect().height < 5).length"
    )
    assert hidden == 0
    for control in ("#q", "#csv", "#theme", ".compare form"):
        assert page.locator(control).first.is_hidden(), control
    said = text(page, line(page, "family0/base@117b"))
    assert "claude-haiku-4.5 (accuracy never measured)" in said
    assert "gemma3:12b (accuracy 85.0% [76.7, 90.7] on 100 of proxy-150)" in said
    cut = page.evaluate(
        """() => [...document.querySelectorAll('tbody td, tbody th, #detail')].filter(
        cell => cell.scrollWidth > cell.clientWidth + 1
          || cell.scrollHeight > cell.clientHeight + 1).length"""
    )
    assert cut == 0


def test_without_javascript_there_is_a_table(atlas: Opened, page: "Page") -> None:
    page.context.new_cdp_session(page).send("Emulation.setScriptExecutionDisabled", {"value": True})
    atlas()
    assert page.locator("noscript table tbody tr").count() == len(kinds())
    assert page.locator("noscript table").is_visible()
    assert page.locator("h2#not").is_visible()
    assert page.locator("#q").is_hidden()


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(atlas: Opened, page: "Page", scheme: str, width: int) -> None:
    source = axe()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    decided = f"#model={GEMMA}&a={SMOLLM}&b={LLAMA}"
    refused = f"#model={REJECTED}&a={GEMMA}&b={REJECTED}&class=persona_hijack"
    for fragment in ("", decided, refused):
        atlas(fragment=fragment)
        page.evaluate(source)
        found = page.evaluate("axe.run()")
        assert len(found["passes"]) > 20
        bad = [
            (rule["id"], rule["impact"], node["html"][:120])
            for rule in found["violations"]
            for node in rule["nodes"]
            if rule["impact"] in ("serious", "critical")
        ]
        assert bad == []
        print(f"axe {scheme} {width} {fragment}:", [rule["id"] for rule in found["violations"]])


FILTERED = """async words => { const field = document.getElementById('q'); const start = performance.now();
  field.value = words; field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [performance.now(), performance.now() - start]; }"""


def test_a_thousand_models_answer_within_a_second(atlas: Opened, page: "Page") -> None:
    atlas(many(1000))
    seconds = []
    for _ in range(3):
        atlas()
        since_navigation, _ = page.evaluate(FILTERED, "family3/")
        seconds.append(since_navigation / 1000)
        assert len(keys(page)) > 50
        assert all(key.startswith("family3/") for key in keys(page))
    print("1,000 models, seconds from navigation to the first filter applied:", seconds)
    assert statistics.median(seconds) < 1


def test_five_thousand_models_are_usable(atlas: Opened, page: "Page") -> None:
    rows = many(5000)
    atlas(rows)
    milliseconds = [
        page.evaluate(FILTERED, words)[1] for words in ("f", "fa", "family3", "base@4", "4999", "")
    ]
    print("5,000 models, milliseconds from keystroke to frame:", [round(m) for m in milliseconds])
    assert statistics.median(milliseconds) < 300
    assert text(page, "#shown").startswith("5,000 of 5,000 models")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    until(page, "document.querySelectorAll('tbody tr').length > 100")
    page.eval_on_selector("#more button", "button => button.click()")
    assert len(keys(page)) == 5000
