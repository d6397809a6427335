"""`ff run`: what is stale runs, what failed is told, what was interrupted goes on."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ff_helpers.paths import PACKAGE
from ff_helpers.pipeline.finish import REPORT_STAMP
from tests.conftest import FF, Project, started

WRITE = 'run.write("tables/{0}.csv").write_text({1})'


def states(stdout: str) -> dict[str, str]:
    """How each step of the profile `demo` ended, by name."""
    lines = [line.split() for line in stdout.splitlines() if line.startswith("demo ")]
    return {line[1]: line[2] for line in lines if line[1] != "..."}  # how far a slow one is


def write_chain(project: Project) -> Project:
    """Three steps: `b` reads what `a` writes, `c` stands alone; `a` reads a shipped file."""
    (project.folder / "data" / "in.csv").write_text("1")
    project.notebook("a", WRITE.format("a", "str(x)"), parameters="x = 1")
    project.notebook("b", WRITE.format("b", 'run.read("tables/a.csv").read_text() + "!"'))
    project.notebook("c", WRITE.format("c", '"c"'))
    project.profile(*CHAIN)
    return project


@pytest.fixture
def chain(project: Project) -> Project:
    """The chain, not yet run."""
    return write_chain(project)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the chain has run, and what the run said."""
    chain = write_chain(Project(tmp_path_factory.mktemp("ended") / "project"))
    done = chain.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return chain.folder, done.stdout


@pytest.fixture
def finished(ended: tuple[Path, str], tmp_path: Path) -> Project:
    """The chain as a run left it, in a folder of the test's own."""
    return Project(Path(shutil.copytree(ended[0], tmp_path / "project")))


CHAIN = (
    {"notebook": "a", "inputs": ["data/*.csv"], "outputs": ["tables/a.*"], "parameters": {"x": 2}},
    {"notebook": "b", "inputs": ["tables/a.csv"], "outputs": ["tables/b.csv"]},
    {"notebook": "c", "outputs": ["tables/c.csv"]},
)


def test_runs_in_the_order_of_files_and_leaves_everything_in_place(
    ended: tuple[Path, str], finished: Project
) -> None:
    assert (finished.outputs / "tables" / "b.csv").read_text() == "2!"
    manifest = json.loads((finished.outputs / "manifest.json").read_text())
    assert {"tables/a.csv", "tables/b.csv", "notebooks/a.ipynb", "index.html"} <= manifest["files"].keys()
    assert not (finished.outputs / ".staging").exists()
    assert str(ended[0] / "outputs" / "demo" / "index.html") in ended[1]


def test_second_run_does_nothing_and_forced_run_gives_the_same_bytes(finished: Project) -> None:
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in finished.outputs.rglob("*")
        if path.is_file()
    }
    again = finished.run()
    assert set(states(again.stdout).values()) == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: was[0] for path, was in before.items()
    }
    assert set(states(finished.run("--force").stdout).values()) == {"done"}
    (finished.outputs / REPORT_STAMP).unlink()  # the pages are written again beside all that a run leaves
    finished.run()
    assert {p for p, was in before.items() if p.read_bytes() != was[1]} == {finished.outputs / "run.log"}


def test_a_changed_input_makes_its_readers_stale_and_equal_bytes_stop_there(finished: Project) -> None:
    (finished.folder / "data" / "in.csv").write_text("2")
    assert states(finished.run().stdout) == {"a": "done", "b": "unchanged", "c": "unchanged"}


def test_a_changed_parameter_runs_all_that_follows_from_it(finished: Project) -> None:
    finished.profile({**CHAIN[0], "parameters": {"x": 3}}, *CHAIN[1:])
    assert states(finished.run().stdout) == {"a": "done", "b": "done", "c": "unchanged"}
    assert (finished.outputs / "tables" / "b.csv").read_text() == "3!"


def test_a_changed_notebook_or_a_damaged_output_makes_its_step_stale(finished: Project) -> None:
    finished.notebook("c", WRITE.format("c", '"other"'))
    (finished.outputs / "tables" / "b.csv").write_text("edited by hand")
    assert states(finished.run().stdout) == {"a": "unchanged", "b": "done", "c": "done"}
    assert (finished.outputs / "tables" / "b.csv").read_text() == "2!"


def test_changed_sources_of_the_package_make_every_step_stale(chain: Project, tmp_path) -> None:
    copy = tmp_path / "copy" / "ff_helpers"
    shutil.copytree(PACKAGE, copy)
    chain.profile(CHAIN[2])

    def run() -> set[str]:  # a process, which imports the copy
        done = subprocess.run(
            [*FF, "run", "params/demo.yaml"],
            cwd=chain.folder, env=chain.env | {"PYTHONPATH": str(copy.parent)},
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        return set(states(done.stdout).values())

    assert run() == {"done"}
    assert run() == {"unchanged"}
    with (copy / "terms.py").open("a") as file:
        file.write("\n# a change\n")
    assert run() == {"done"}


def test_a_failed_step_leaves_its_notebook_and_the_rest_still_runs(chain: Project) -> None:
    chain.notebook("a", "1 / 0", parameters="x = 1")
    failed = chain.run()
    assert failed.returncode == 1
    assert states(failed.stdout) == {"a": "failed", "b": "skipped", "c": "done"}
    assert "ZeroDivisionError: division by zero (cell 4)" in failed.stdout
    notebook = json.loads((chain.outputs / "notebooks" / "a.ipynb").read_text())
    assert "An Exception was encountered" in "".join(notebook["cells"][0]["source"])
    assert "did not finish" in (chain.outputs / "index.html").read_text()


def test_an_error_of_ours_is_shown_as_its_sentence_alone(project: Project) -> None:
    project.notebook("a", 'ff.start(profile, as_of="soon")')
    project.profile({"notebook": "a"})
    said = project.run().stdout
    assert "as_of = 'soon' is not a date" in said
    assert "UnknownDateError" not in said


@pytest.mark.parametrize("source", ["import sys\nsys.exit()", "import os\nos._exit(0)"])
def test_a_notebook_that_ends_itself_has_failed(project: Project, source: str) -> None:
    project.notebook("a", "print('before' + ' it')", source, WRITE.format("a", '"never"'))
    project.profile({"notebook": "a", "outputs": ["tables/a.csv"]})
    assert project.run().returncode == 1
    assert not (project.outputs / "tables").exists()
    # What ran before it is kept, to look at.
    assert "before it" in (project.outputs / "notebooks" / "a.ipynb").read_text()


def test_a_cell_that_takes_too_long_fails_its_step(project: Project) -> None:
    project.notebook("a", "import time\ntime.sleep(60)")
    project.profile({"notebook": "a", "timeout_s": 1})
    failed = project.run()
    assert failed.returncode == 1
    assert "CellTimeoutError" in failed.stdout


def test_what_a_figure_says_of_itself_comes_with_the_figure(project: Project) -> None:
    write = 'run.write("figures/f.{0}").write_text("{{}}")'
    project.notebook("a", "\n".join(map(write.format, ("svg", "json"))))
    project.profile({"notebook": "a", "outputs": ["figures/f.svg"]})
    assert project.run().returncode == 0
    assert (project.outputs / "figures" / "f.json").is_file()
    project.notebook("a", write.format("json"))
    project.profile({"notebook": "a", "outputs": ["tables/f.svg"]})
    assert "wrote figures/f.json without declaring it" in project.run().stdout


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        (["tables/a.csv", "tables/b.csv"], "did not write tables/b.csv"),
        ([], "wrote tables/a.csv without declaring it"),
    ],
)
def test_outputs_must_be_those_declared(project: Project, declared: list[str], problem: str) -> None:
    project.notebook("a", WRITE.format("a", '"1"'))
    project.profile({"notebook": "a", "outputs": declared})
    failed = project.run()
    assert failed.returncode == 1
    assert problem in failed.stdout
    assert not (project.outputs / "tables").exists()


def test_a_file_that_a_step_no_longer_writes_goes_away(project: Project) -> None:
    project.notebook("a", WRITE.format("old", '"1"'))
    project.profile({"notebook": "a", "outputs": ["tables/*.csv"]})
    project.run()
    project.notebook("a", WRITE.format("new", '"1"'))
    project.run()
    assert [path.name for path in (project.outputs / "tables").iterdir()] == ["new.csv"]


def test_an_interrupted_run_is_no_finished_one_and_the_next_goes_on(project: Project) -> None:
    project.notebook("a", WRITE.format("a", '"1"'))
    project.notebook(
        "b",
        'with run.ledger("rows").open("a") as ledger:\n    ledger.write("one\\n")',
        'import time\ntime.sleep(0 if run.ledger("rows").read_text().count("one") > 3 else 60)',
        WRITE.format("b", '"2"'),
    )
    project.profile(
        {"notebook": "a", "outputs": ["tables/a.csv"]},
        {"notebook": "b", "inputs": ["tables/a.csv"], "outputs": ["ledger/rows.jsonl", "tables/b.csv"]},
    )
    ledger = project.outputs / "ledger" / "rows.jsonl"
    for begun, ended_by in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), start=1):
        with started([*FF, "run", "params/demo.yaml"], cwd=project.folder, env=project.env) as run:
            until = time.monotonic() + 60
            while not (ledger.exists() and ledger.read_text() == "one\n" * begun):
                assert time.monotonic() < until, f"the run before {ended_by!r} did not write"
                time.sleep(0.05)
            run.send_signal(ended_by)
            said = run.communicate(timeout=30)[1]
        assert run.returncode != 0
        assert ended_by == signal.SIGKILL or "run the same command again" in said
        assert not (project.outputs / "tables" / "b.csv").exists()
    again = project.run()
    assert states(again.stdout) == {"a": "unchanged", "b": "done"}, again.stdout + again.stderr
    assert ledger.read_text() == "one\n" * 4  # each run's line survived, and nobody wrote behind ours


def test_missing_parts_are_named_with_the_command_that_fetches_them(project: Project) -> None:
    project.notebook("a")
    project.profile({"notebook": "a", "inputs": ["parts/weights.gguf"]})
    failed = project.ff("run", "params/demo.yaml", FF_PARTS=str(project.folder / "none"))
    assert failed.returncode == 1
    assert "parts/weights.gguf, which does not exist; fetch it: make parts" in failed.stdout


def test_progress_of_a_long_step_is_told_where_nobody_watches(
    tmp_path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    from ff_helpers.pipeline import runner

    progress = tmp_path / "step.progress"
    progress.write_text(
        json.dumps({"step": "grading", "done": 3, "total": 9, "left_s": 20, "counts": {"REFUSAL": 3}})
    )
    monkeypatch.setattr(runner, "EVERY_S", 0.0)
    runner.Console("demo", 8).running({"01_grade": (4.0, progress)})
    assert capsys.readouterr().out == "demo   ... 01_grade grading 3/9, 20 s left (3 REFUSAL)\n"


def why(project: Project) -> dict[str, list[str]]:
    """What `ff run --why` says of each step of the profile `demo`."""
    done = project.run("--why")
    assert done.returncode == 0, done.stderr
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("demo"):
            _, step, state = line.split()
            said[step] = [] if state == "unchanged" else [state]
        else:
            said[step].append(line.strip())
    return said


def test_why_says_that_nothing_has_run_and_runs_nothing(chain: Project) -> None:
    never = ["stale", "it has not run to its end"]
    assert why(chain) == {"a": never, "b": ["stale", "it reads what a may change"], "c": never}
    assert not (chain.outputs / "tables").exists()


def test_why_names_what_changed_since_the_last_run(finished: Project) -> None:
    assert why(finished) == {"a": [], "b": [], "c": []}
    (finished.folder / "data" / "in.csv").write_text("7")
    (finished.outputs / "tables" / "c.csv").unlink()
    finished.notebook("b", WRITE.format("b", '"another"'))
    finished.profile(CHAIN[0] | {"parameters": {"x": 3}}, *CHAIN[1:])
    assert why(finished) == {
        "a": [
            "stale",
            "input data/in.csv changed",
            "parameter x: 2, now 3",
        ],
        "b": ["stale", "the notebook's cells changed", "it reads what a may change"],
        "c": ["stale", "tables/c.csv is missing"],
    }


def test_where_the_time_went_adds_up_to_the_time_of_each_step(chain: Project) -> None:
    done = chain.run("--profile-time")
    head, *rows = [line.split() for line in done.stdout.split("\n\n")[-1].splitlines()]
    assert head == ["demo", "seconds", "imports", "kernel", "figures", "cells", "writing"]
    assert sorted(row[0] for row in rows) == ["a", "all", "b", "c"]
    for _, *seconds in rows:
        whole, *parts = map(float, seconds)
        assert 0 < sum(parts) <= whole + 0.3  # each is rounded
    assert chain.run("--profile-time").stdout.endswith("demo: nothing ran, so no time was spent\n")
