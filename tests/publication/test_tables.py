"""Tables in three formats from one disclosed frame."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.publication.tex import tex

TERMS = ff.notes.Terms(
    graders=ff.notes.Unknown("grader", "none"),
    tiers=("strict",),
    denominators=("graded",),
    counts="columns k & n",
    left_out=(),
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ff.outputs.Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("test", as_of="2026-11-22")


def save(run: ff.outputs.Run, frame: pd.DataFrame, **more: object) -> dict[str, str]:
    ff.save_table(run, ff.notes.stated(frame, TERMS), "t", title="A title.", **more)  # type: ignore[arg-type]
    return {kind: run.read(f"tables/t.{kind}").read_text(encoding="utf-8") for kind in ("csv", "tex", "html")}


def test_a_rate_reads_as_one_cell_with_its_interval_in_percent(run: ff.outputs.Run) -> None:
    frame = with_wilson(pd.DataFrame({"model": ["m"], "k": [13], "n": [20]}), "asr")
    made = save(run, frame)
    assert "65.0\u00a0[43.3,\u00a081.9]" in made["html"]
    assert "65.0 & [43.3, 81.9]" in made["tex"]
    assert r"ASR (\%)" in made["tex"]
    assert "ASR, low" not in made["html"]


def test_the_csv_keeps_the_numbers_and_every_row_names_its_disclosure(run: ff.outputs.Run) -> None:
    frame = with_wilson(pd.DataFrame({"model": ["a", "b"], "k": [13, 1], "n": [20, 3]}), "asr")
    save(run, frame)
    back = pd.read_csv(run.read("tables/t.csv"))
    assert back["asr"].tolist() == pytest.approx([0.65, 1 / 3], abs=1e-6)
    assert back["disclosure"].tolist() == [ff.disclose(run, ff.notes.stated(frame, TERMS)).sentence()] * 2


def test_a_p_value_of_0_or_1_and_a_kappa_of_1_read_like_any_other(run: ff.outputs.Run) -> None:
    made = save(run, pd.DataFrame({"p": [0.0, 1.0, 0.04], "kappa": [1.0, 0.0, -0.25], "n": [20.0, 3.0, 1.0]}))
    rows = [re.findall(r">([^<]*)</td>", row) for row in made["html"].split("<tr>")[2:]]
    assert rows == [["&lt;0.001", "1.000", "20"], ["1.000", "0.000", "3"], ["0.040", "−0.250", "1"]]


def test_a_name_stays_on_one_line_unless_it_is_longer_than_a_table_has_room_for(run: ff.outputs.Run) -> None:
    frame = pd.DataFrame(
        {"grader": ["smollm2-135m", "n-" * 30], "model": ["m-1", "m-2"], "set": ["a-b", "c"]}
    )
    made = save(run, frame)["html"]
    assert ".name{white-space:nowrap}" in made
    found = re.findall(r'<td class="name">([^<]*)</td>', made)
    assert found == ["smollm2-135m", "m-1", "m-2"]


def test_what_latex_and_html_would_misread_is_escaped(run: ff.outputs.Run) -> None:
    made = save(run, pd.DataFrame({"a_b": ["<x> & 5% of $y_1"]}))
    assert r"\textless{}x\textgreater{} \& 5\% of \$y\_1" in made["tex"]
    assert "&lt;x&gt; &amp; 5% of $y_1" in made["html"]
    assert r"columns k \& n" in made["tex"]  # the note too
    assert tex("\\{}~") == r"\textbackslash{}\{\}\textasciitilde{}"


def test_latex_has_booktabs_a_label_and_as_many_cells_in_every_row(run: ff.outputs.Run) -> None:
    frame = with_wilson(pd.DataFrame({"model": ["a", "b"], "k": [13, 0], "n": [20, 0]}), "asr")
    frame.loc[1, ["asr", "asr_low", "asr_high"]] = float("nan")
    text = save(run, frame)["tex"]
    assert r"\label{tab:t}" in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [row.count("&") for row in body] == [4, 4]  # model, k, n, and two for the rate
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1


def test_kappa_reads_as_it_is_and_a_missing_one_as_a_dash(run: ff.outputs.Run) -> None:
    frame = pd.DataFrame(
        {"pair": ["a", "b", "c"], "kappa": [-0.017, None, 0.269]}
        | {"kappa_low": [-0.09, None, None], "kappa_high": [0.05, None, None]}
    )
    made = save(run, frame, show="pair kappa")
    assert "−0.017\u00a0[−0.090,\u00a00.050]" in made["html"]
    assert '<td class="n">0.269</td>' in made["html"]
    assert '<td class="n">–</td>' in made["html"]
    assert "κ, %" not in made["html"]
    assert r"$\kappa$" in made["tex"]
    assert r"$\kappa$ (\%)" not in made["tex"]


def test_numbers_percents_and_truth_values_read_as_people_expect(run: ff.outputs.Run) -> None:
    frame = pd.DataFrame(
        {"n": [20.0], "p": [0.0000018], "chance": [0.25], "x": [1.5], "ok": [True], "none": [None]}
        | {"shift": [-0.0556], "tier": ["functionally_dangerous"]}
    )
    terms = replace(TERMS, tiers=())
    ff.save_table(run, ff.notes.stated(frame, terms), "t", title="A title.")
    html = run.read("tables/t.html").read_text(encoding="utf-8")
    assert ">shift, points<" in html
    assert ">chance, %<" in html
    for cell in (
        ">20<", ">&lt;0.001<", ">25.0<", ">1.500<", ">yes<", ">–<", ">−5.6<", ">functionally dangerous<"
    ):  # fmt: skip
        assert cell in html


def test_a_column_that_is_not_there_is_named(run: ff.outputs.Run) -> None:
    with pytest.raises(FFError, match=r"table t: no column 'c'\. The frame has a, b\."):
        save(run, pd.DataFrame({"a": [1], "b": [2]}), show="c")


def test_the_same_frame_gives_the_same_bytes(run: ff.outputs.Run) -> None:
    frame = pd.DataFrame({"x": [0.1 + 0.2]})
    assert save(run, frame) == save(run, frame * (1 + 1e-12))


def test_the_header_file_says_what_each_column_is_and_who_graded(run: ff.outputs.Run) -> None:
    frame = pd.DataFrame({"model": ["m"], "k": [13], "asr": [0.65], "asr_low": [0.43], "asr_high": [0.82]})
    ff.save_table(run, ff.notes.stated(frame, TERMS), "t", title="A title.", show=["asr"])
    header = json.loads(run.read("tables/t.csv-metadata.json").read_text(encoding="utf-8"))
    assert header["url"] == "t.csv"
    assert header["dc:description"] == ff.disclose(run, ff.notes.stated(frame, TERMS)).sentence()
    assert header["notes"][0]["denominator"] == "graded"
    columns = header["tableSchema"]["columns"]
    assert [c["name"] for c in columns] == list(pd.read_csv(run.read("tables/t.csv")).columns)
    assert [c["datatype"] for c in columns] == ["string", "integer", "number", "number", "number", "string"]
    assert "share in [0, 1]" in columns[3]["dc:description"]
    assert columns[2]["titles"] == "ASR"


def test_a_wide_table_spans_the_page_and_breaks_its_long_columns(run: ff.outputs.Run) -> None:
    ff.save_table(
        run, ff.notes.stated(pd.DataFrame({"a": ["x " * 80], "n": [1]}), TERMS), "t",
        title="A title.", wide=True, wrap={"a": 0.3},
    )  # fmt: skip
    text = run.read("tables/t.tex").read_text(encoding="utf-8")
    assert text.count("{table*}") == 2
    assert r"p{0.3\linewidth}r}" in text
