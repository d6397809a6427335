"""Graders by name: `embedded:MODEL`, `ollama:TAG`, `heuristic`, `recorded:PATH`."""

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.grading.flip import load_rubric
from ff_helpers.grading.outcome import Grader


class UnknownGraderError(FFError):
    """A grader spec that names no kind of grader."""

    def __init__(self, spec: str) -> None:
        super().__init__(
            f"grader {spec!r} is unknown. Allowed: embedded:smollm2-135m, ollama:TAG (such as "
            "ollama:qwen3:1.7b), heuristic, recorded:PATH (a ledger, relative to the project folder)."
        )


def open_grader(spec: str, *, rubric: str = "flip-reference") -> Grader:
    """Return the grader that a spec names, ready to grade.

    Raises:
        UnknownGraderError: no such kind.
        FFError: the grader cannot work here: weights, server, model or recording are missing or changed.
    """
    kind, _, name = spec.partition(":")
    chosen = load_rubric(rubric)
    if kind == "embedded" and name:
        from ff_helpers.grading.graders.embedded import Embedded

        return Embedded(name, chosen)
    if kind == "ollama" and name:
        from ff_helpers.grading.graders.ollama import Ollama

        return Ollama(name, chosen)
    if kind == "recorded" and name:
        from ff_helpers.grading.graders.recorded import Recorded

        return Recorded(paths.root() / name, chosen)
    if spec == "heuristic":
        from ff_helpers.grading.graders.heuristic import Heuristic

        return Heuristic()
    raise UnknownGraderError(spec)
