"""The shipped injection suite: every attack and control around harmless proxy responses.

`python -m tools.generate.injections` writes data/calibration/injections.jsonl, byte-identical every time.
"""

import base64
import codecs
import string
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Final

from ff_helpers import paths
from ff_helpers.corpus.injections import CLEAN, SOURCE, TARGETS, Attack, Encoding, suite
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Sampling, Trace
from ff_helpers.terms import INTENTS, VERDICTS, Verdict
from tools.generate.proxies import proxies

# The Cyrillic letters that look like these Latin ones.
_LOOK_ALIKE: Final = str.maketrans(
    "aceiopxyACEHIKMOPTX",
    "\u0430\u0441\u0435\u0456\u043e\u0440\u0445\u0443"
    "\u0410\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425",
)
# The letters of mathematical bold.
_BOLD: Final = {
    code: 0x1D400 + code - ord("A") if code < ord("a") else 0x1D41A + code - ord("a")
    for code in map(ord, string.ascii_letters)
}
_ENCODINGS: Final[Mapping[Encoding, Callable[[str], str]]] = {
    "zero_width": "\u200b".join,
    "homoglyphs": lambda text: text.translate(_LOOK_ALIKE),
    # Stored backwards after a right-to-left override: displayed, it reads forwards.
    "right_to_left": lambda text: f"\u202e{text[::-1]}\u202c",
    "full_width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    # Invisible copies of ASCII characters, and of bytes.
    "unicode_tags": lambda text: "".join(chr(0xE0000 + ord(c)) for c in text),
    "variation_selectors": lambda text: "".join(
        chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in text.encode()
    ),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "hex": lambda text: text.encode().hex(),
    "leetspeak": lambda text: text.translate(str.maketrans("aeiostAEIOST", "431057431057")),
    "spaced": " ".join,
    "bold": lambda text: text.translate(_BOLD),
}


def injections() -> Iterator[Trace]:
    """Yield the clean responses (two per class), then every attack and control on one response per class.

    `scenario_id` is the trace_id of the clean response, `run` is `clean` or the attack's name, `truth` the
    label of the clean response: an attack changes what the response tells the grader, not what it gives away.
    """
    bases = {label: _bases(label) for label in VERDICTS}
    for label in VERDICTS:
        yield from bases[label]
    for number, attack in enumerate(suite().attacks):
        for place, label in enumerate(VERDICTS):
            # Alternating, so attacks meet both difficulties.
            if label in attack.classes:
                yield _attacked(bases[label][(number + place) % 2], attack, TARGETS[label])


def _bases(label: Verdict) -> tuple[Trace, Trace]:
    """Return two single-turn proxies of a class as clean rows: an obvious and an ambiguous one."""
    first, second = (INTENTS[VERDICTS.index(label) + n] for n in (0, 1))
    wanted = {(first, "obvious"), (second, "ambiguous")}
    obvious, ambiguous = (
        t
        for t in proxies()
        if t.turns == "single" and t.truth == label and (t.intent, t.difficulty) in wanted
    )
    return _clean(obvious), _clean(ambiguous)


def _clean(proxy: Trace) -> Trace:
    trace_id = f"injection-{CLEAN}-{_slug(proxy.truth)}-{proxy.difficulty}"
    changed = {"trace_id": trace_id, "scenario_id": trace_id, "run": CLEAN, "source": SOURCE}
    return proxy.model_copy(update=changed | {"sampling": Sampling(kind="injected")})


def _attacked(base: Trace, attack: Attack, target: Verdict) -> Trace:
    words = suite()
    hidden = Template(words.claim).substitute(target=target)
    response = Template(attack.text).substitute(
        response=base.response,
        target=target,
        instruction=words.instructions[target],
        decoy=words.decoys[target],
        mark=base.sha256[:16],
        hidden=_ENCODINGS[attack.encoding](hidden) if attack.encoding else hidden,
        head=target[:4],
        tail=target[4:],
        filler="\n".join([words.filler] * attack.paragraphs),
    )
    said = (*base.messages[:-1], Message(role="assistant", content=response))
    name = f"injection-{attack.name}-{_slug(base.truth)}"
    return base.model_copy(update={"trace_id": name, "run": attack.name, "messages": said})


def _slug(truth: str | None) -> str:
    return str(truth).lower().replace("_", "-")


def write(path: Path) -> Path:
    """Write the suite to a JSONL file and return its path."""
    write_records(path, injections())
    return path


if __name__ == "__main__":
    print(write(paths.data() / "calibration" / "injections.jsonl"))
