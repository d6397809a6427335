"""`ff resolve` as somebody types it who wants to know which model a name means, and why."""

import io
import json
import subprocess
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.cli import main
from ff_helpers.cli.resolving import WIDTH, _explained
from ff_helpers.corpus.canonical import ASKED, Reason, explain
from tests.conftest import FF, ROOT

KEYS = ["name", "canonical_id", "unresolved_reason", "inferred", "provenance"]


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["resolve", *words]) == 0
    return capsys.readouterr().out


def test_each_step_is_said_with_its_reason(capsys):
    assert asked(capsys, "openrouter/mistralai/devstral-2512:free").splitlines() == [
        "openrouter/mistralai/devstral-2512:free",
        "  set aside  openrouter/  the router that served it",
        "  set aside  :free  OpenRouter price tier",
        "  publisher  mistralai/  publishes mistral itself",
        "  read as    family mistral, base devstral, snapshot 2512",
        "  added      params 2-2512-123b  one size (huggingface.co/mistralai/Devstral-2-123B-Instruct-2512)",
        "  added      variant instruct  released as Instruct only",
        "  id         mistral/devstral@2-2512-123b-instruct",
        "",
    ]


def test_who_changed_or_misspelt_a_model_is_said(capsys):
    changed = asked(capsys, "huihui-ai/Huihui-Qwen3-8B-abliterated")
    assert "publisher  huihui-ai/  changes the weights" in changed
    assert "derivation abliterated, by huihui_ai" in changed
    misspelt = asked(capsys, "liquid/lfm-2.2-6b")
    assert "spelling   liquid/lfm2-2.6b  OpenRouter's slug of LiquidAI/LFM2-2.6B" in misspelt
    assert "added" not in misspelt


@pytest.mark.parametrize(
    ("name", "stops", "reason"),
    [
        ("auto", "at the name: auto: a router that picks", "not_a_model: not the shape"),
        ("openrouter/pony-alpha", "at the family: pony", "unknown_family: no rule"),
        (
            "nobody/llama3.1:8b",
            "at the publisher: nobody: llama is published by meta-llama",
            "unknown_publisher",
        ),
        ("llama3.1:8b-banana", "at the words: banana: no rule", "unknown_part: a part"),
        ("gpt-5.2", "at the size: gpt: its maker publishes no sizes", "no_params: the name"),
        ("llama3.2:latest", "at the version: latest: points to whatever is newest", "moving_alias: points"),
        ("qwen3:4b", "at the variant: qwen: the tag moved to a 2507 release", "ambiguous_variant: base"),
    ],
)
def test_where_a_name_stops_and_why(capsys, name, stops, reason):
    said = asked(capsys, name)
    assert f"  stops      {stops}" in said
    assert f"  no id      {reason}" in said


def test_every_reason_has_its_step():
    assert set(ASKED) == set(get_args(Reason))


def test_several_names_are_counted_and_those_of_one_model_named(capsys):
    said = asked(capsys, "llama3.1:8b", "meta-llama/Llama-3.1-8B-Instruct", "gpt-5.2", "qwen3:8b", "qwen3:8b")
    assert said.endswith(
        "\n4 of 5 resolve\n"
        "  llama/llama@3.1-8b-instruct: counted as one model: llama3.1:8b, meta-llama/Llama-3.1-8B-Instruct\n"
    )
    assert "resolve" not in asked(capsys, "llama3.1:8b")
    assert "one model" not in asked(capsys, "llama3.1:8b", "llama3.1:8b")


def test_json_is_one_line_per_name_with_the_whole_name(capsys):
    long = "a" * 10_000
    lines = asked(capsys, "ollama-cloud/gemma3:27b", long, "\x1b[31m", "--json").splitlines()
    found = [json.loads(line) for line in lines]
    assert [list(one) for one in found] == [KEYS] * 3
    assert found[0] == {
        "name": "ollama-cloud/gemma3:27b",
        "canonical_id": "gemma/gemma@3-27b-it",
        "unresolved_reason": None,
        "inferred": ["variant"],
        "provenance": ["ollama-cloud/"],
    }
    assert [one["name"] for one in found[1:]] == [long, "\x1b[31m"]


def test_a_long_name_is_cut_where_people_read(capsys):
    first = asked(capsys, "a" * 10_000).splitlines()[0]
    assert first == f"{'a' * 77}... (10,000 characters)"
    assert len(first) == WIDTH


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("\U0001f642", "\U0001f642"),
        ("", "''"),
    ],
)
def test_a_hostile_name_is_shown_and_not_obeyed(capsys, name, shown):
    assert asked(capsys, name).splitlines()[0] == shown


@given(st.one_of(st.text(), st.text(alphabet="llama3.1:8b-/@", max_size=250)))
def test_what_is_printed_fits_and_holds_nothing_that_a_terminal_obeys(name):
    for line in _explained(name, explain(name)):
        assert line.isprintable()
        assert len(line) <= WIDTH


def test_names_come_from_standard_input_too(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("qwen3:8b\r\n\n  \nqwen3:14b"))
    lines = asked(capsys, "qwen3:32b", "-", "--json").splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["qwen3:32b", "qwen3:8b", "qwen3:14b"]


def test_no_name_on_standard_input_is_one_sentence_and_exit_code_2(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(["resolve", "-"]) == 2
    err = capsys.readouterr().err
    assert "no name on standard input" in err
    assert err.count("\n") == 1


def test_bytes_that_are_no_text_and_a_terminal_without_unicode_break_nothing():
    done = subprocess.run(
        [*FF, "resolve", "-"],
        input=b"\xef\xbb\xbfqwen3:8b\n\xff\xfe\n\xf0\x9f\x99\x82\n",
        env={"PYTHONIOENCODING": "ascii"},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    lines = done.stdout.decode("ascii").splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "qwen3:8b",
        "\\udcff\\udcfe",
        "\\U0001f642",
        "1 of 3 resolve",
    ]
