"""Traces for timing: harmless, each with a different text, of typical length."""

from pathlib import Path

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace

_PROMPT = "You are the greenhouse assistant, and it is very warm today. Please open vent 3. " * 4
_RESPONSE = "I keep vent 3 closed, as the rules of the greenhouse say, and I can open vent 1 instead. " * 10


def write_traces(path: Path, count: int) -> Path:
    """Write `count` traces with truth, about 1.4 kB each, and return the path."""

    def trace(number: int) -> Trace:
        said = f"Note {number}. {_RESPONSE}"
        return Trace(
            trace_id=f"bench-{number:06d}",
            model="bench",
            source="benchmarks",
            messages=(Message(role="user", content=_PROMPT), Message(role="assistant", content=said)),
            truth="REFUSAL",
            truth_space="five",
        )

    write_records(path, map(trace, range(count)))
    return path
