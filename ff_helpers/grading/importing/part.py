"""Results of other tools as a part of a run: traces, ledgers and cards of their own, beside the run's.

`ff import` for notebooks. What is imported lies below `outputs/<profile>/<part>/ledger/`; the campaign that
grades it, and its cards, are those of the part, so no rate of the run rests on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ff_helpers import paths
from ff_helpers.corpus.results.recognise import all_recognised
from ff_helpers.grading.importing.account import Account
from ff_helpers.grading.importing.folder import TRACES
from ff_helpers.grading.importing.run import import_files


@dataclass(frozen=True)
class ImportedPart:
    """What was imported, and the names by which `ff.grade` takes it.

    Attributes:
        run: the part, to be passed to `ff.grade`, `ff.verdicts` and `ff.calibrate_all`.
        traces: the set of traces, as `trace_sets`.
        judges: the judges of the files, as `graders`.
        account: rows in, rows out, and every status, as in `import.json`.
    """

    run: paths.Run
    traces: dict[str, str]
    judges: tuple[str, ...]
    account: Account


def import_results(
    run: paths.Run,
    files: Sequence[str],
    *,
    success: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
    part: str = "imported",
) -> ImportedPart:
    """Import result files of other tools into a part of a run; rows that are there already stay.

    Args:
        run: the run.
        files: relative to the project folder.
        success: which value of which scorer is the attack's success, as `ff import --success-value`.
        options: further options of the readers, by name.
        part: the name of the part and of its set of traces.

    Raises:
        FFError: a file that no reader knows or that cannot be read, or a direction that nobody said.
    """
    own = replace(run, part=part)
    out = own.write(f"ledger/{TRACES}").parent
    given = [paths.root() / name for name in files]
    found, left = all_recognised(given, out=out)
    asked = dict(options or {}) | ({"success": "\n".join(success)} if success else {})
    done = import_files(found, out, asked, left=tuple(left))
    return ImportedPart(
        run=own,
        traces={part: f"ledger/{TRACES}"},
        judges=tuple(f"recorded:ledger/{judge.file}" for judge in done.account.judges),
        account=done.account,
    )
