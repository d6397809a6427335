"""Readers of JSON documents hold one record in memory at a time, however large the file is."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ff_helpers.corpus.results import HEAD, READERS, reader

ROWS = 1200
TEXT = "The pool is closed. " * 400


def promptfoo() -> Iterator[str]:
    yield '{"evalId": null, "results": {"version": 3, "timestamp": "t", "prompts": [], "results": ['
    for number in range(ROWS):
        found = {"id": f"r{number}", "success": True, "response": {"output": TEXT}, "prompt": {"raw": "Hi."}}
        yield f"{',' * (number > 0)}{json.dumps(found)}"
    yield '], "stats": {}}, "metadata": {"promptfooVersion": "0.120.0"}}'


def jailbreakbench() -> Iterator[str]:
    yield '{"parameters": {"method": "GCG", "model": "m"}, "jailbreaks": ['
    for number in range(ROWS):
        found = {"index": number, "behavior": "b", "prompt": "Hi.", "response": TEXT, "jailbroken": False}
        yield f"{',' * (number > 0)}{json.dumps(found)}"
    yield "]}"


def label_studio() -> Iterator[str]:
    yield "["
    for number in range(ROWS):
        chosen = {"from_name": "v", "type": "choices", "value": {"choices": ["COMPLIANCE"]}}
        said = [{"id": 1, "completed_by": 1, "result": [chosen]}]
        found = {"id": number, "annotations": said, "data": {"response": TEXT}}
        yield f"{',' * (number > 0)}{json.dumps(found)}"
    yield "]"


def label_studio_min() -> Iterator[str]:
    more = {"annotation_id": 1, "annotator": 1, "lead_time": 1.5, "v": "COMPLIANCE", "response": TEXT}
    yield "["
    for number in range(ROWS):
        yield f"{',' * (number > 0)}{json.dumps({'id': number} | more)}"
    yield "]"


@pytest.mark.parametrize("write", [promptfoo, jailbreakbench, label_studio, label_studio_min])
def test_a_large_file_takes_a_fraction_of_its_size(
    tmp_path: Path, write: Callable[[], Iterator[str]]
) -> None:
    path = tmp_path / "any.name"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(write())
    with path.open("rb") as binary:
        head = binary.read(HEAD)
    tool = next(name for name in READERS if reader(name).recognise(path, head) is not None)
    tracemalloc.start()
    try:
        assert reader(tool).recognise(path, head) is not None
        read = sum(1 for _ in reader(tool).read(path, {"response": "response", "space": "strict"}))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tool, read) == (write.__name__.removesuffix("_min").replace("_", "-"), ROWS)
    assert most < path.stat().st_size / 2
