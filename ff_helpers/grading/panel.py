"""The panel for grading by hand: the trace as escaped text, five buttons, undo, progress."""

import html
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ff_helpers import paths
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.graders.manual import Review
from ff_helpers.taxonomy import GLOSSARY, VERDICTS

if TYPE_CHECKING:
    from IPython.display import HTML
    from ipywidgets import VBox

_BOX = "white-space: pre-wrap; border-left: 4px solid {color}; padding: .3em .8em; margin: .4em 0"
_COLORS = {"system": "#999999", "user": "#0072B2", "assistant": "#E69F00"}


def grade_by_hand(
    run: paths.Run, trace_sets: Mapping[str, str], *, reviewer: str, interactive: bool | None = None
) -> "VBox | HTML":
    """Return the panel for blind grading of the run's review queue.

    Args:
        run: holds the queue that 03_agreement wrote; decisions go to `ledger/manual.jsonl`.
        trace_sets: the trace sets of the profile's 01_grade.
        reviewer: your name or initials.
        interactive: True: buttons; False: a preview of the first trace, without text where the trace is
            withheld; None: buttons where a Jupyter server runs the notebook.

    Raises:
        FFError: as `Review`.
    """
    review = Review(run, trace_sets, reviewer)
    if interactive is None:
        interactive = "JPY_SESSION_NAME" in os.environ and "FF_STAGING" not in os.environ
    return _panel(review) if interactive else preview(review)


def preview(review: Review) -> "HTML":
    """Return the first undecided trace and the state of the review, safe to be stored in a notebook."""
    from IPython.display import HTML

    markup = f"<p>{len(review.decided)} of {review.total} traces graded by hand."
    if review.trace is not None:
        withheld = "<p><i>text withheld: shown in the panel only</i></p>"
        markup += f" Next: {html.escape(review.trace.trace_id)}</p>"
        markup += withheld if review.trace.withheld else rendered(review.trace)
    return HTML(markup)  # type: ignore[no-untyped-call]


def rendered(trace: Trace) -> str:
    """Return the conversation as HTML in which every character of the trace is text."""
    last = len(trace.messages) - 1
    turns = []
    for number, message in enumerate(trace.messages):
        role = "response to grade" if number == last and message.role == "assistant" else message.role
        style = _BOX.format(color=_COLORS[message.role])
        turns.append(f'<div style="{style}"><b>{role}</b>\n{html.escape(message.content)}</div>')
    return "".join(turns)


def _panel(review: Review) -> "VBox":
    import ipywidgets as widgets

    progress, conversation = widgets.HTML(), widgets.HTML()
    buttons = [
        widgets.Button(description=label, tooltip=GLOSSARY[label], layout={"width": "auto"})
        for label in VERDICTS
    ]
    undo = widgets.Button(description="Back", icon="undo", layout={"width": "auto"})

    def show() -> None:
        done = len(review.decided)
        progress.value = f"{done} of {review.total} graded"
        conversation.value = rendered(review.trace) if review.trace else "<p>All graded. Thank you.</p>"
        undo.disabled = review.place == 0
        for button in buttons:
            button.disabled = review.trace is None

    def decide(button: widgets.Button) -> None:
        review.decide(button.description)
        show()

    def back(_: widgets.Button) -> None:
        review.back()
        show()

    for button in buttons:
        button.on_click(decide)
    undo.on_click(back)
    show()
    return widgets.VBox([progress, conversation, widgets.HBox([*buttons, undo])])
