"""The panel for grading by hand: the trace as text, five verdicts by button or key, rationale, undo.

A reviewer sees the conversation and the definitions, and nothing else: no verdict of a grader or of
another person, no known truth, no name of the model or of the set, no trace id. (A response may still
name its own model.) Text of a withheld trace is in the panel only: if JupyterLab is set to save widget
state it would store that text in the notebook, so then it is not shown at all.
"""

import html
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.grading.choices import choices
from ff_helpers.grading.graders.manual import Review
from ff_helpers.grading.rendering import rendered

if TYPE_CHECKING:
    from IPython.display import HTML

_CHOICES = choices("five")
_KEYS: dict[str, str] = {key: one.label for one in _CHOICES for key in (one.key, one.letter)}
_KEYS |= {"u": "undo", "s": "skip"}
_NOT_SHOWN = (
    "<p><b>Not shown.</b> The text of this trace is withheld, and JupyterLab stores in the notebook what "
    "widgets show. Switch off <i>Settings &gt; Save Widget State Automatically</i>, then skip this trace.</p>"
)
_WITHHELD = "<p><i>The text of this trace is withheld: {where}. Do not quote it in the rationale.</i></p>"
_ELSEWHERE = (
    "<p><i>The text of this trace is not shipped. After `make parts`, name its set in trace_sets "
    "(pyrit:refusal, pyrit:objective), or skip it.</i></p>"
)
_DONE = "<p><b>All decided. Thank you.</b> Undo still goes back.</p>"


def grade_by_hand(
    run: paths.Run, trace_sets: Mapping[str, str], *, reviewer: str, interactive: bool | None = None
) -> "Panel | HTML":
    """Return the panel for blind grading of the run's review queue.

    Args:
        run: holds the queue that 03_agreement wrote; decisions go to `ledger/manual.jsonl`.
        trace_sets: the trace sets of the profile's 01_grade.
        reviewer: your name or initials.
        interactive: True: the panel; False: a preview of the first trace, without text if the trace is
            withheld; None: the panel if a Jupyter server runs the notebook.

    Raises:
        FFError: as `Review`.
    """
    review = Review(run, trace_sets, reviewer)
    if interactive is None:
        interactive = "JPY_SESSION_NAME" in os.environ and "FF_STAGING" not in os.environ
    return Panel(review) if interactive else preview(review)


def preview(review: Review) -> "HTML":
    """Return the state of the review, its current trace and the definitions, safe to store."""
    from IPython.display import HTML

    shown = ""
    if review.trace is not None:
        hidden = _WITHHELD.format(where="it is shown in the panel only")
        shown = hidden if review.trace.withheld else rendered(review.trace)
    rows = "".join(f"<li><b>{one.label}</b>: {html.escape(one.meaning)}</li>" for one in _CHOICES)
    return HTML(f"{_state(review)}{shown}<ol>{rows}</ol>")  # type: ignore[no-untyped-call]


class Panel:
    """The widgets around one review.

    Keys arrive through a text field, since ipywidgets has no key events. A key counts only if it is
    alone in the field: after the result of the previous key is on the screen. So no key pressed before a
    trace was visible can decide it.

    Attributes:
        review: the review that the widgets show.
        buttons: by action: the five verdicts, `undo`, `skip`.
        rationale, keys: the two text fields.
        progress, conversation, message: what is shown.
    """

    def __init__(self, review: Review) -> None:
        import ipywidgets as widgets

        self.review = review
        self.progress, self.conversation, self.message = (widgets.HTML() for _ in range(3))
        self.buttons = {
            name: widgets.Button(description=text, tooltip=tip, layout={"width": width})
            for name, text, tip, width in [
                *((one.label, f"{one.key} · {one.label}", one.meaning, "18em") for one in _CHOICES),
                ("undo", "u · Undo", None, "8em"),
                ("skip", "s · Skip", None, "8em"),
            ]
        }
        wide = {"width": "44em", "max_width": "98%"}
        why = "optional: why, in your own words; Enter goes to the keys"
        self.rationale = widgets.Text(
            description="Rationale", placeholder=why, continuous_update=False, layout=wide
        )
        how = "click here; then 1 to 5 or c p r h b decides, u undoes, s skips"
        self.keys = widgets.Text(description="Keys", placeholder=how, layout=wide)
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: self.act(name))
        self.rationale.on_msg(self._entered)
        self.keys.observe(self._pressed, "value")
        verdicts = [
            widgets.HBox([self.buttons[one.label], widgets.HTML(html.escape(one.meaning))])
            for one in _CHOICES
        ]
        rest = widgets.HBox([self.buttons["undo"], self.buttons["skip"]])
        self.box = widgets.VBox(
            [self.progress, self.conversation, self.rationale, *verdicts, rest, self.keys, self.message]
        )
        self._show("")

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        """Return the view without the fallback text of ipywidgets, which quotes the conversation."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        fallback = "The panel for grading by hand: run this cell to see it."
        return {"application/vnd.jupyter.widget-view+json": view, "text/plain": fallback}

    def act(self, name: str) -> None:
        """Do what the button `name` does; the panel shows what could not be written."""
        review = self.review
        try:
            if name == "undo":
                review.undo()
                said = ""
            elif name == "skip":
                review.skip()
                said = "Skipped: it comes back after the others."
            else:
                changed = review.former
                review.decide(name, self.rationale.value)
                said = f"Written: {name}{', in place of ' + str(changed.verdict) if changed else ''}."
        except FFError as error:
            self.message.value = f"<b>Not written.</b> {html.escape(str(error))}"
            return
        self._show(said)

    def _show(self, said: str) -> None:
        review, former = self.review, self.review.former
        self.progress.value = _state(review)
        self.conversation.value = _conversation(review)
        self.rationale.value = (former.rationale or "") if former else ""
        if former:
            said = f"You decided <b>{former.verdict}</b>. That is valid until you decide otherwise. {said}"
        self.message.value = said
        for name, button in self.buttons.items():
            button.disabled = not review.can_undo if name == "undo" else review.trace is None

    def _pressed(self, change: Mapping[str, str]) -> None:
        typed = change["new"].strip().lower()
        if change["new"]:
            self.keys.value = ""
        name = _KEYS.get(typed)
        if name is not None and not self.buttons[name].disabled:
            self.act(name)

    def _entered(self, _: object, content: Mapping[str, str], __: object) -> None:
        if content.get("event") == "submit":
            self.keys.focus()


def saves_widget_state() -> bool:
    """Return whether JupyterLab is set to store widget state in notebooks (off by default)."""
    from jupyter_core.paths import jupyter_config_dir

    folder = os.environ.get("JUPYTERLAB_SETTINGS_DIR") or f"{jupyter_config_dir()}/lab/user-settings"
    file = Path(folder, "@jupyter-widgets", "jupyterlab-manager", "plugin.jupyterlab-settings")
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r'^[^/\n]*"saveState"\s*:\s*true', text, re.MULTILINE) is not None


def _conversation(review: Review) -> str:
    if review.trace is None:
        return _DONE
    if not review.trace.messages:
        return _ELSEWHERE
    if not review.trace.withheld:
        return rendered(review.trace)
    if saves_widget_state():
        return _NOT_SHOWN
    return _WITHHELD.format(where="it is shown here and stored nowhere") + rendered(review.trace)


def _state(review: Review) -> str:
    """Return the progress of the review, and notes about the queue."""
    done, total = len(review.decided), review.total
    pace = f"; this session {review.session}, {review.rate:.1f} per minute" if review.rate else ""
    known = sum(trace.truth is not None for trace in review.traces)
    note = f" The truth of {known} is known already and not shown: those are practice." if known else ""
    bar = f'<progress max="{total}" value="{done}" style="width: 12em; vertical-align: middle"></progress>'
    name = html.escape(review.reviewer)
    said = f"{bar} <b>{done} of {total}</b> decided by {name}{pace}.{note}"
    return f'<div style="line-height: 1.45">{said}</div>'
