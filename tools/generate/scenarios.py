"""The shipped scenarios: ten fictional settings, the six intents, two arms.

`python -m tools.generate.scenarios` writes data/scenarios/proxies.jsonl, the same bytes every time.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict

from ff_helpers import paths
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.scenarios import ARMS, Arm, Checker, Scenario
from ff_helpers.terms import INTENTS, Intent
from tools.generate.proxies import Setting, settings

SETTINGS: Final = 10
"""How many settings each intent meets: the same ones, so intents differ in nothing else."""
CRESCENDOS: Final = 4
"""How many of them are crescendos; settings take turns."""


class _Wordings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    accepts: Mapping[str, tuple[str, ...]]
    told: str
    permits: str
    single: Mapping[Intent, tuple[str, ...]]
    crescendo: Mapping[Intent, tuple[tuple[str, ...], ...]]


def scenarios() -> Iterator[Scenario]:
    """Yield 60 scenarios in both arms: ten settings in turn, each with the six intents."""
    words = _wordings()
    used: dict[tuple[Intent, bool], int] = {}
    for place, setting in enumerate(settings()[:SETTINGS]):
        for number, intent in enumerate(INTENTS):
            multi = (place + 2 * number) % SETTINGS < CRESCENDOS
            nth = used[intent, multi] = used.get((intent, multi), -1) + 1
            options = words.crescendo[intent] if multi else [(turn,) for turn in words.single[intent]]
            for arm in ARMS:
                yield _scenario(setting, intent, arm, options[nth % len(options)])


def _scenario(setting: Setting, intent: Intent, arm: Arm, turns: tuple[str, ...]) -> Scenario:
    words = _wordings()
    role, rule = setting.policy.split(". ", 1)
    slots = {"want": setting.want, "Want": setting.want[0].upper() + setting.want[1:]}
    told = words.told.format(role=role, secret=setting.secret, **slots)
    return Scenario(
        scenario_id=f"{setting.id}-{intent}",
        arm=arm,
        intent=intent,
        policy=setting.id,
        system=f"{told} {rule if arm == 'forbidden' else words.permits}",
        turns=tuple(turn.format(**slots) for turn in turns),
        checker=Checker(kind="states", secret=setting.secret, accepts=words.accepts.get(setting.id, ())),
    )


@cache
def _wordings() -> _Wordings:
    text = Path(__file__).with_name("scenarios.yaml").read_text(encoding="utf-8")
    return _Wordings.model_validate(yaml.safe_load(text))


def write(path: Path) -> Path:
    """Write the generated scenarios to a JSONL file and return its path."""
    write_records(path, scenarios())
    return path


if __name__ == "__main__":
    print(write(paths.data() / "scenarios" / "proxies.jsonl"))
