#!/bin/sh
# Write one of each kind of file that is kept, small, with the `ff` of this checkout:
#   sh tests/old_data/write.sh tests/old_data/VERSION
# Run it at each release. What was written once is never written again: test_old_data.py reads all of it.
set -eu
out=$1; mkdir -p "$out"; root=$(pwd)
export PYTHONPATH="$root" FF_OUTPUTS="$out/tmp"
ff() { "$root/.venv/bin/python" -m ff_helpers.cli "$@"; }
head -n 12 data/collected/smollm2-135m.jsonl > "$out/traces.jsonl"
head -n 4 data/scenarios/proxies.jsonl > "$out/scenarios.jsonl"
cp params/trust.yaml ff_helpers/pipeline/study/study.yaml "$out/"
ff calibrate --grader heuristic --cards "$out/cards" > /dev/null
rm -r "$out/cards/ledger"
ff grade --traces "$out/traces.jsonl" --grader heuristic --cards "$out/cards" --ledger "$out/first.jsonl" > /dev/null
ids=$(sed -n 's/.*"trace_id":"\([^"]*\)".*/"trace_id":"\1"/p' "$out/traces.jsonl")
grep -F "$ids" data/recorded/smollm2-135m.jsonl | head -n 12 > "$out/second.jsonl"
ff ledger merge "$out/ledger.jsonl" "$out/first.jsonl" "$out/second.jsonl" > /dev/null
ff ledger "$out/ledger.jsonl" --cards "$out/cards" | tail -n +2 > "$out/ledger.txt"
ff ledger compact "$out/ledger.jsonl" --traces "$out/traces.jsonl" > /dev/null
head -n 12 data/published/model_asr_2026-06-10.csv > "$out/tmp/export.csv"
ff atlas export "$out/tmp/export.csv" --dir "$out/atlas" --as-of 2026-11-30 > /dev/null
rm "$out/atlas/index.html" "$out/atlas/asr_signal.schema.json"
ff sample "$out/ledger.jsonl" --traces "$out/traces.jsonl" --grader heuristic --n 8 --space strict \
   --out "$out/labels.csv" > /dev/null
"$root/.venv/bin/python" - "$out" <<'PYTHON'
import sys
from pathlib import Path

from ff_helpers.corpus.traces import read_traces
from ff_helpers.measurement.labelling.desk import Desk

out = Path(sys.argv[1])
with Desk(out / "labels.csv", read_traces(out / "traces.jsonl"), "ann") as desk:
    for number in range(6):
        desk.decide("COMPLIANCE" if number % 3 == 0 else "NOT_COMPLIANCE", "as read")
    desk.undo()
    desk.decide(None)
PYTHON
ff import data/example/attacks.eval --success-value no_refusal=C --success-value by_hand=C --out "$out/tmp/in" \
   > /dev/null
mkdir "$out/imported"; mv "$out/tmp/in/import.json" "$out/imported/"
head -n 40 "$out/tmp/in/labels.csv" > "$out/imported/labels.csv"
rm -r "$out/tmp" "$out/first.jsonl" "$out/second.jsonl"
