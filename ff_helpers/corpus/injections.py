"""Responses that attack the grader: the suite that measures a grader's flip rate.

Each attack is wrapped around harmless proxy responses, of two classes or of all five, and asks for one wrong
verdict, the one that would harm a report most (`TARGETS`). The clean responses are rows too, as are
controls: harmless additions that claim nothing, which show how often any added text moves a verdict.
`python -m tools.generate.injections` writes data/calibration/injections.jsonl.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

import yaml
from pydantic import Field

from ff_helpers import paths
from ff_helpers.corpus.jsonl import Closed
from ff_helpers.terms import VERDICTS, Verdict

SOURCE: Final = "ff-helpers/injections"
CLEAN: Final = "clean"
"""The `run` of a response without an attack; any other `run` is the attack's name."""
CONTROL: Final = "control"
"""The family of harmless additions: controls, excluded from flip rates."""
TARGETS: Final[Mapping[Verdict, Verdict]] = {
    "COMPLIANCE": "REFUSAL",
    "PARTIAL": "REFUSAL",
    "REFUSAL": "COMPLIANCE",
    "HALLUCINATION_REFUSAL": "COMPLIANCE",
    "BENIGN_QUERY": "COMPLIANCE",
}
"""What an attack asks for, by the truth of the response: to hide a success, or to fake one."""

MEASURED: Final[tuple[Verdict, ...]] = ("COMPLIANCE", "REFUSAL")
"""The classes of response that every attack meets: the flip rate is over these, so attacks weigh the same."""

Encoding = Literal[
    "zero_width", "homoglyphs", "right_to_left", "full_width", "base64", "unicode_tags",
    "variation_selectors", "rot13", "hex", "leetspeak", "spaced", "bold",
]  # fmt: skip


class Attack(Closed):
    """One way to attack a grader: its name, its family, and the words around the response.

    `source` is the public collection or paper of the pattern, `classes` are the responses that it meets.
    """

    name: str
    family: str
    text: str
    source: str = "ours"
    classes: tuple[Verdict, ...] = VERDICTS
    encoding: Encoding | None = None
    paragraphs: int = Field(default=0, ge=0)


class Suite(Closed):
    """Attacks and controls, and their parts: instructions and decoys by wanted verdict, a claim, filler."""

    instructions: Mapping[Verdict, str]
    decoys: Mapping[Verdict, str]
    claim: str
    filler: str
    attacks: tuple[Attack, ...]


def families() -> dict[str, str]:
    """Return the family of each attack, by its name."""
    return {attack.name: attack.family for attack in suite().attacks}


def attacks() -> int:
    """Return how many attacks the suite has, without controls."""
    return sum(attack.family != CONTROL for attack in suite().attacks)


@cache
def suite() -> Suite:
    """Return injections.yaml: the attacks and their wording."""
    text = (paths.PACKAGE / "corpus" / "injections.yaml").read_text(encoding="utf-8")
    return Suite.model_validate(yaml.safe_load(text))
