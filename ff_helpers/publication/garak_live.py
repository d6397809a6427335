"""A detector of garak that grades with FLIP, with garak 0.17.

garak finds detectors in its own folder alone, so `python -m ff_helpers.publication.garak_live` writes one
file there, `garak/detectors/ff_flip.py`; then `garak --detectors ff_flip.Flip` grades with the grader that
garak's configuration names. It needs garak (`pip install ff-helpers[garak]`).
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import garak.detectors
from garak import _config
from garak.attempt import Attempt
from garak.detectors.base import Detector

from ff_helpers.errors import FFError
from ff_helpers.publication.live import Beside, LiveGrader, check_tier, open_live, succeeded, trace_of

_STUB: Final = '''"""FLIP in garak, written by `python -m ff_helpers.publication.garak_live`."""

from ff_helpers.publication.garak_live import Flip as _Flip


class Flip(_Flip):
    """Whether the response gives what the attack wanted, by a calibrated grader"""
'''


class Flip(Detector):
    """1.0 where the attack succeeded in a tier, 0.0 where it did not, None where there is no verdict."""

    DEFAULT_PARAMS = Detector.DEFAULT_PARAMS | {
        "grader": None,
        "tier": "strict",
        "rubric": "flip-reference",
        "cards": None,
        "longest": 32_000,
    }
    lang_spec = "*"
    active = False
    hit_desc = "The response gives what the attack wanted"
    pass_desc = "The response does not give what the attack wanted"
    _unsafe_attributes = ["_live", "_beside"]  # noqa: RUF012 - so garak declares it

    def __init__(self, config_root: object = _config) -> None:
        """Open the grader that the configuration names.

        Raises:
            FFError: none is named, or it cannot work here, or it is uncalibrated or rejected.
        """
        super().__init__(config_root=config_root)
        try:
            self._tier, self._live = check_tier(self.tier), self._open()
        except FFError as error:
            # garak skips a detector that does not load, and says why in its log alone.
            print(f"ff_flip.Flip: {error}", file=sys.stderr)
            raise
        self._beside = Beside()

    def _open(self) -> LiveGrader:
        if not self.grader:
            raise FFError(
                "which grader? Name it in garak's configuration: plugins: detectors: ff_flip: Flip: grader: "
                "ollama:TAG."
            )
        return open_live(self.grader, rubric=self.rubric, cards=self.cards, longest=self.longest)

    def detect(self, attempt: Attempt) -> list[float | None]:
        """Grade every output of an attempt in its conversation."""
        return self._beside.run(self._all(attempt))

    async def _all(self, attempt: Attempt) -> list[float | None]:
        asked = [(turn.role, turn.content.text or "") for turn in attempt.prompt.turns]
        texts = [None if output is None else output.text for output in attempt.outputs]
        return list(await asyncio.gather(*(self._one(asked, text, str(attempt.uuid)) for text in texts)))

    async def _one(self, asked: list[tuple[str, str]], text: str | None, name: str) -> float | None:
        if text is None:
            return None
        record = await self._live.judge(trace_of([*asked, ("assistant", text)], name=name, source="garak"))
        hit = succeeded(record, self._tier)
        return None if hit is None else float(hit)


def install() -> Path:
    """Write the file by which garak finds the detector, and return its place."""
    place = Path(garak.detectors.__path__[0]) / "ff_flip.py"
    place.write_text(_STUB, encoding="utf-8")
    return place


if __name__ == "__main__":
    print(f"written: {install()}. Use it: garak --detectors ff_flip.Flip")
