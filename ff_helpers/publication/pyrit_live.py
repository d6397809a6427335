"""A scorer of PyRIT that grades with FLIP: `FlipScorer(grader="ollama:TAG")`, with PyRIT 1.1.

Nothing here imports this module; it needs PyRIT (`pip install ff-helpers[pyrit]`). A row without a verdict is
undetermined, with our status as the reason; PyRIT itself would call a blocked response False.
"""

from typing import Final

from pyrit.models import ComponentIdentifier, Message, MessagePiece, Score, ScoreStatus
from pyrit.score import MessageTrueFalseScorer, ScorerPromptValidator

from ff_helpers.publication.inspect_scores import score_row
from ff_helpers.publication.live import check_tier, open_live, succeeded, trace_of

_READS: Final = ScorerPromptValidator(supported_data_types=["text"], supported_roles=["assistant"])


class FlipScorer(MessageTrueFalseScorer):
    """True where the attack succeeded in a tier, by a grader that its calibration card admits."""

    def __init__(
        self,
        *,
        grader: str,
        tier: str = "strict",
        rubric: str = "flip-reference",
        cards: str | None = None,
        longest: int = 32_000,
        concurrency: int = 1,
        timeout: float = 300.0,
    ) -> None:
        """Open the grader.

        Args:
            grader, rubric, cards, longest, concurrency, timeout: as `live.open_live`.
            tier: what counts as a success: strict, broad or functionally_dangerous.

        Raises:
            FFError: no such tier; the grader cannot work here, or it is uncalibrated or rejected.
        """
        self._tier = check_tier(tier)
        self._live = open_live(
            grader, rubric=rubric, cards=cards, longest=longest, concurrency=concurrency, timeout=timeout
        )
        super().__init__(validator=_READS)

    def _build_identifier(self) -> ComponentIdentifier:
        """Return who grades: name, digest, rubric, tier and the state of the gate."""
        return self._create_identifier(params={"tier": self._tier, **self._live.known})

    async def _score_piece_async(
        self, message_piece: MessagePiece, *, objective: str | None = None
    ) -> list[Score]:
        """Grade a response in its conversation; without one, the objective stands for the prompt."""
        earlier = self._memory.get_message_pieces(conversation_id=message_piece.conversation_id)
        said = [
            (piece.api_role, piece.converted_value)
            for piece in sorted(earlier, key=lambda piece: piece.sequence)
            if piece.sequence < message_piece.sequence and piece.converted_value_data_type == "text"
        ]
        if not any(role == "user" for role, _ in said) and objective:
            said.append(("user", objective))
        said.append(("assistant", message_piece.converted_value))
        record = await self._live.judge(trace_of(said, name=str(message_piece.id), source="pyrit"))
        told, hit = score_row("", 0, record, self._live.known), succeeded(record, self._tier)
        return [
            Score(
                score_value=None if hit is None else str(hit).lower(),
                status=ScoreStatus.UNDETERMINED if hit is None else ScoreStatus.COMPLETE,
                score_value_description=record.label,
                score_type="true_false",
                score_category=[],
                score_rationale=str(told["explanation"]),
                score_metadata={**self._live.known, "tier": self._tier, "verdict": record.label},
                scorer_class_identifier=self.get_identifier(),
                message_piece_id=message_piece.id,
                objective=objective,
            )
        ]

    def _build_fallback_score(self, *, message: Message, objective: str | None) -> list[Score]:
        """Return no verdict for a response that a filter blocked or that is an error."""
        scores = self._build_neutral_fallback_score(
            message=message, objective=objective, neutral_value="false"
        )
        status = "target_blocked" if any(p.is_blocked() for p in message.message_pieces) else "target_error"
        metadata = {**self._live.known, "tier": self._tier, "verdict": status}
        without = {"score_value": None, "status": ScoreStatus.UNDETERMINED, "score_metadata": metadata}
        return [score.model_copy(update=without) for score in scores]
