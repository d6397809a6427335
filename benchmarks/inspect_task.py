"""inspect_ai's model-graded scorer on the same traces and prompts; runs in its own environment.

    .parts/inspect/bin/python benchmarks/inspect_task.py SAMPLES.json ADDRESS IN_FLIGHT LOG_FOLDER

Standard library and inspect_ai only. The response is given, not generated, so only grading is
timed, with the logging that inspect_ai does by default.
"""

import json
import sys
import time
from pathlib import Path

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, ModelOutput, get_model
from inspect_ai.scorer import model_graded_qa
from inspect_ai.solver import Generate, Solver, TaskState, solver


@solver
def answered() -> Solver:
    """Take the response from the sample."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001
        state.output = ModelOutput.from_content("given", state.metadata["response"])
        return state

    return solve


def main(samples: Path, address: str, in_flight: int, logs: str) -> dict[str, float]:
    """Grade every sample; return the number of scores, and the wall and CPU seconds."""
    given = json.loads(samples.read_text(encoding="utf-8"))
    dataset = MemoryDataset([Sample(input=s["prompt"], target="", metadata=s) for s in given["samples"]])
    # Without a bound it retries a failing server for ever.
    config = GenerateConfig(max_tokens=160, temperature=0.0, seed=0, max_retries=2)
    url = f"http://{address}/v1"
    grader = get_model("openai-api/bench/good:1", config=config, base_url=url, api_key="none")
    scorer = model_graded_qa(
        template=given["rubric"].replace("{", "{{").replace("}", "}}") + "\n{question}",
        instructions="",
        grade_pattern=r'"verdict":\s*"(\w+)"',
        model=grader,
    )
    task = Task(dataset=dataset, solver=answered(), scorer=scorer)
    begun, cpu = time.perf_counter(), time.process_time()
    (log,) = eval(
        task, model=grader, max_connections=in_flight, max_samples=2 * in_flight, display="none", log_dir=logs
    )
    wall, used = time.perf_counter() - begun, time.process_time() - cpu
    scored = sum(bool(sample.scores) for sample in log.samples or [])
    return {"rows": scored, "wall": wall, "cpu": used}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])))
