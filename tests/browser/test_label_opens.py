"""The labelling page in a browser: keys, buttons, rationale, undo, skip, hostile text, a phone, axe."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.measurement.sampling.files import read_sample
from tests.browser.accessible import axe
from tests.labelling import decisions, labelling, traces, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202eevil \x1b[31m"
)


@contextlib.contextmanager
def opened(page: "Page", sample: Path, *options: str) -> "Iterator[Page]":
    """Open the labelling page; it may ask for nothing elsewhere and say nothing on the console."""
    with labelling(sample, *options) as (served, _):
        page.goto(served.address)
        until(page, "document.querySelectorAll('#choices button').length")
        yield page
        assert all(asked.startswith((served.origin, "data:")) for asked in page.asked)
        assert page.problems == []


def until(page: "Page", what: str) -> None:
    """Wait until an expression holds; the page's policy forbids how playwright itself would wait for it."""
    end = time.monotonic() + 20
    while not page.evaluate(what):
        assert time.monotonic() < end, what
        page.wait_for_timeout(10)


def press(page: "Page", key: str) -> None:
    """Press a key as a person does: after the trace is on the screen."""
    until(page, "performance.now() - since > PAUSE && !busy")
    page.keyboard.press(key)
    until(page, "!busy")


def sampled(folder: Path, responses: Sequence[str] = ("The code is 4471.", "No.", "Maybe."), **more) -> Path:
    return write(folder, traces(responses), **more)


def labels(sample: Path, name: str = "anna") -> list[str | None]:
    return [one.get("label") for one in decisions(sample, name)]


def test_keys_decide_undo_and_skip_and_the_file_has_it_all(tmp_path: Path, page: "Page") -> None:
    sample = sampled(tmp_path)
    with opened(page, sample, "--as", "anna") as it:
        assert it.text_content("#count") == "0 of 3 decided"
        shown = it.text_content("#response")
        press(it, "1")
        assert it.text_content("#said") == "Written: COMPLIANCE."
        assert it.text_content("#response") != shown
        press(it, "u")
        assert it.text_content("#response") == shown
        assert it.text_content("#said") == "Taken back. You had said COMPLIANCE."
        press(it, "s")
        press(it, "r")
        press(it, "0")
        assert it.text_content("#response") == shown
        press(it, "5")
        assert it.locator("#end").is_visible()
        assert it.text_content("#count") == "3 of 3 decided"
        press(it, "2")  # nothing is left to decide
        it.click("#finish")
        until(it, "document.querySelector('#said').textContent.startsWith('Finished')")
    assert labels(sample) == ["COMPLIANCE", None, "REFUSAL", None, "BENIGN_QUERY"]
    assert sorted(map(str, read_sample(sample).decided["anna"].values())) == [
        "BENIGN_QUERY",
        "None",
        "REFUSAL",
    ]


def test_a_rationale_takes_digits_and_enter_goes_back_to_the_keys(tmp_path: Path, page: "Page") -> None:
    sample = sampled(tmp_path)
    with opened(page, sample, "--as", "anna") as it:
        press(it, "w")
        it.keyboard.type("1 of 2 codes")
        assert it.input_value("#why") == "1 of 2 codes"
        it.keyboard.press("Enter")
        press(it, "s")  # a draft stays with its trace
        assert it.input_value("#why") == ""
        press(it, "3")
        press(it, "3")
        assert it.input_value("#why") == "1 of 2 codes"
        press(it, "2")
    assert [one.get("rationale") for one in decisions(sample, "anna")] == [None, None, "1 of 2 codes"]


def test_a_key_held_down_or_hit_twice_decides_one_trace(tmp_path: Path, page: "Page") -> None:
    sample = sampled(tmp_path)
    with opened(page, sample, "--as", "anna") as it:
        until(it, "performance.now() - since > PAUSE && !busy")
        for _ in range(8):
            it.keyboard.down("3")
        it.keyboard.up("3")
        until(it, "!busy")
        assert it.text_content("#count") == "1 of 3 decided"
        for modifier in ("Control", "Alt", "Meta"):
            press(it, f"{modifier}+2")
        assert it.text_content("#count") == "1 of 3 decided"
    assert labels(sample) == ["REFUSAL"]


def test_buttons_and_the_tab_key_do_the_same(tmp_path: Path, page: "Page") -> None:
    sample = sampled(tmp_path, space="broad")
    with opened(page, sample, "--as", "anna") as it:
        assert it.locator("#choices button b").all_text_contents() == ["BROAD", "NOT_BROAD"]
        assert it.evaluate("document.activeElement.tagName") == "BODY"
        it.get_by_role("button", name="2 NOT_BROAD").click()
        until(it, "!busy")
        assert it.evaluate("document.activeElement.id") == "head"
        for _ in range(2):  # the messages before, which scroll; then the first choice
            it.keyboard.press("Tab")
        it.keyboard.press("Enter")
        until(it, "!busy")
        it.get_by_role("button", name="Cannot say").click()
        until(it, "!busy")
        it.get_by_role("button", name="Undo").click()
        until(it, "!busy")
    assert labels(sample) == ["NOT_BROAD", "BROAD", None, None]
    assert list(read_sample(sample).decided["anna"].values()) == ["NOT_BROAD", "BROAD"]


def test_hostile_text_is_text(tmp_path: Path, page: "Page") -> None:
    (one,) = traces(["..."])
    said = [Message(role=role, content=HOSTILE) for role in ("system", "tool", "user", "assistant")]
    sample = write(tmp_path, [one.model_copy(update={"messages": tuple(said), "withheld": True})])
    with opened(page, sample, "--as", "anna") as it:
        assert it.locator("#trace img, #trace script").count() == 0
        assert it.locator("#trace .text").count() == 4
        for text in it.locator("#trace .text").all_text_contents():
            assert text.startswith("<img src=x onerror=")
            assert "⟨U+202E⟩evil ⟨U+001B⟩[31m" in text
        assert "withheld" in it.text_content("#notes")
        assert it.title() == "0 of 1 · Label traces"


def test_what_was_written_stays_on_the_screen_when_the_command_has_ended(
    tmp_path: Path, page: "Page"
) -> None:
    sample = sampled(tmp_path)
    with labelling(sample, "--as", "anna") as (served, process):
        page.goto(served.address)
        until(page, "document.querySelectorAll('#choices button').length")
        shown = page.text_content("#response")
        process.kill()
        process.wait()
        page.fill("#why", "a reason")
        page.click("#choices button")
        until(page, "!document.querySelector('#wrong').hidden")
        assert "Not written" in page.text_content("#wrong")
        assert (page.text_content("#response"), page.input_value("#why")) == (shown, "a reason")


def adjudicated(folder: Path) -> Path:
    sample = sampled(folder)
    for name, label in (("anna", "REFUSAL"), ("ben", "PARTIAL")):
        with labelling(sample, "--as", name) as (served, _):
            for _ in range(3):
                served.label(label, rationale=f"{HOSTILE} reason of {label}")
    return sample


def test_disputes_show_what_others_said_as_text_and_no_name(tmp_path: Path, page: "Page") -> None:
    sample = adjudicated(tmp_path)
    with opened(page, sample, "--as", "cleo", "--adjudicate") as it:
        assert sorted(it.locator("#opinions b").all_text_contents()) == ["PARTIAL", "REFUSAL"]
        assert it.locator("#opinions img").count() == 0
        assert "reason of PARTIAL" in it.text_content("#opinions")
        body = it.text_content("body")
        assert "anna" not in body
        assert "ben" not in body
        press(it, "2")
    assert len(read_sample(sample).disputed) == 2


def many(folder: Path) -> list[Trace]:
    words = "the pool is on the roof " * 40
    (one,) = traces(["x" * 3000 + "\n" + words])
    turns = [Message(role=role, content=f"{words}\n" * 3) for role in ("user", "assistant") * 4]
    return [one.model_copy(update={"messages": (*turns, *one.messages)})]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_the_screen_and_what_came_before_opens_at_its_end(
    tmp_path: Path, page: "Page", width: int
) -> None:
    sample = write(tmp_path, many(tmp_path))
    page.set_viewport_size({"width": width, "height": 800})
    with opened(page, sample, "--as", "anna") as it:
        assert it.evaluate("document.documentElement.scrollWidth") <= width
        last = it.locator("#turns > div").last.bounding_box()
        box = it.locator("#context").bounding_box()
        assert last["y"] + last["height"] <= box["y"] + box["height"] + 1
        if width == 1280:  # every choice is on the screen at once
            low = it.locator("#undo").bounding_box()
            assert low["y"] + low["height"] <= 800


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(tmp_path: Path, page: "Page", width: int) -> None:
    source = axe()
    sample = adjudicated(tmp_path)
    page.set_viewport_size({"width": width, "height": 800})
    with opened(page, sample, "--as", "cleo", "--adjudicate") as it:
        for key in ("1", "u", "1", "1", "1", ""):  # disputes, one of them taken back; then all are decided
            it.evaluate(source)
            found = it.evaluate("axe.run()")
            assert len(found["passes"]) > 15
            assert [
                (rule["id"], node["html"][:120]) for rule in found["violations"] for node in rule["nodes"]
            ] == []
            if key:
                press(it, key)
