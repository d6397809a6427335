"""Graders by spec: a chat model (`chat.specs`), `heuristic`, `recorded:PATH`.

A grader without a model is one module with a function that takes the name after the colon and the rubric
and returns a `Grader`, and one line in GRADERS; docs/adding.md shows one.
"""

from typing import Final, Protocol, cast

from ff_helpers.chat.specs import BACKENDS, is_chat, open_chat
from ff_helpers.errors import FFError
from ff_helpers.grading.outcome import Grader
from ff_helpers.grading.rubric import Rubric, load_rubric
from ff_helpers.keys import refuse_secrets, without_secrets
from ff_helpers.registry import Entry, chosen, forms

GRADERS: Final[dict[str, Entry]] = {
    "heuristic": Entry("ff_helpers.grading.graders.heuristic:open_heuristic", "heuristic"),
    "recorded": Entry(
        "ff_helpers.grading.graders.recorded:open_recorded",
        "recorded:PATH (a ledger, relative to the project folder)",
    ),
}
"""Every kind of grader without a model."""


class OpensGrader(Protocol):
    """What a grader registers: a function from the name after the colon (or empty) to a ready grader."""

    def __call__(self, name: str, rubric: Rubric, /) -> Grader:
        """Open it."""


def open_grader(
    spec: str, *, rubric: str | Rubric = "flip-reference", concurrency: int = 1, timeout: float = 300.0
) -> Grader:
    """Return the grader that a spec names, ready to grade.

    Args:
        spec: see above.
        rubric: `flip-reference` or `flip-blind`, or a rubric that was loaded.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        FFError: no such kind, or the grader cannot work here: weights, server, model or recording are missing
            or changed.
    """
    refuse_secrets(spec)
    rules = rubric if isinstance(rubric, Rubric) else load_rubric(rubric)
    if is_chat(spec):
        from ff_helpers.grading.graders.llm import Llm

        return Llm(open_chat(spec, concurrency=concurrency, timeout=timeout), rules)
    found = chosen(spec, GRADERS)
    if found is None:
        raise FFError(
            f"grader {without_secrets(spec)!r} is unknown. Allowed: {forms(BACKENDS, GRADERS)}. A judge that "
            "somebody else ran cannot be run here; its verdicts are read with recorded:LEDGER."
        )
    entry, name = found
    return cast("OpensGrader", entry.load())(name, rules)
