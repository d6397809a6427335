"""The correction of any ledger: one source in three forms, foreign words as words, clear errors."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

import ff_helpers as ff
from ff_helpers.corpus.jsonl import FileMissingError, write_records
from ff_helpers.errors import FFError
from ff_helpers.grading.outcome import GraderSetup, Outcome, Supersedes, to_record
from ff_helpers.paths import MissingInputError
from ff_helpers.publication.narrative.as_tex import fragment
from ff_helpers.publication.narrative.markdown import escaped, paragraphs
from ff_helpers.publication.narrative.saved import body
from ff_helpers.terms import Identity
from tests.conftest import ROOT
from tools.generate.corrected import EXAMPLE, corrected_records

PROXIES = "data/calibration/proxies.jsonl"
HOSTILE = (
    "[click](https://evil.example) <script>alert(1)</script> ```x``` **b** _i_ | a | $x^2$ "
    "\\input{/etc/passwd} & % # ~ {y} ![p](x.png) www.evil.example a@evil.example "
    "\u202egnp.exe \u05d0\u05d1 \U0001f600"
)


def missing_tex():
    """Why the fragment cannot be compiled here; empty if it can."""
    if shutil.which("pdflatex") is None:
        return "no pdflatex: `make paper-pdf` says what to install"
    found = subprocess.run(["kpsewhich", "acmart.cls"], capture_output=True, text=True, check=False)
    return "" if found.stdout.strip() else "no acmart: install texlive-publishers"


tex = pytest.mark.skipif(bool(missing_tex()), reason=missing_tex() or "compiles")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("mine", as_of="2026-11-22")


def told(run, result, **words):
    texts = {"title": "Mine", "what_was_wrong": "It was wrong.", "how_it_was_found": "By looking."} | words
    return ff.write_correction(run, result, name="mine", **texts)


def form(run, suffix):
    return run.read(f"narrative/mine.{suffix}").read_text(encoding="utf-8")


def record(trace, grader, label, **more):
    method = "manual" if grader.startswith("manual:") else "flip-final-turn"
    who = Identity(grader, f"sha256:{grader}", rubric="r", method=method)
    return to_record(GraderSetup(who, None, 1, "test"), trace, Outcome(verdict=label), 0).model_copy(
        update=more
    )


@pytest.fixture
def ledger(make_trace, tmp_path):
    """Three traces of one grader; one corrected with hostile words, one with a rationale of a person."""
    traces = [make_trace(f"answer {i}", trace_id=f"t{i}") for i in range(3)]
    first = [record(t, "g", "PARTIAL") for t in traces]
    why = Supersedes(key=first[0].key, author="<b>Eve</b> | [x](y)", reason=HOSTILE)
    own = Supersedes(key=first[1].key, author="ann", reason="it says the secret word aloud")
    fixed = [
        record(traces[0], "manual:eve", "COMPLIANCE", supersedes=why),
        record(traces[1], "manual:ann", "REFUSAL", supersedes=own, rationale=own.reason),
    ]
    path = tmp_path / "mine.jsonl"
    write_records(path, [*first, *fixed])
    return path


class Tags(HTMLParser):
    """What a page holds, apart from its own style and frame."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_the_example_ships_as_it_is_made_and_is_told_with_its_numbers(run):
    made = "".join(r.model_dump_json(exclude_none=True) + "\n" for r in corrected_records())
    assert (ROOT / EXAMPLE).read_text(encoding="utf-8") == made
    result = ff.notes.own_regrade(run, EXAMPLE, traces=PROXIES)
    text = " ".join(told(run, result).text.split())
    assert f"Of {result.rows} traces {result.changed} have a different label now" in text
    strict = ff.outputs.pick(result.rates, labels="corrected", tier="strict", denominator="graded")
    assert ff.say("to {rate:counts}", rate=strict).text in text
    for said in (
        f"Records that supersede an earlier one: {len(result.changes)}, on traces: 47, by example author",
        "Traces corrected more than once: 1; contested: 0",
        "records: 12. the response declines",
        "The 60 traces are 12 independent scenarios",
        "Whether the new labels are right",
        "accuracy: never measured",
    ):
        assert said in text
    for old, new, rows in result.transitions.itertuples(index=False):
        assert f"| {old} | {new} | {rows} |" in text


def test_all_forms_carry_the_disclosure(run, ledger):
    result = ff.notes.own_regrade(run, str(ledger))
    told(run, result)
    for suffix in ("md", "tex", "html"):
        assert "As of 2026-11-22." in form(run, suffix)
        assert "never measured in this run" in " ".join(form(run, suffix).split())


def test_words_of_others_are_words_in_every_form(run, ledger):
    result = ff.notes.own_regrade(run, str(ledger))
    wrong = f"{HOSTILE}\n\n# no heading\n\n- no list\n\n1. none\n\n```"
    told(run, result, title=HOSTILE, what_was_wrong=wrong, how_it_was_found="<img src=x onerror=alert(1)>")
    page = form(run, "html")
    tags = Tags(page).found
    assert not [t for t, _ in tags if t in ("script", "img", "iframe", "pre")]
    links = [a["href"] for t, a in tags if t == "a"]
    assert all(re.fullmatch(r"\.\./index\.html|#figures|mine\.(md|tex)", link) for link in links)
    assert [t for t, _ in tags].count("h1") == 1
    assert "no heading</h" not in page
    assert "\u202e" not in page + form(run, "md") + form(run, "tex")
    assert "<script>" not in form(run, "md").replace(r"\<script\>", "")
    assert r"\input{/etc" not in form(run, "tex")
    assert "alert(1)" in page  # nothing is dropped, only made harmless


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "# h", "- x", "1. x", "1) x", "+ x", "> q", "===", "a_b _c_ d", "[a]: http://x", "    code",
     "\\", "`a", "~~s~~", "a  \nb", "<!-- c -->", "&lt;", "[a][b] [c]", "* * *", "| a | b |", "![a](b)"],
)  # fmt: skip
def test_escaped_text_reads_as_itself(text):
    import html

    flat = " ".join(text.replace("\u202e", " ").split())
    shown = str(body(f"before {escaped(text)}"))
    assert html.unescape(re.sub(r"</?p>", "", shown)) == f"before {flat}"
    assert html.unescape(re.sub(r"</?p>", "", str(body(escaped(text))))) == flat
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    other = Tags(markdown2html_mistune(escaped(text))).found  # as the report of a run shows it
    assert [t for t, _ in other if t != "p"] == []


def test_reasons_in_own_words_are_quoted_only_if_asked(run, ledger):
    result = ff.notes.own_regrade(run, str(ledger))
    assert "secret word" not in told(run, result).text
    assert "a reason in their own words" in told(run, result).text
    assert "it says the secret word aloud" in told(run, result, quote_reasons=True).text


def test_what_is_not_said_or_known_is_said_to_be_so(run, ledger):
    text = told(run, ff.notes.own_regrade(run, str(ledger)), what_was_wrong=" ", how_it_was_found="").text
    assert "What was wrong: not stated by the people who corrected." in text
    assert "Intervals by scenario: not determinable" in text
    assert "Whether the 1 uncorrected traces were checked" in text


def test_two_gradings_are_told_as_such(run):
    result = ff.notes.own_regrade(
        run, "data/recorded/gemma3-270m.jsonl", by="data/recorded/smollm2-135m.jsonl", traces=PROXIES
    )
    text = told(run, result).text
    assert "No record names another: these are two gradings" in text
    assert "gemma3-270m" in text.split("## What changed")[0]


def test_contested_traces_keep_their_label_and_are_counted(run, make_trace, tmp_path):
    trace = make_trace("answer", trace_id="t0")
    first = record(trace, "g", "PARTIAL")
    sides = [
        record(trace, f"manual:{who}", label, supersedes=Supersedes(key=first.key, author=who, reason="r"))
        for who, label in (("ann", "COMPLIANCE"), ("bob", "REFUSAL"))
    ]
    write_records(tmp_path / "two.jsonl", [first, *sides])
    text = told(run, ff.notes.own_regrade(run, str(tmp_path / "two.jsonl"))).text
    assert "contested: 1" in text
    assert "The label of 1 contested traces: current records disagree" in text


def test_bad_ledgers_give_clear_errors(run, ledger, make_trace, tmp_path):
    with pytest.raises(FileMissingError, match=r"nothing\.jsonl"):
        ff.notes.own_regrade(run, "data/nothing.jsonl")
    with pytest.raises(FFError, match="no first record is by 'nobody'"):
        ff.notes.own_regrade(run, str(ledger), old="nobody")
    write_records(tmp_path / "one.jsonl", [record(make_trace("a"), "g", "PARTIAL")])
    with pytest.raises(FFError, match="is superseded"):
        ff.notes.own_regrade(run, str(tmp_path / "one.jsonl"))
    with pytest.raises(MissingInputError, match="ledger/verdicts"):
        ff.notes.own_regrade(run, "ledger/verdicts.jsonl")


def test_the_same_bytes_twice(run, ledger):
    result = ff.notes.own_regrade(run, str(ledger))
    told(run, result)
    before = {suffix: form(run, suffix) for suffix in ("md", "tex", "html")}
    told(run, result)
    assert before == {suffix: form(run, suffix) for suffix in ("md", "tex", "html")}


@tex
def test_the_fragment_compiles_without_a_wide_box_even_with_hostile_words(run, ledger, tmp_path):
    result = ff.notes.own_regrade(run, str(ledger))
    told(run, result, title=HOSTILE, what_was_wrong=HOSTILE + " " + "x" * 200)
    first = form(run, "tex")
    told(run, ff.notes.own_regrade(run, EXAMPLE, traces=PROXIES))
    for number, text in enumerate((first, form(run, "tex"))):
        name = f"doc{number}"
        (tmp_path / f"{name}.tex").write_text(
            "\\documentclass[sigconf,nonacm]{acmart}\n\\begin{document}\\title{T}\\author{A}"
            "\\affiliation{\\institution{I}\\city{C}\\country{C}}\\maketitle\n" + text + "\\end{document}\n",
            encoding="utf-8",
        )
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name],
            cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
        assert not re.findall(r"Overfull \\hbox.*", done.stdout)


def test_paragraphs_of_foreign_text_stay_paragraphs():
    assert str(body(paragraphs("one\n\ntwo\nlines"))) == "<p>one</p>\n<p>two lines</p>"
    assert fragment("# A_b\n").count(r"\section*{A\_b}") == 1
