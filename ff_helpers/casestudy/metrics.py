"""The canonical metrics: one generated document of headline counts, each with its date and its source.

Prose and pages take their counts from here, so none is ever typed by hand. Other people's printed counts
are listed with ours, marked as printed: they are of a different cut at a different date.
"""

import json

import pandas as pd

from ff_helpers.casestudy.exported import Atlas, classifiers
from ff_helpers.casestudy.record import published
from ff_helpers.corpus.traces import UNNAMED
from ff_helpers.grading.identities import identities
from ff_helpers.measurement.calibration.robustness import natural
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.paths import Run
from ff_helpers.publication.derive import disclose
from ff_helpers.terms import STATUSES, VERDICTS, Unknown

_COLUMNS = ("group", "metric", "count", "as_of", "source")


def canonical_metrics(
    run: Run, verdicts: pd.DataFrame, *, export: pd.DataFrame | None = None, pooled: Atlas | None = None
) -> pd.DataFrame:
    """Return the headline counts of a run; write them to atlas/canonical_metrics.json too.

    Args:
        run: whose ledger; its date is the date of what it counted itself.
        verdicts: the joined verdict frame (`ff.verdicts`).
        export: an export, one row per name, with `pooled`, what `ff.case.atlas` made of it; None: none.
        pooled: see `export`.

    Returns:
        group (`this run`, `export`, `printed`), metric, as_of, source (str), count (int).
    """
    rows = _of_run(run, verdicts)
    if export is not None and pooled is not None:
        rows += _of_export(export, pooled)
        rows += [
            ("printed", str(row.metric), int(str(row.value)), str(row.as_of), str(row.source))
            for row in published("corpus_metrics").itertuples()
        ]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    counts = "counts of rows, models and graders"
    graders = Unknown("graders", f"{counts}, no rate")
    table = stated(table, Terms(graders=graders, denominators=("none",), counts=counts, left_out=()))
    records = table.rename(columns={"count": "value"}).to_dict("records")
    content = {"as_of": run.as_of.isoformat(), "metrics": records}
    content = {"disclosure": disclose(run, table).sentence(), **content}
    path = run.write("atlas/canonical_metrics.json")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return table


def _of_run(run: Run, verdicts: pd.DataFrame) -> list[tuple[str, str, int, str, str]]:
    rows = natural(verdicts)
    traces = rows.drop_duplicates("trace_id")
    asked = (traces["sampling"] != "constructed") & (traces["model"] != UNNAMED)
    models = traces.loc[asked, "model"]
    first = rows[rows["repeat"] == 0]
    counts = count_verdicts(first, by=()).set_index("outcome")["n"]
    found = {
        "scenarios and prompts": traces["scenario_id"].fillna(traces["trace_id"]).nunique(),
        "traces": len(traces),
        "models": models.nunique(),
        "graders": len(identities(first)),
        "results (a trace graded by a grader)": len(first),
        "results graded again": len(rows) - len(first),
    }
    found |= {f"verdict {verdict}": int(counts.get(verdict, 0)) for verdict in VERDICTS}
    found |= {f"status {status}": int(counts.get(status, 0)) for status in STATUSES}
    source = f"{run.profile}/ledger/verdicts.jsonl; attacks on graders left out"
    return [("this run", what, int(n), run.as_of.isoformat(), source) for what, n in found.items()]


def _of_export(export: pd.DataFrame, pooled: Atlas) -> list[tuple[str, str, int, str, str]]:
    models = pooled.models
    names = {name for cell in export["classifiers"] for name in classifiers(cell)}
    graders = {grader.grader for signal in pooled.signals for grader in signal.graders}
    found = {
        "exported names": len(export),
        "models (names pooled)": len(models),
        "models with a canonical id": int(models["resolved"].sum()),
        "graded traces": int(models["n"].sum()),
        "of them COMPLIANCE": int(models["k"].sum()),
        "classifier names": len(names),
        "graders behind them": len(graders),
        "models with n >= 100": int((models["confidence"] == "high").sum()),
        "models with n < 20": int((models["confidence"] == "insufficient_sample").sum()),
    }
    corpus = pooled.signals[0].corpus if pooled.signals else "export"
    day = corpus.rsplit(" ", 1)[-1]
    return [("export", what, n, day, "data/published/model_asr_2026-06-10.csv") for what, n in found.items()]
