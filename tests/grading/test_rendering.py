"""A trace as text: nothing of it acts, nothing of it is unseen."""

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.grading.rendering import rendered, visible


class Tags(HTMLParser):
    """The tags and attributes of a piece of HTML, and its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def parsed(markup):
    parser = Tags()
    parser.feed(markup)
    parser.close()
    return parser


def conversation(*contents):
    roles = ["user", "assistant"] * len(contents)
    messages = tuple(Message(role=r, content=c) for r, c in zip(roles, contents, strict=False))
    return Trace(trace_id="t", model="m", source="s", messages=messages)


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_text_of_a_trace_makes_a_tag_or_an_attribute(contents):
    found = parsed(rendered(conversation(*contents)))
    assert found.tags <= {"div", "b", "i", "small", "mark"}
    assert found.attributes <= {"style", "dir"}


@given(st.text())
def test_every_character_is_there_as_itself_or_as_its_code_point(text):
    read = re.sub(r"⟨U\+([0-9A-F]{4,6})⟩", lambda m: chr(int(m[1], 16)), parsed(visible(text)).text)
    plain = re.sub(r"⟨U\+([0-9A-F]{4,6})⟩", lambda m: chr(int(m[1], 16)), text)
    assert read == plain.replace("\r\n", "\n")


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co"], exclude_characters="\n\t"), min_size=1))
def test_control_format_surrogate_and_private_characters_are_never_sent_as_such(text):
    shown = html.unescape(visible(text).replace("\n", ""))
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") for c in shown)
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("evil\u202elive", "⟨U+202E⟩"),
        ("a\u200bb", "⟨U+200B⟩"),
        ("a\ufeff\u2066b", "⟨U+FEFF⟩⟨U+2066⟩"),
        ("\x1b[2J", "⟨U+001B⟩"),
        ("bell\rhidden", "⟨U+000D⟩"),
        ("tag \U000e0041", "⟨U+E0041⟩"),
        ("vs \U000e0100", "⟨U+E0100⟩"),
        ("filler \u3164", "⟨U+3164⟩"),
        ("lone \ud800", "⟨U+D800⟩"),
    ],
)
def test_what_cannot_be_seen_is_marked(text, marks):
    assert f">{marks}</mark>" in visible(text)


@pytest.mark.parametrize("text", ["line\nline\tcolumn", "Ünïcödé 漢字 العربية 👍🏽 ❤️", "", "one\r\ntwo"])
def test_ordinary_text_is_left_alone(text):
    assert visible(text) == text.replace("\r\n", "\n")


def test_a_huge_run_is_one_mark_and_a_megabyte_is_all_there():
    assert visible("\u200b" * 1000).count("<mark") == 1
    many = visible("a\u200b" * 5000)
    assert (many.count("<mark"), many.count("⟨U+200B⟩")) == (200, 5000)
    assert visible("a" * 1_000_000).count("a") == 1_000_000


def test_the_response_is_told_from_what_came_before_it():
    shown = rendered(conversation("one", "two", "three", "four"))
    before, response = shown.split("response to grade")
    assert "before it: 3 messages" in before
    assert all(word in before for word in ("one", "two", "three"))
    assert "four" in response
    alone = Trace(trace_id="t", model="m", source="s", messages=(Message(role="assistant", content="x"),))
    assert "before it" not in rendered(alone)


def test_an_empty_response_is_said_to_be_empty():
    assert "<i>empty</i>" in rendered(conversation("asked", "  ")).split("response to grade")[1]
    assert "<i>empty</i>" in rendered(conversation("asked")).split("response to grade")[1]
    assert "<i>empty</i>" in rendered(Trace(trace_id="t", model="m", source="s", messages=()))
