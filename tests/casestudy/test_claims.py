"""Every claim is checked against the run's files; its status follows from the check alone."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

import ff_helpers as ff
from ff_helpers.casestudy.claims import check_claims
from ff_helpers.errors import FFError
from ff_helpers.paths import MissingInputError, Run
from ff_helpers.publication.checks import Sign
from ff_helpers.publication.claims import read_claims
from ff_helpers.publication.findings import sign
from tests.kinds_of_file import MARKER
from tests.written import write_tables

SHIPPED = Path(__file__).resolve().parents[2] / "params" / "claims.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FF_OUTPUTS", str(tmp_path_factory.mktemp("claims")))
        patch.delenv("FF_STAGING", raising=False)
        run = ff.start("paper", as_of="2026-11-22")
        write_tables(run)
        yield run


@pytest.fixture
def content() -> dict:
    return yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))


def saved(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_every_status_is_the_one_that_an_honest_recomputation_gives(run: Run, content):
    table = check_claims(run).set_index("id")
    assert len(table) == 40
    assert table["finding"].to_dict() == {claim["id"]: claim["expect"] for claim in content["claims"]}


def test_a_share_that_is_off_by_its_rounding_leaves_the_count_standing(run: Run):
    table = check_claims(run).set_index("id")
    row = table.loc["corpus-rows-without-text"]
    assert (row["published"], row["recomputed"]) == ("87%", "86% (37396 of 43261)")
    assert row["off_by"] == "−0.6"
    assert "the count and its meaning hold" in row["reason"]
    assert table["recomputed"]["corpus-usable-text"] == "10.3% (5569 of 53831)"
    assert (
        "most of these rows store no response: see corpus-rows-without-text"
        in table["reason"]["corpus-tiers"]
    )


def test_no_check_reads_what_is_expected(run: Run, content, tmp_path):
    before = check_claims(run)
    for claim in content["claims"]:
        for word in ("expect", "counts", "note"):
            claim.pop(word, None)
    pd.testing.assert_frame_equal(before, check_claims(run, path=saved(tmp_path, content)))


def test_recomputed_figures_come_from_the_files(run: Run, content, tmp_path):
    claim = next(c for c in content["claims"] if c["id"] == "crescendo-strict-new")
    claim["value"] = "66.0% [43.3%, 81.9%]"
    content["claims"] = [claim]
    row = check_claims(run, path=saved(tmp_path, content)).iloc[0]
    assert row["finding"] == "contradicted"
    assert row["recomputed"] == "65.0% [43.3%, 81.9%] (13 of 20)"
    assert row["off_by"].startswith("−1.00, ")


def test_written_as_json_with_every_field_filled(run: Run):
    table = check_claims(run)
    rows = json.loads(run.read("claims.json").read_text(encoding="utf-8"))["claims"]
    held = table.rename(columns={"off_by": "difference", "finding": "status"})  # the fields of the file
    assert rows == held.to_dict("records")
    assert all(value for row in rows for value in row.values())
    assert all(
        run.read(name).exists() for row in rows for name in re.findall(r"tables/\w+\.csv", row["file"])
    )


def test_reasons_show_the_work(run: Run):
    table = check_claims(run).set_index("id")
    assert "p = 0.41" in table["recomputed"]["qwen3-worse-than-random"]
    assert "n from 125 to 154" in table["recomputed"]["interval-decisive"]
    assert "10 of 16" in table["reason"]["interval-indecisive"]
    assert "of 20 rows no whole number gives 58%" in table["reason"]["qwen3-partial-share"]
    assert (
        "of rows: +30.0; of graded: +21.3; of adversarial: +22.2"
        in table["recomputed"]["crescendo-strict-shift"]
    )
    assert table["recomputed"]["heuristic-kappa-dual"] == "0.269"
    assert table["recomputed"]["label-count"] == "5 / 5"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("expect", "surely", "field expect"),
        ("check", {"kind": "guess"}, "field check"),
        ("check", {"kind": "figures", "cells": []}, "cells"),
        ("check", {"kind": "order", "cells": [{"table": "t", "columns": ["c"]}]}, "order.cells"),
        (
            "check",
            {
                "kind": "sign",
                "sign": "±",
                "cells": [{"label": "x", "cell": {"table": "t", "columns": ["c"]}}],
            },
            "sign.sign",
        ),
        (
            "check",
            {
                "kind": "sign",
                "sign": "+",
                "cells": [
                    {"label": "x", "cell": {"table": "t", "columns": ["c"]}, "interval": ["paired_low"]}
                ],
            },
            "interval",
        ),
        ("colour", "red", "field colour"),
        ("source", "nowhere", "'nowhere' is not listed"),
        ("id", "crescendo-v1", "another claim has this id"),
    ],
)
def test_a_malformed_claim_is_named(content, tmp_path, field, value, named):
    claim = next(c for c in content["claims"] if c["id"] == "crescendo-v2")
    claim[field] = value
    path = saved(tmp_path, content)
    with pytest.raises(FFError) as error:
        read_claims(path)
    assert str(path) in str(error.value)
    assert named in str(error.value)
    assert f"claim {claim['id']}" in str(error.value)


def test_a_missing_field_no_yaml_and_no_file(content, tmp_path):
    del content["claims"][3]["value"]
    with pytest.raises(FFError, match="claim crescendo-strict-old, field value: Field required"):
        read_claims(saved(tmp_path, content))
    broken = tmp_path / "broken.yaml"
    broken.write_text("claims:\n  - {id: x\n  - y\n")
    with pytest.raises(FFError, match="not YAML: line 4, column 1"):
        read_claims(broken)
    with pytest.raises(FFError, match="no such file"):
        read_claims(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ({"table": "crescendo_runs", "where": {"run": "v9"}, "columns": ["strict"]}, "0 rows with run = v9"),
        ({"table": "crescendo_runs", "columns": ["strict"]}, "3 rows with no condition"),
        ({"table": "crescendo_runs", "where": {"run": "v1"}, "columns": ["loose"]}, "no column 'loose'"),
        ({"table": "crescendo_runs", "where": {"run": "v1"}, "columns": ["run"]}, "no number there"),
        (
            {"table": "crescendo_runs", "where": {"run": "v1"}, "columns": ["strict"]},
            "2 numbers, the cells give 1",
        ),
    ],
)
def test_a_check_that_does_not_fit_the_files(run: Run, content, tmp_path, cell, problem):
    claim = next(c for c in content["claims"] if c["id"] == "crescendo-v1")
    claim["check"]["cells"] = [cell]
    with pytest.raises(FFError, match="check of claim crescendo-v1") as error:
        check_claims(run, path=saved(tmp_path, content))
    assert problem in str(error.value)


HOLDS_TEXT = {
    "an id": lambda claim: claim.update(id=MARKER, expect="surely"),
    "an unknown field": lambda claim: claim.update({MARKER: 1}),
    "a source": lambda claim: claim.update(source=MARKER),
    "a kind": lambda claim: claim["check"].update(kind=MARKER),
    "a column": lambda claim: claim["check"]["cells"][0].update(columns=[MARKER]),
    "the wanted cell": lambda claim: claim["check"]["cells"][0].update(where={"run": MARKER}),
    "the id of a check that does not fit": lambda claim: (
        claim.update(id=MARKER),
        claim["check"]["cells"][0].update(columns=["loose"]),
    ),
    "the figure": lambda claim: claim.update(value=f"{MARKER} 1 2 3 4 5"),
}


@pytest.mark.parametrize("what", HOLDS_TEXT)
def test_no_error_quotes_a_text(run: Run, content, tmp_path, what):
    claim = next(c for c in content["claims"] if c["id"] == "crescendo-v1")
    HOLDS_TEXT[what](claim)
    with pytest.raises(FFError) as error:
        check_claims(run, path=saved(tmp_path, content))
    assert "claim" in str(error.value)
    assert "MARKED" not in str(error.value)


def test_no_error_quotes_a_cell(monkeypatch, content, tmp_path):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    run = ff.start("paper", as_of="2026-11-22")
    run.write("tables/crescendo_runs.csv").write_text(f'run,strict\nv1,"{MARKER}"\n', encoding="utf-8")
    content["claims"] = [next(c for c in content["claims"] if c["id"] == "crescendo-v1")]
    content["claims"][0]["check"]["cells"] = [
        {"table": "crescendo_runs", "where": {"run": "v1"}, "columns": ["strict"]}
    ]
    with pytest.raises(FFError, match="has no number there: strict") as error:
        check_claims(run, path=saved(tmp_path, content))
    assert "MARKED" not in str(error.value)


def test_a_table_that_no_step_wrote(monkeypatch, tmp_path):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    with pytest.raises(MissingInputError, match="An earlier step writes it"):
        check_claims(ff.start("paper", as_of="2026-11-22"))


def test_the_paper_profile_writes_the_same_claims(paper: Path, content):
    rows = json.loads((paper / "paper" / "claims.json").read_text(encoding="utf-8"))["claims"]
    assert {r["id"]: r["status"] for r in rows} == {c["id"]: c["expect"] for c in content["claims"]}


def changed(content, name: str, **check: object):
    claim = next(c for c in content["claims"] if c["id"] == name)
    claim["check"] |= check
    content["claims"] = [claim]
    return content


def test_an_order_that_does_not_hold_is_contradicted_and_one_that_the_rows_leave_open_is_said(
    run: Run, content, tmp_path
):
    cells = next(c for c in content["claims"] if c["id"] == "grader-order")["check"]["cells"]
    backwards = changed(content, "grader-order", cells=cells[::-1])
    row = check_claims(run, path=saved(tmp_path, backwards)).iloc[0]
    assert row["finding"] == "contradicted"
    assert row["recomputed"] == "15.0% (3 of 20) < 70.0% (14 of 20)"
    tie = check_claims(run, path=saved(tmp_path, changed(content, "grader-order", cells=[cells[0]] * 2)))
    assert tie.iloc[0]["finding"] == "contradicted"
    assert " = " in tie.iloc[0]["recomputed"]
    runs = [
        {"table": "crescendo_runs", "where": {"run": r}, "columns": ["broad"], "counts": ["broad_k", "rows"]}
        for r in ("v2", "v1")
    ]
    row = check_claims(run, path=saved(tmp_path, changed(content, "grader-order", cells=runs))).iloc[0]
    assert row["finding"] == "reproduced"
    # Newcombe's interval of 10/10 against 7/10.
    assert "the rows do not decide it: the 95% interval of the difference, [−3.8, +60.3]" in row["reason"]


def test_an_order_says_how_many_of_its_steps_the_rows_decide(run: Run, content, tmp_path):
    table = check_claims(run).set_index("id")
    assert "interval of each difference excludes zero" in table["reason"]["bracket-order"]
    assert (
        "do not decide it: the 95% interval of the difference, [−13.4, +32.8]"
        in (table["reason"]["ambiguous-first"])
    )
    graders = ["gemma3:27b", "gemma3:12b", "nemotron-3-nano:30b"]
    cells = [
        {
            "table": "published_calibration",
            "where": {"grader": grader, "set": "ambiguous-20"},
            "columns": ["accuracy"],
            "counts": ["k", "n"],
        }
        for grader in graders
    ]
    row = check_claims(run, path=saved(tmp_path, changed(content, "grader-order", cells=cells))).iloc[0]
    assert "do not decide 1 of 2 steps" in row["reason"]


def test_a_sign_is_reproduced_contradicted_or_depends_on_the_denominator(run: Run, content, tmp_path):
    table = check_claims(run).set_index("id")
    assert table["finding"]["crescendo-strict-rose"] == "reproduced"
    assert table["finding"]["crescendo-broad-fell"] == "not_determinable"
    assert "of rows: +15.0" in table["recomputed"]["crescendo-broad-fell"]
    assert "no paired 95% interval excludes zero" in table["reason"]["crescendo-strict-rose"]
    minus = check_claims(run, path=saved(tmp_path, changed(content, "crescendo-strict-rose", sign="-")))
    assert minus.iloc[0]["finding"] == "contradicted"


def test_each_claim_names_the_step_that_wrote_its_file(run: Run):
    table = check_claims(run).set_index("id")
    assert table["step"]["qwen3-accuracy"] == "02_calibrate"
    assert table["step"]["crescendo-strict-new"] == "04_regrade_crescendo"
    assert "not in the profile" not in set(table["step"])


def test_a_sign_names_the_denominators_whose_interval_leaves_out_zero():
    cell = {"table": "t", "columns": ["shift"]}
    shifts = [
        {"label": label, "cell": cell, "interval": ["low", "high"]} for label in ("of rows", "of graded")
    ]
    bounds = iter([[0.1, 0.3], [-0.1, 0.3]])
    check = Sign.model_validate({"kind": "sign", "sign": "+", "cells": shifts})
    found = sign(check, lambda _, columns: [0.2] if columns == ["shift"] else next(bounds))
    assert found.status == "reproduced"
    assert found.reason.endswith("the paired 95% interval excludes zero of rows")


def test_the_claims_that_print_no_counts():
    table = ff.case.claims_possible().set_index("published")
    assert table["counts"].to_dict() == {"39.1%": 502, "3.8%": 506, "62% [54, 70]": 22, "62% [38, 81]": 0}
    assert table.loc["62% [54, 70]", ["smallest_n", "largest_n"]].tolist() == [125, 154]
    assert "10 of 16" in table["otherwise"]["62% [38, 81]"]
    assert table["otherwise"].drop("62% [38, 81]").eq("not needed").all()
