"""`ff label`, `ff labels`: people label a sample of traces on a page of this machine, and are compared."""

import argparse
import os
import shlex
import sys
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from ff_helpers.cli.text import aligned, print_json, said, shown
from ff_helpers.corpus.readers import READERS, load_set
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.measurement.agreement.people import Pair, People, compare_people
from ff_helpers.measurement.calibration.confusion import Kappa
from ff_helpers.measurement.labelling.desk import Desk
from ff_helpers.measurement.labelling.server import serve
from ff_helpers.measurement.sampling.files import Sample, read_sample
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


def compare(options: argparse.Namespace) -> int:
    """Print how far the people who labelled a sample agree, what is open, and what comes next."""
    sample = read_sample(options.file, space=options.space)
    found = compare_people(sample)
    if options.json:
        print_json(_content(sample, found))
        return 0
    values = {"sample": sample, "found": found, "tables": [_table(pair) for pair in found.pairs]}
    print(said("people", **values, next=_after(found, options)))
    return 0


def _table(pair: Pair) -> list[str]:
    """Return the counts of two people as lines, a row per label of the first; unused classes are left out."""
    matrix = pair.matrix
    used = [n for n, row in enumerate(matrix.table) if any(row) or any(other[n] for other in matrix.table)]
    lines = [[f"{pair.a} \\ {pair.b}", *(matrix.classes[n] for n in used)]]
    lines += [[matrix.classes[n], *(str(matrix.table[n][m]) for m in used)] for n in used]
    return aligned(lines, right=range(1, len(lines)))


def _after(found: People, options: argparse.Namespace) -> tuple[str, str]:
    """Return what comes next, and its command."""
    file, space = shlex.quote(shown(options.file)), f" --space {options.space}" if options.space else ""
    label = f"ff label {file} --traces TRACES{space} --as"
    behind = next((one for one in found.people if one.left), None)
    if behind is not None:
        return f"{behind.left} traces are left for {behind.name}", f"{label} {shlex.quote(behind.name)}"
    if found.disputed:
        return f"decide the {len(found.disputed)} in dispute", f"{label} NAME --adjudicate"
    rates = f"ff asr VERDICTS --traces TRACES --labels {file}"
    return "rates, raw and adjusted by these labels", rates


def _content(sample: Sample, found: People) -> dict[str, object]:
    """Return the comparison as --json prints it: shares in [0, 1], intervals as [low, high]."""
    return {
        "file": str(sample.path),
        "space": sample.space,
        "traces": len(sample.frame),
        "people": [asdict(one) for one in found.people],
        "pairs": [_pair_content(one) for one in found.pairs],
        "alpha": _kappa_content(found.alpha),
        "disputed": found.disputed,
        "adjudicated": found.adjudicated,
        "undecided": found.undecided,
        "truths": found.truths,
    }


def _pair_content(pair: Pair) -> dict[str, object]:
    agreed, matrix, weighted = pair.matrix.accuracy, pair.matrix, pair.weighted
    rows = zip(matrix.classes, matrix.table, strict=True)
    return {
        "a": pair.a,
        "b": pair.b,
        "n": agreed.n,
        "k": agreed.k,
        "agreement": agreed.estimate,
        "agreement_ci": [agreed.low, agreed.high],
        "kappa": _kappa_content(pair.kappa),
        "note": pair.note,
        "of_all_rows": weighted
        and {
            "agreement": weighted.agreement,
            "agreement_ci": [weighted.low, weighted.high],
            "kappa": _kappa_content(weighted.kappa),
        },
        "confusion": {name: dict(zip(matrix.classes, row, strict=False)) for name, row in rows},
    }


def _kappa_content(kappa: Kappa | None) -> dict[str, object] | None:
    return None if kappa is None else {"value": kappa.value, "ci": [kappa.low, kappa.high]}


def _traces(specs: Sequence[str]) -> Iterator[Trace]:
    """Yield the traces of files, taken from the current folder, and of sets such as `pyrit:refusal`."""
    for spec in specs:
        yield from load_set(spec) if chosen(spec, READERS) else read_traces(Path(spec))


def _has_browser() -> bool:
    """Return whether a window can open: a browser in the terminal would take the terminal away."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _next(desk: Desk, options: argparse.Namespace) -> tuple[str, str]:
    """Return what comes next, and its command."""
    file, traces = shlex.quote(shown(options.file)), shlex.join(options.traces)
    space = f" --space {options.space}" if options.space else ""
    label = f"ff label {file} --traces {traces}{space} --as"
    if len(desk.decided) < len(desk.traces):
        more = " --adjudicate" if options.adjudicate else ""
        return "go on from here", f"{label} {shlex.quote(desk.annotator)}{more}"
    if len(read_sample(options.file, space=options.space).decided) < 2:
        return "a second person labels the same traces", f"{label} NAME"
    return "see how far the people agree, and what is in dispute", f"ff labels compare {file}{space}"
