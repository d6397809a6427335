"""Run a profile's stale steps, each notebook in its own process and kernel, up to one per core.

A step writes into a private staging folder; when it has succeeded and written what it declares, its
files are renamed into `outputs/<profile>/` and its stamp is written last, so an interrupted run is never
mistaken for a finished one. Ledgers are append-only and written in place: finished gradings are kept.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.pipeline import freshness, reads, warm
from ff_helpers.pipeline.execute import Answer, Job, Seconds, work
from ff_helpers.pipeline.profile import Profile, Step
from ff_helpers.pipeline.workspace import OutputsError, Workspace, is_ledger, locked, write_json
from ff_helpers.publication.figures import drawn

State = Literal["done", "unchanged", "failed", "skipped"]
POLL_S = 0.05
EVERY_S = 15.0
COLOURS = {"done": "32", "unchanged": "2", "failed": "31", "skipped": "33"}


@dataclass(frozen=True)
class Ended:
    """How one step of a run ended; `seconds` is None if nothing had to run, `spent` if its process died."""

    step: str
    state: State
    seconds: float | None = None
    spent: Seconds | None = None


@dataclass
class _Running:
    step: Step
    basis: dict[str, str]
    files: Workspace
    process: BaseProcess
    pipe: "warm.Pipe"
    begun: float


def run_profile(
    profile: Profile, *, force: bool = False, jobs: int | None = None, injected: bool = True
) -> list[Ended]:
    """Run the profile's stale steps and return how each step ended, in the profile's order.

    Args:
        profile: a checked profile.
        force: run every step, stale or not, and draw every figure anew.
        jobs: how many notebooks at once (default: one per core).
        injected: give the notebooks the profile's parameters; False runs them as they are.

    Raises:
        FFError: another run is writing to the same folder.
        KeyboardInterrupt: after the kernels have been ended; finished steps stay finished.
    """
    folder = paths.outputs() / profile.profile
    folder.mkdir(parents=True, exist_ok=True)
    # Fixed, unless one is given, before the first process starts: `make verify` gives two and compares.
    os.environ.setdefault("PYTHONHASHSEED", "0")
    with locked(folder) as lock:
        shutil.rmtree(folder / ".staging", ignore_errors=True)
        drawn.tidy(paths.drawn())
        run = _Run(profile, folder, lock, force=force, jobs=jobs or _cores(), injected=injected)
        try:
            return run.all()
        finally:
            run.end()


def execute_in_place(profile: Profile, *, jobs: int | None = None) -> int:
    """Execute each notebook of the profile with its own default parameters and save it with its outputs.

    Notebooks change only if all of them ran; the user's outputs are not touched.

    Returns:
        0, or 1 if a notebook failed.
    """
    before = os.environ.get("FF_OUTPUTS")
    with tempfile.TemporaryDirectory(prefix="ff-notebooks-") as folder:
        os.environ["FF_OUTPUTS"] = folder
        try:
            ended = run_profile(profile, jobs=jobs, injected=False)
        finally:
            if before is None:
                del os.environ["FF_OUTPUTS"]
            else:
                os.environ["FF_OUTPUTS"] = before
        failed = [end.step for end in ended if end.state != "done"]
        for name in failed:
            _show_error(Path(folder, profile.profile, "notebooks", f"{name}.ipynb"))
        if failed:
            print(f"No notebook was changed: {', '.join(failed)} did not run.")
            return 1
        for end in ended:
            written = Path(folder, profile.profile, "notebooks", f"{end.step}.ipynb").read_bytes()
            notebook = paths.notebooks() / f"{end.step}.ipynb"
            if notebook.read_bytes() != written:
                notebook.write_bytes(written)
                print(f"written  {notebook.name}")
    return 0


class _Run:
    """The loop over one profile's steps."""

    def __init__(
        self, profile: Profile, folder: Path, lock: int, *, force: bool, jobs: int, injected: bool
    ) -> None:
        self.profile, self.folder, self.lock = profile, folder, lock
        self.force, self.jobs, self.injected = force, jobs, injected
        self.console = Console(profile.profile, max(len(step.notebook) for step in profile.steps))
        self.ended: dict[str, Ended] = {}
        self.active: list[_Running] = []

    def all(self) -> list[Ended]:
        while len(self.ended) < len(self.profile.steps):
            self._start_what_can()
            for running in [r for r in self.active if r.pipe.poll() or r.process.exitcode is not None]:
                self.active.remove(running)
                self._collect(running)
            now = time.monotonic()
            self.console.running({r.step.notebook: (now - r.begun, r.files.progress) for r in self.active})
            if self.active:
                time.sleep(POLL_S)
        return [self.ended[step.notebook] for step in self.profile.steps]

    def end(self) -> None:
        """End the workers that still run: closing their pipes makes them end their kernels."""
        for running in self.active:
            running.pipe.close()
        for running in self.active:
            running.process.join()
        shutil.rmtree(self.folder / ".staging", ignore_errors=True)

    def _start_what_can(self) -> None:
        busy = {running.step.notebook for running in self.active}
        for step in self.profile.steps:
            if step.notebook in self.ended or step.notebook in busy:
                continue
            needs = [self.ended.get(name) for name in self.profile.needs(step)]
            broken = [need.step for need in needs if need and need.state in ("failed", "skipped")]
            if broken:
                self._end(step, "skipped", note=f"needs {', '.join(broken)}, which did not finish")
            elif all(needs) and len(self.active) < self.jobs:
                self._start(step)

    def _start(self, step: Step) -> None:
        files = Workspace(self.folder, step)
        try:
            basis = freshness.basis(self.profile, step, injected=self.injected)
        except FFError as error:
            self._end(step, "failed", note=str(error))
            return
        if not self.force and not files.stale(basis):
            self._end(step, "unchanged")
            return
        files.staging.mkdir(parents=True)
        inputs = freshness.inputs(self.profile, step).values()
        allowed = reads.allow(self.profile, step, inputs, filter(is_ledger, step.outputs), files.staging)
        write_json(files.reads, asdict(allowed))
        job = Job(
            notebook=paths.notebooks() / f"{step.notebook}.ipynb",
            output=files.executed,
            parameters=self.profile.parameters(step) if self.injected else None,
            timeout_s=step.timeout_s,
            cwd=paths.root(),
        )
        # The worker holds the lock too: if the runner is killed, the next run waits until it has ended.
        lock = warm.held(self.lock)
        env = os.environ | {
            "FF_STAGING": str(files.staging),
            "FF_PROGRESS": str(files.progress),
            reads.VARIABLE: str(files.reads),
            drawn.VARIABLE: "" if self.force else str(paths.drawn()),
        }
        process, pipe = warm.start(work, job, lock, env=env, cwd=paths.root(), log=files.log)
        lock.close()
        self.active.append(_Running(step, basis, files, process, pipe, time.monotonic()))

    def _collect(self, running: _Running) -> None:
        step, files, seconds = running.step, running.files, time.monotonic() - running.begun
        answer = _answer(running)
        problem, spent = (answer, None) if isinstance(answer, str) else (_problem(answer), answer.seconds)
        if not problem:
            try:
                files.publish(running.basis)
            except OutputsError as error:
                problem = str(error)
        if not problem:
            self._end(step, "done", seconds, spent=spent)
            return
        files.stamp.unlink(missing_ok=True)
        if files.keep_notebook():
            problem += f"\nThe notebook, with the error on top: {files.notebook}"
        self._end(step, "failed", seconds, problem, spent=spent)

    def _end(
        self,
        step: Step,
        state: State,
        seconds: float | None = None,
        note: str = "",
        spent: Seconds | None = None,
    ) -> None:
        self.ended[step.notebook] = Ended(step.notebook, state, seconds, spent)
        self.console.step(step.notebook, state, seconds, note)
        if seconds is not None:
            with (self.folder / "run.log").open("a", encoding="utf-8") as log:
                log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {step.notebook} {state} {seconds:.1f} s\n")


def _answer(running: _Running) -> Answer | str:
    """Return what a step's process said at its end; or, if it died, its last lines."""
    try:
        return Answer.model_validate_json(str(running.pipe.recv()))
    except EOFError:
        tail = running.files.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        return "\n".join([f"the process ended with code {running.process.exitcode}", *tail])
    finally:
        running.process.join()
        running.pipe.close()


def _problem(answer: Answer) -> str:
    """Return what stopped a step, in the relevant lines; empty if nothing did."""
    failure = answer.failure
    if failure is None:
        return ""
    if failure.ours:
        return failure.text
    where = "" if failure.cell is None else f" (cell {failure.cell})"
    return f"{failure.name}: {failure.text}{where}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _show_error(notebook: Path) -> None:
    """The folder is temporary, so print the traceback now."""
    if not notebook.exists():
        return
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                print("\n".join(output["traceback"]))


class Console:
    """Prints the steps of one profile: one line per step, and how far the running ones are.

    On a terminal the running steps share one live line; elsewhere (CI, a pipe) a plain line appears every
    15 seconds. Colour appears only on a terminal.
    """

    def __init__(self, profile: str, width: int) -> None:
        self._profile, self._width = profile, width
        self._live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and "NO_COLOR" not in os.environ
        self._told = time.monotonic()

    def step(self, name: str, state: State, seconds: float | None = None, note: str = "") -> None:
        """Print the end of a step; `note` explains it on the lines below."""
        shown = f"\033[{COLOURS[state]}m{state:<9}\033[0m" if self._colour else f"{state:<9}"
        took = f"{seconds:7.1f} s" if seconds is not None else ""
        if self._live:
            print("\r\033[K", end="")
        print(f"{self._profile:<6} {name:<{self._width}}  {shown} {took}".rstrip(), flush=True)
        for line in note.splitlines():
            print(f"       {line}", flush=True)

    def running(self, steps: dict[str, tuple[float, Path]]) -> None:
        """Show how far the running steps are; {name: (seconds so far, progress file)}."""
        now = time.monotonic()
        if not steps or now - self._told < (0.5 if self._live else EVERY_S):
            return
        self._told = now
        shown = [
            f"{name} {_how_far(progress) or f'{took:.0f} s'}" for name, (took, progress) in steps.items()
        ]
        if self._live:
            line = f"{self._profile:<6} " + "   ".join(shown)
            print("\r\033[K" + line[: shutil.get_terminal_size().columns - 1], end="", flush=True)
        else:
            for line in shown:
                print(f"{self._profile:<6} ... {line}", flush=True)


def _how_far(progress: Path) -> str:
    try:
        state = json.loads(progress.read_text(encoding="utf-8"))
        counts = ", ".join(f"{count} {name}" for name, count in state["counts"].items())
        seconds = state["left_s"]
        left = f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"
        said = f"{state['step']} {state['done']}/{state['total']}, {left} left"
        said += f"; {state['starved']}" if state.get("starved") else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f"{said} ({counts})" if counts else said
