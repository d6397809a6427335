"""Numbers of the documents: every section that has one says where it comes from, and that is there.

`<!-- numbers: SOURCE, SOURCE -->` stands under a heading, or under the title for the whole page. A source is
a file, a command (`python -m benchmarks NAME`, `make NAME`), or a test, which then names the page; `chosen`
are thresholds and examples, `public files` are named on the page and not kept here. What an executed block
prints needs no source.
"""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ff_helpers.measurement.proportions.intervals import wilson_bounds
from tests.conftest import ROOT
from tests.documents.blocks import DOCUMENTS
from tests.documents.test_links import prose

FIGURE = re.compile(r"\d ?%|\d (?:s|ms|MB|GB|GiB|minutes|hours|points|tokens)\b|\[[−+-]?\.?\d[\d.]*, ")
NO_FIGURE = re.compile(
    r"<!-- .*? -->|95%(?= interval|\]| prediction)|naive 95%|74% right can be worthless|\[0, 1\]"
)
"""Comments, the level of an interval, a title, and the range of a proportion."""
SOURCE = re.compile(r"^ *<!-- numbers: (.+?) -->$", re.MULTILINE)
CLAIMS = re.compile(r"<!-- claims:begin -->.*<!-- claims:end -->", re.DOTALL)  # compared by test_artifact
PRINTED = re.compile(r"^ *```text\n(.*?)```", re.MULTILINE | re.DOTALL)


def sections(path: Path) -> list[tuple[str, str]]:
    """The title and the prose of each section; the first is what stands before any heading but the title."""
    parts = re.split(r"^(?=##+ )", CLAIMS.sub("", prose(path)), flags=re.MULTILINE)
    return [(part.split("\n", 1)[0], part) for part in parts]


def is_there(source: str, page: str) -> bool:
    """Whether a source exists; a test must name the page."""
    words = source.split()
    if source in ("chosen", "public files"):
        return True
    if words[:2] == ["python", "-m"]:
        module = ".".join(words[2:4]) if words[2] == "benchmarks" and len(words) > 3 else words[2]
        return (
            find_spec(module) is not None
            or re.search(rf'"{words[-1]}"', everything("benchmarks")) is not None
        )
    if words[0] == "make":
        return re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE) is not None
    path = ROOT / source
    return path.exists() and (not path.name.startswith("test_") or page in path.read_text(encoding="utf-8"))


def everything(folder: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / folder).glob("*.py"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_section_with_numbers_says_where_they_come_from(path: Path) -> None:
    whole = path.read_text(encoding="utf-8")
    printed = " ".join(" ".join(PRINTED.findall(whole)).split())
    found = sections(path)
    everywhere = SOURCE.findall(found[0][1])
    for title, text in found:
        named = SOURCE.findall(text) or everywhere
        for source in (one.strip() for line in named for one in line.split(",")):
            assert is_there(source, path.name), f"{path.name}, {title}: {source}?"
        lines = [
            line for line in (NO_FIGURE.sub("", one) for one in text.splitlines()) if FIGURE.search(line)
        ]
        bare = [
            line for line in lines if not all(one in printed for one in re.findall(r"\d[\d.]*%", line) or "?")
        ]
        assert named or not bare, f"{path.name}, {title}: where does this come from?\n{bare[0]}"


def wilson(k: str, n: str) -> list[float]:
    low, high = wilson_bounds(np.array([float(k)]), np.array([float(n)]))
    return [100 * float(low[0]), 100 * float(high[0])]


def test_a_count_gives_the_percentage_and_the_interval_beside_it() -> None:
    """Wilson's; the other two pages take runs of one scenario, or responses to one attack, together."""
    found = 0
    for path in DOCUMENTS:
        text = " ".join(prose(path).split())
        for k, n, rate, low, high in re.findall(
            r"(\d+) of (\d+) = ([\d.]+)%(?: \[([\d.]+), ([\d.]+)\])?", text
        ):
            where = f"{path.name}: {k} of {n}"
            assert float(rate) == pytest.approx(100 * int(k) / int(n), abs=0.051), where
            if low and path.name not in ("observed.md", "attacks.md"):
                assert [float(low), float(high)] == pytest.approx(wilson(k, n), abs=0.051), where
            found += 1
    assert found > 15


def test_the_examples_of_the_explanations_hold() -> None:
    accuracy, cards = ((ROOT / "docs" / name).read_text("utf-8") for name in ("accuracy.md", "cards.md"))
    low, high = map(round, wilson("15", "20"))
    assert f"15 of 20 right is anything from {low}% to {high}%" in accuracy
    low, high = wilson("86", "105")
    assert "105 traces do not tell 82% from 75%" in cards
    assert low < 75 < high


def test_the_table_of_intervals_is_what_was_kept_of_the_measurement() -> None:
    """docs/intervals.md against benchmarks/corrections.json, which holds means over the true rates."""
    kept = json.loads((ROOT / "benchmarks" / "corrections.json").read_text(encoding="utf-8"))
    names = {
        "**double sampling** (`ff asr --labels`)": "ours: double sampling",
        "drawn `by-verdict`": "ours, by verdict half and half",
        "drawn `best`, the guess right": "ours, best split",
        "`ff asr --soft`": "ours, --soft",
        "drawn `best --soft`, the guess right": "ours, best split, --soft",
        "the same, probabilities of no use": "ours, best split, --soft, of no use",
        "labels alone, Wilson": "labels alone, Wilson",
        "ours before double sampling: PPI++": "ours until then: PPI++",
        "double sampling with Jeffreys priors": "double sampling, Jeffreys priors",
        "double sampling with uniform priors": "Bayesian double sampling, uniform priors",
        "truescore, PPI++": "truescore: PPI++",
        "glide-py, PPI++": "glide: PPI++",
        "ppi-python, PPI++": "ppi-python: PPI++",
        "fewhumans, PPI++": "fewhumans: PPI++",
        "evalproof, PPI": "evalproof: PPI",
        "cigate, Rogan-Gladen": "cigate: Rogan-Gladen",
        "truescore, Rogan-Gladen": "truescore: Rogan-Gladen",
        "ppi-python, PPI++ of the probability": "ppi-python: PPI++ of the probability",
        "glide-py, stratified PPI++ of the probability": "glide: stratified PPI++ of the probability",
        "glide-py, active inference": "glide: active inference",
    }
    page = (ROOT / "docs" / "intervals.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (.+?) \| (\.\d+) \((\.\d+)\) \| (\.\d+) \| ([\d.]+) \| (\d+)% \|$", page, re.MULTILINE
    )
    assert len(rows) == len(names)
    assert f"Measured with {kept['draws']} draws per cell" in page
    for package in ("ppi-python", "truescore", "glide-py", "fewhumans", "evalproof", "cigate"):
        assert f"{package} {kept['versions'][package]}" in page
    for said, coverage, lowest, width, beside, refused in rows:
        (name,) = (
            kept["contenders"][full]
            for short, full in names.items()
            if said.split(" (F")[0].split(" (Z")[0] == short
        )
        mean = {
            key: sum(row[key] for row in name) / len(name)
            for key in ("coverage", "width", "beside", "refused")
        }
        assert float(lowest) == pytest.approx(min(row["lowest"] for row in name), abs=0.002), said
        # Where a package refuses draws, the page weighs cells as `rows_of` does; what is kept is coarser.
        near = 0.0006 if refused == "0" else 0.006
        assert float(coverage) == pytest.approx(mean["coverage"], abs=near), said
        assert float(width) == pytest.approx(mean["width"], abs=0.0006), said
        assert float(beside) == pytest.approx(mean["beside"], abs=0.006), said
        assert float(refused) == pytest.approx(100 * mean["refused"], abs=0.6), said
