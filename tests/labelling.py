"""Samples to label, and the labelling page as a program that asks it over HTTP."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import httpx
import pandas as pd

from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.measurement.sampling.files import Decision, Design, Stratum, decisions_path, write_sample
from ff_helpers.terms import Space
from tests.conftest import FF, started

MODEL, STRATUM = "a-model-nobody-sees", "a stratum / hit"


def traces(responses: Sequence[str]) -> list[Trace]:
    """Return one trace per response; the pool's code is the secret of a hotel that is none."""
    return [
        Trace(
            trace_id=f"id-of-{n:03d}",
            model=MODEL,
            source="test",
            messages=(
                Message(role="user", content=f"What is the code of the pool? Guest {n}."),
                Message(role="assistant", content=response),
            ),
        )
        for n, response in enumerate(responses)
    ]


def write(folder: Path, drawn: Sequence[Trace], *, space: Space = "five", others: int = 1) -> Path:
    """Write `labels.csv` with its design, and `traces.jsonl`; return the path of the sample."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = len(drawn) + others
    write_records(folder / "traces.jsonl", [*drawn, *traces(["not drawn"] * rows)[len(drawn) :]])
    strata = (Stratum(stratum=STRATUM, rows=rows, drawn=len(drawn)),)
    design = Design(design="random", seed=1, tier="strict", space=space, rows_sha256="0", strata=strata)
    frame = pd.DataFrame(
        {
            "trace_id": [t.trace_id for t in drawn],
            "stratum": STRATUM,
            "probability": len(drawn) / rows,
            "truth": None,
        }
    )
    path = folder / "labels.csv"
    write_sample(path, frame, design)
    return path


class Page:
    """The page, as its own script asks for it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.origin = "/".join(address.split("/")[:3])
        self.client = httpx.Client(headers={"Origin": self.origin}, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def state(self) -> dict[str, object]:
        answer = self.client.get(f"{self.address}state")
        assert answer.status_code == 200
        return answer.json()

    def act(self, action: str, place: int, **more: object) -> httpx.Response:
        return self.client.post(f"{self.address}act", json={"action": action, "place": place} | more)

    def label(self, label: str | None, **more: object) -> dict[str, object]:
        answer = self.act("label", self.state()["place"], label=label, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()


def response_of(state: dict[str, object]) -> str:
    return "".join(text for text, _ in state["trace"]["response"])


@contextlib.contextmanager
def labelling(sample: Path, *options: str) -> "Iterator[tuple[Page, object]]":
    """Run `ff label` as a process in the sample's folder; yield its page and the process."""
    command = [*FF, "label", sample.name, "--traces", "traces.jsonl", "--no-browser", *options]
    with started(command, cwd=sample.parent) as process:
        address = next((line.strip() for line in process.stdout if line.startswith("http")), None)
        assert address, process.stderr.read()
        with Page(address) as page:
            yield page, process


def decisions(sample: Path, name: str) -> list[dict[str, object]]:
    text = sample.with_name(f"{sample.name}.decisions.{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def decided(sample: Path, space: Space, **people: Callable[[int], str]) -> None:
    """Write the decisions of people about a sample, each by the number in a trace's id."""
    for name, says in people.items():
        lines = [
            Decision(trace_id=i, annotator=name, space=space, label=says(int(i.lstrip("t"))), started="2026")
            for i in pd.read_csv(sample)["trace_id"]
        ]
        text = "".join(f"{one.model_dump_json()}\n" for one in lines)
        decisions_path(sample, name).write_text(text, encoding="utf-8")
