"""Grading by hand in a real JupyterLab in a real browser: buttons, keys, undo, resume, and what is stored."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.outcome import Record
from tests.browser.lab import CANARY, SAVING, Lab

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = 120_000  # milliseconds: a busy machine is slow, and no finding


class Desk:
    """A reviewer at the notebook."""

    def __init__(self, page: "Page", lab: Lab, address: str, notebook: Path) -> None:
        self.page, self.lab, self.path = page, lab, notebook
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/lab/tree/notebooks/{notebook.name}?reset")
        page.get_by_text("| Idle").wait_for()
        self.menu("Run", "Run All Cells")
        self.see("decided by")
        self.keys = page.get_by_label("Keys")
        self.rationale = page.get_by_label("Rationale")

    def menu(self, name: str, item: str) -> None:
        self.page.locator(".lm-MenuBar-itemLabel", has_text=name).first.click()
        self.page.locator(".lm-Menu-itemLabel", has_text=item).first.click()

    def see(self, text: str) -> None:
        self.page.locator(".widget-html", has_text=text).first.wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def shown(self) -> str:
        return "\n".join(self.page.locator(".widget-html").all_inner_texts())

    def skip_to(self, text: str) -> None:
        """Skip with the key until the panel shows `text`; it comes around within one round."""
        for _ in range(self.lab.total):
            before = self.shown()
            if text in before:
                return
            self.keys.press("s")
            self.until(lambda before=before: self.shown() != before)
        assert text in self.shown()

    def until(self, true: Callable[[], bool], *, again: str = "") -> None:
        """Wait; `again`: a key to press once more each 20 s, as a person does if a busy kernel lost it."""
        end, pressed = time.monotonic() + PATIENCE / 1000, time.monotonic()
        while not true():
            assert time.monotonic() < end
            if again and time.monotonic() - pressed > 20:
                self.keys.press(again)
                pressed = time.monotonic()
            self.page.wait_for_timeout(50)

    def decisions(self, count: int) -> list[Record]:
        """Return the ledger once it has so many records."""
        self.until(lambda: self.lab.manual.exists() and len(list(read_ledger(self.lab.manual))) >= count)
        records = list(read_ledger(self.lab.manual))
        assert len(records) == count
        return records

    def save(self) -> dict[str, object]:
        """Save the notebook as a user does and return what is in the file."""
        before = self.path.stat().st_mtime_ns
        self.menu("File", "Save Notebook")
        self.until(lambda: self.path.stat().st_mtime_ns > before)
        self.page.wait_for_timeout(500)
        return json.loads(self.path.read_text(encoding="utf-8"))


def leaks(lab: Lab) -> list[str]:
    """The files that hold text of the withheld trace, its own file left out."""
    files = [path for path in lab.folder.rglob("*") if path.is_file() and path.name != "withheld.jsonl"]
    found = [path for path in files if CANARY.encode() in path.read_bytes()]
    return [str(path.relative_to(lab.folder)) for path in found]


def test_a_person_grades_by_hand_in_jupyterlab(page: "Page", lab: Lab) -> None:
    opened: list[str] = []
    page.on("dialog", lambda dialog: (opened.append(dialog.type), dialog.accept()))
    one, two = lab.notebook("one", "R. One"), lab.notebook("two", "R. Two")
    with lab.serve() as address:
        desk = Desk(page, lab, address, one)
        desk.see(f"0 of {lab.total}")
        decides_by_button_and_key(desk)
        undoes_and_says_why(desk)
        stores_no_withheld_text(desk)
        shows_none_where_lab_would_store_it(desk)
        resumes_after_a_restart(desk)
        a_second_reviewer_sees_nothing_of_the_first(Desk(page, lab, address, two))
    assert set(opened) <= {"beforeunload"}  # leaving an unsaved notebook asks; no trace opened one
    assert leaks(lab) == []


def decides_by_button_and_key(desk: Desk) -> None:
    desk.press("3 · REFUSAL")
    assert [r.verdict for r in desk.decisions(1)] == ["REFUSAL"]
    desk.keys.press("1")
    assert [r.verdict for r in desk.decisions(2)] == ["REFUSAL", "COMPLIANCE"]
    desk.see(f"2 of {desk.lab.total}")
    assert desk.keys.input_value() == ""


def undoes_and_says_why(desk: Desk) -> None:
    desk.keys.press("u")
    desk.see("You decided COMPLIANCE")
    assert len(desk.decisions(2)) == 2
    desk.rationale.fill("It only sounds like an answer")
    desk.rationale.press("Enter")
    desk.until(lambda: desk.keys.evaluate("field => field === document.activeElement"))
    desk.page.keyboard.press("h")
    _, first, second = desk.decisions(3)
    assert (second.verdict, second.rationale) == ("HALLUCINATION_REFUSAL", "It only sounds like an answer")
    assert second.trace_id == first.trace_id
    assert second.supersedes is not None
    assert second.supersedes.key == first.key
    desk.see(f"2 of {desk.lab.total}")
    desk.until(lambda: desk.rationale.input_value() == "")


def stores_no_withheld_text(desk: Desk) -> None:
    desk.skip_to(CANARY)
    assert f"<img src=x onerror=alert(1)> ⟨U+202E⟩{CANARY}⟨U+202C⟩" in desk.shown()
    assert desk.page.locator(".widget-html img").count() == 0
    stored = desk.save()
    assert "widgets" not in stored["metadata"]
    assert leaks(desk.lab) == []


def shows_none_where_lab_would_store_it(desk: Desk) -> None:
    desk.keys.press("s")
    desk.until(lambda: CANARY not in desk.shown())
    desk.menu("Settings", "Save Widget State Automatically")
    setting = desk.lab.settings / f"{SAVING}.jupyterlab-settings"
    desk.until(lambda: setting.exists() and '"saveState": true' in setting.read_text(encoding="utf-8"))
    desk.skip_to("Not shown.")
    stored = desk.save()
    assert "Not shown." in json.dumps(stored["metadata"]["widgets"])
    assert leaks(desk.lab) == []
    desk.menu("Settings", "Save Widget State Automatically")
    desk.until(lambda: '"saveState": true' not in setting.read_text(encoding="utf-8"))


def resumes_after_a_restart(desk: Desk) -> None:
    desk.menu("Kernel", "Restart Kernel and Run All Cells")
    desk.page.locator(".jp-Dialog .jp-mod-accept").click()
    desk.page.locator(".widget-html", has_text="this session").first.wait_for(state="detached")
    desk.see(f"2 of {desk.lab.total}")
    before = {r.trace_id for r in desk.decisions(3)}
    desk.keys.press("2")
    *_, last = desk.decisions(4)
    assert last.trace_id not in before
    desk.see(f"3 of {desk.lab.total}")
    desk.page.get_by_text("| Idle").wait_for()
    told = json.dumps(desk.save()["cells"], ensure_ascii=False)  # of what was decided before the restart
    assert "now have a person's verdict" in told
    assert "`ledger/manual.jsonl`, first labels by `manual:R. One`" in told
    assert "records that supersede an earlier one: 1, on traces: 1, by R. One" in told
    assert "COMPLIANCE → HALLUCINATION_REFUSAL: 1" in told


def a_second_reviewer_sees_nothing_of_the_first(desk: Desk) -> None:
    desk.see(f"0 of {desk.lab.total}")
    for _ in range(desk.lab.total):
        shown = desk.shown()
        assert "R. One" not in shown
        assert "You decided" not in shown
        desk.keys.press("s")
        desk.until(lambda shown=shown: desk.shown() != shown, again="s")
    desk.press("5 · BENIGN_QUERY")
    *_, last = desk.decisions(5)
    assert (last.grader, last.supersedes) == ("manual:R. Two", None)
