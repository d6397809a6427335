"""A step reads only what it declares: refused where the file is opened, whoever opens it."""

import json
import os
from pathlib import Path

import pytest

from ff_helpers.errors import FFError
from ff_helpers.pipeline.reads import Allowed
from tests.conftest import Project

ROW = json.dumps({"trace_id": "t", "grader": "g", "verdict": "REFUSAL"})
EARLIER = {"notebook": "a", "outputs": ["tables/a.jsonl", "tables/other.jsonl"]}
READS = {
    "pathlib": ("(paths.data() / 'two.csv').read_text()", "data/two.csv"),
    "pandas": ("import pandas\npandas.read_csv(paths.data() / 'two.csv')", "data/two.csv"),
    "os.open": ("os.open(paths.data() / 'two.csv', os.O_RDONLY)", "data/two.csv"),
    "to be changed": ("open('data/../data/two.csv', 'r+')", "data/two.csv"),
    "through a link": ("os.symlink(os.path.abspath('data/two.csv'), 'link')\nopen('link')", "data/two.csv"),
    "the path alone": ("run.read('tables/other.jsonl')", "tables/other.jsonl"),
    "DuckDB, in C++": ("count_file(run.folder / 'tables' / 'other.jsonl')", "tables/other.jsonl"),
    "a parameter file": ("open('params/demo.yaml')", "params/demo.yaml"),
    "a part": ("open(paths.parts() / 'weights.gguf')", "parts/weights.gguf"),
}
IMPORTS = (
    "import os\nfrom ff_helpers import paths\nfrom ff_helpers.measurement.rates.count_file import count_file"
)


def indented(source: str) -> str:
    return source.replace("\n", "\n    ")


@pytest.fixture
def two(project: Project) -> Project:
    """Step `a` writes two tables; there are two data files, and a finished file of another run."""
    for name in ("one.csv", "two.csv"):
        (project.folder / "data" / name).write_text("x\n1\n")
    other = project.folder / "outputs" / "other" / "tables"
    other.mkdir(parents=True)
    (other / "a.csv").write_text("x\n1\n")
    project.notebook(
        "a", *(f"run.write('tables/{name}.jsonl').write_text({ROW!r} + '\\n')" for name in ("a", "other"))
    )
    return project


def test_an_undeclared_read_is_refused_and_names_the_line_to_add(two: Project) -> None:
    tried = [
        f"try:\n    {indented(source)}\nexcept Exception as error:\n    said[{kind!r}] = str(error)"
        for kind, (source, _) in READS.items()
    ]
    keep = "import json\nrun.write('said.json').write_text(json.dumps(said))"
    two.notebook("b", f"{IMPORTS}\nsaid = {{}}", *tried, keep)
    two.profile(
        EARLIER, {"notebook": "b", "inputs": ["data/one.csv", "tables/a.jsonl"], "outputs": ["said.json"]}
    )
    done = two.run()
    assert done.returncode == 0, done.stdout
    assert json.loads((two.outputs / "said.json").read_text()) == {
        kind: f"b reads {name}, which it does not declare. Add the line `- {name}` to its `inputs` in "
        "params/demo.yaml."
        for kind, (_, name) in READS.items()
    }


def test_a_step_that_reads_undeclared_has_failed_whatever_it_catches_of_missing_files(two: Project) -> None:
    two.notebook("b", "try:\n    open('data/two.csv')\nexcept OSError:\n    pass")
    two.profile({"notebook": "b", "inputs": ["data/one.csv"]})
    failed = two.run()
    assert failed.returncode == 1
    assert "demo   b  failed" in failed.stdout
    assert "       b reads data/two.csv, which it does not declare. Add the line" in failed.stdout


def test_what_is_declared_and_what_the_step_wrote_itself_can_be_read(two: Project) -> None:
    two.notebook(
        "b",
        IMPORTS,
        "open('data/one.csv').read()",
        "assert len(count_file(run.read('tables/a.jsonl'))) == 1",
        "run.write('tables/b.csv').write_text('b')\nrun.read('tables/b.csv').read_text()",
        "run.ledger('rows').open('a+').write('row')\nrun.read('ledger/rows.jsonl').read_text()",
        "import tempfile\ntempfile.TemporaryFile('w+').read()",
    )
    reads, writes = ["data/one.csv", "tables/a.jsonl"], ["tables/b.csv", "ledger/rows.jsonl"]
    two.profile(EARLIER, {"notebook": "b", "inputs": reads, "outputs": writes})
    done = two.run()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "(run.folder / 'tables' / 'a.jsonl').read_text()",
            "b reads tables/a.jsonl, which it does not declare",
        ),
        (
            "open(run.folder.parent / 'other' / 'tables' / 'a.csv')",
            "other/tables/a.csv, which it does not declare. It belongs to another run: copy it into data/",
        ),
    ],
)
def test_what_an_earlier_or_another_run_left_is_no_input(two: Project, source: str, said: str) -> None:
    left = two.outputs / "tables" / "a.jsonl"
    left.parent.mkdir(parents=True)
    left.write_text(ROW)
    two.notebook("b", source)
    two.profile({"notebook": "b", "outputs": ["tables/a.*"]})
    assert said in two.run().stdout


def test_a_step_that_grades_may_read_the_cards_that_admit_graders_and_no_other_may(two: Project) -> None:
    places = [two.folder / "outputs" / "cards", two.outputs / "cards"]
    for place in places:
        place.mkdir(parents=True)
        (place / "card.json").write_text("{}")
    reads = "\n".join(f"open({str(place / 'card.json')!r})" for place in places)
    two.notebook("a", reads, "run.ledger('rows').touch()")
    two.notebook("b", reads)
    two.profile({"notebook": "a", "outputs": ["ledger/rows.jsonl"]}, {"notebook": "b"})
    said = two.run().stdout
    assert "demo   a  done" in said
    assert "b reads " in said
    assert "cards/card.json, which it does not declare" in said


def test_names_with_marks_of_patterns_are_names(tmp_path: Path) -> None:
    run = tmp_path / "[a]*"
    allowed = Allowed("s", "p", {"": str(run)}, (str(run / "in[1].csv"),), ())
    allowed.check(str(run / "in[1].csv"))
    allowed.check(str(tmp_path / "elsewhere.csv"))
    allowed.check(os.fsdecode(b"/proc/self/\xff"))
    with pytest.raises(FFError, match=r"does not declare.*- in1\.csv"):
        allowed.check(str(run / "in1.csv"))
