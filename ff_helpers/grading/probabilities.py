"""How probable each label was to a model, from the tokens that were likely where it wrote its verdict.

The model's own probabilities, before the schema constrains it, as shares of the five labels. They say how
sure the model was, not how right it is: 02_calibrate measures that.
"""

import math
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from ff_helpers.chat.protocol import Token
from ff_helpers.terms import VERDICTS, Verdict

LIKELY: Final = 20
"""How many of the likeliest tokens are asked for; the most that OpenAI's protocol allows."""

# A quote inside a JSON string is escaped, so only the key itself matches; or a line of plain text.
_BEFORE = re.compile(r'(?<!\\)"verdict"\s*:\s*"|^[\W_]*verdict\W*?:[\s*"\'`]*', re.IGNORECASE | re.MULTILINE)


def label_probabilities(tokens: Sequence[Token], verdict: Verdict) -> dict[Verdict, float] | None:
    """Return the probability of each label at the place of the verdict; they add up to 1.

    A label's probability is that of the tokens with which it can begin: the five begin with five letters.
    None where the place is not found, or none of the five was among the likely tokens.

    Args:
        tokens: of the answer.
        verdict: the label that the answer gave.
    """
    text = "".join(token.text for token in tokens)
    places = [m.end() for m in _BEFORE.finditer(text) if text.startswith(verdict, m.end())]
    if not places:
        return None
    ends = list(accumulate(len(token.text) for token in tokens))
    at = next(i for i, end in enumerate(ends) if end > places[0])
    token = tokens[at]
    before = token.text[: places[0] - (ends[at] - len(token.text))]
    mass = dict.fromkeys(VERDICTS, 0.0)
    for other, logprob in token.likely.items():
        begins = other.removeprefix(before)
        if begins and other.startswith(before) and logprob <= 0:
            for label in VERDICTS:
                mass[label] += math.exp(logprob) * (label.startswith(begins) or begins.startswith(label))
    total = sum(mass.values())
    if not total > 0:
        return None
    return {label: round(share / total, 6) for label, share in mass.items()}
