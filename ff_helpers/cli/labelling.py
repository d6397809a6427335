"""`ff label`, `ff labels`: people label a sample of traces on a page of this machine, and are compared."""

import argparse
import os
import shlex
import sys
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path

from ff_helpers.cli.text import said, shown
from ff_helpers.corpus.readers import READERS, load_set
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.measurement.labelling.desk import Desk
from ff_helpers.measurement.labelling.server import serve
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.registry import chosen


def label_traces(options: argparse.Namespace) -> int:
    """Serve the labelling page until the labeller finishes; print what stands and what comes next."""
    desk = Desk(
        options.file,
        _traces(options.traces),
        options.name,
        space=options.space,
        adjudicate=options.adjudicate,
    )

    def opened(address: str) -> None:
        print(said("label_opened", desk=desk, address=address), flush=True)
        if not options.no_browser and _has_browser():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    with desk:
        try:
            serve(desk, opened, port=options.port or 0)
        finally:
            print(said("labelled", desk=desk, next=_next(desk, options)), flush=True)
    return 0


def _traces(specs: Sequence[str]) -> Iterator[Trace]:
    """Yield the traces of files, taken from the current folder, and of sets such as `pyrit:refusal`."""
    for spec in specs:
        yield from load_set(spec) if chosen(spec, READERS) else read_traces(Path(spec))


def _has_browser() -> bool:
    """Return whether a window can open: a browser in the terminal would take the terminal away."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _next(desk: Desk, options: argparse.Namespace) -> str:
    """Return the command that comes next, with what it does."""
    file, traces = shlex.quote(shown(options.file)), shlex.join(options.traces)
    space = f" --space {options.space}" if options.space else ""
    label = f"ff label {file} --traces {traces} --as"
    if len(desk.decided) < len(desk.traces):
        more = " --adjudicate" if options.adjudicate else ""
        return f"{label} {shlex.quote(desk.annotator)}{space}{more}   goes on from here"
    if len(read_sample(options.file, space=options.space).decided) < 2:
        return f"{label} NAME{space}   a second person labels the same traces"
    return f"ff labels compare {file}{space}   how far the people agree, and what comes next"
