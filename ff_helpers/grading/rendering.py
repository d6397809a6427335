"""A trace as HTML, or as runs of text, in which every character, invisible ones included, is text.

A trace may be made to attack its reader: markup, scripts, direction overrides that show
`evil` where `live` is written, zero-width characters that hide a payload, a megabyte of padding.
"""

import html
import unicodedata
from functools import cache
from itertools import groupby, islice
from typing import Final

from ff_helpers.corpus.traces import Message, Trace

_COLORS = {"system": "#999999", "user": "#0072B2", "assistant": "#E69F00", "tool": "#009E73"}
_BOX = "padding: .2em .8em; margin: .4em 0; line-height: 1.45"
_CONTEXT = (  # a reversed column with one child: it scrolls, and opens at its end
    "display: flex; flex-direction: column-reverse; max-height: 24em; overflow: auto; "
    "border: 1px solid var(--jp-border-color2, #ccc); padding: .2em .4em"
)
_RESPONSE = "max-height: 24em; overflow: auto; background: var(--jp-layout-color2, #eee)"
_TEXT = "white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate"
_MARK = "background: #F0E442; color: #000; font: .85em monospace"
_MARKED = 200  # how many runs of a text are highlighted; all are spelled out
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters by category, but invisible


def rendered(trace: Trace) -> str:
    """Return the conversation as HTML: earlier turns in one box, opened at its end; then the response."""
    answered = bool(trace.messages) and trace.messages[-1].role == "assistant"
    context = trace.messages[:-1] if answered else trace.messages
    response = _turn(Message(role="assistant", content=trace.response), "response to grade", _RESPONSE)
    if not context:
        return response
    turns = "".join(_turn(message, message.role) for message in context)
    count = f"before it: {len(context)} message{'s' if len(context) > 1 else ''}"
    return f'<small>{count}</small><div style="{_CONTEXT}"><div>{turns}</div></div>{response}'


def _turn(message: Message, label: str, more: str = "") -> str:
    style = f"border-left: 4px solid {_COLORS[message.role]}; {_BOX}; {more}"
    text = visible(message.content) if message.content.strip() else "<i>empty</i>"
    return f'<div style="{style}"><b>{label}</b><div dir="auto" style="{_TEXT}">{text}</div></div>'


def visible(text: str) -> str:
    """Return text as HTML: escaped, with invisible characters as marked code points, `⟨U+202E⟩`.

    These are control and format characters (direction overrides, zero-width characters, tags), lone
    surrogates, private code points, fillers and variation selectors; line feeds and tabs stay.
    """
    return "".join(
        f'<mark style="{_MARK}">{run}</mark>' if marked else html.escape(run) for run, marked in runs(text)
    )


def runs(text: str) -> list[tuple[str, bool]]:
    """Return text as runs of characters that can be shown as they are, not escaped.

    Returns:
        Pairs: the run, and whether to mark it because it spells out invisible characters as `visible` says.
        Only the first 200 are marked, since a browser lays out one element for each.
    """
    text = text.replace("\r\n", "\n")
    spelled = text.translate(_CODES)
    if len(spelled) == len(text):
        return [(text, False)] if text else []
    parts = [("".join(run), hidden) for hidden, run in islice(groupby(text, key=_hidden), 2 * _MARKED)]
    rest = text[sum(len(run) for run, _ in parts) :].translate(_CODES)
    return [(run.translate(_CODES), hidden) for run, hidden in parts] + [(rest, False)] * bool(rest)


class _Codes(dict[int, str]):
    """Code point -> what is shown of it, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        self[code] = f"⟨U+{code:04X}⟩" if _hidden(chr(code)) else chr(code)
        return self[code]


@cache
def _hidden(character: str) -> bool:
    """Return whether a character is invisible."""
    code = ord(character)
    if 0xFE00 <= code < 0xFE0E or 0xE0100 <= code < 0xE01F0 or character in _FILLERS:
        return True
    unseen = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return unseen and character not in "\n\t"


_CODES: Final = _Codes()
