"""Graders by name: `embedded:MODEL`, `ollama:TAG`, `openai:MODEL@BASE_URL`, `heuristic`, `recorded:PATH`."""

from ff_helpers import paths
from ff_helpers.chat.specs import FORMS, is_chat, open_chat
from ff_helpers.errors import FFError
from ff_helpers.grading.flip import load_rubric
from ff_helpers.grading.outcome import Grader


class UnknownGraderError(FFError):
    """A grader spec that names no kind of grader."""

    def __init__(self, spec: str) -> None:
        super().__init__(
            f"grader {spec!r} is unknown. Allowed: {FORMS}, heuristic, recorded:PATH (a ledger, relative to "
            "the project folder)."
        )


def open_grader(
    spec: str, *, rubric: str = "flip-reference", concurrency: int = 1, timeout: float = 300.0
) -> Grader:
    """Return the grader that a spec names, ready to grade.

    Args:
        spec: see above.
        rubric: `flip-reference` or `flip-blind`.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        UnknownGraderError: no such kind.
        FFError: the grader cannot work here: weights, server, model or recording are missing or changed.
    """
    chosen = load_rubric(rubric)
    if is_chat(spec):
        from ff_helpers.grading.graders.llm import Llm

        return Llm(open_chat(spec, concurrency=concurrency, timeout=timeout), chosen)
    kind, _, name = spec.partition(":")
    if kind == "recorded" and name:
        from ff_helpers.grading.graders.recorded import Recorded

        return Recorded(paths.root() / name, chosen)
    if spec == "heuristic":
        from ff_helpers.grading.graders.heuristic import Heuristic

        return Heuristic()
    raise UnknownGraderError(spec)
