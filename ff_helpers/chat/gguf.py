"""Any GGUF file that the user has, and what its header says, read without loading the model.

Format: the GGUF specification, versions 2 and 3 (ggml, docs/gguf.md): magic, counts, typed key-value pairs,
then one entry per tensor. Vocabularies are skipped and tensors never read.
"""

import hashlib
import mmap
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ff_helpers import paths
from ff_helpers.chat.embedded import Embedded, Weights
from ff_helpers.errors import FFError

_SCALARS: Final = dict(enumerate(("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?")))
_SCALARS.update({10: "<Q", 11: "<q", 12: "<d"})
_STRING, _ARRAY = 8, 9
_KEPT: Final = 1024  # longer arrays are vocabularies
_QUANTIZATIONS: Final = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
    36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE",
}  # fmt: skip
"""`general.file_type` in words (llama.cpp, `llama_ftype`)."""


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of its model.

    Attributes:
        name: the maker's name for it; empty if there is none.
        architecture: such as `qwen2` or `llama`.
        context: tokens that it was trained for; None if the file does not say.
        quantization: such as Q4_K_M; None if the file does not say.
        has_template: whether it brings a chat template.
        kv_bytes: bytes of memory per token of context, in 16 bits; 0 if the file does not say.
        parts: files that the model is split into; 1 if it is whole.
    """

    name: str
    architecture: str
    context: int | None
    quantization: str | None
    has_template: bool
    kv_bytes: int
    parts: int


def open_gguf(name: str, /, *, concurrency: int = 1, timeout: float = 0.0) -> Embedded:  # noqa: ARG001
    """Return the model of a GGUF file, to run in this process.

    The grader's name is the file's, without its ending; for a file of Ollama's store (`sha256-...`) it is the
    name in the header. Its identity is the sha256 of its bytes.

    Args:
        name: the path; `~` is the home folder; a relative one is taken from the working directory, else from
            the project folder.
        concurrency: requests at once.

    Raises:
        FFError: no such file, not a whole GGUF file of one part, or it does not fit the memory.
    """
    path = Path(name).expanduser()
    if not path.is_absolute() and not path.exists():
        path = paths.root() / path
    header = read_header(path)
    if header.parts > 1:
        raise FFError(
            f"{path}: one of {header.parts} parts of a model. Join them first: llama-gguf-split --merge "
            f"{path.name} WHOLE.gguf"
        )
    if not header.has_template:
        print(
            f"warning: {path.name} has no chat template, so llama.cpp writes conversations in its default "
            "one (ChatML), which this model may not know. A base model is no grader.",
            file=sys.stderr,
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    made = re.sub(r"[^\w.]+", "-", header.name).strip("-").lower()
    called = path.name.removesuffix(".gguf")
    called = made or called[:19] if called.startswith("sha256-") else called
    weights = Weights(path, digest, header.context or 4096, header.quantization, header.kv_bytes)
    return Embedded(called, weights, concurrency=concurrency)


def read_header(path: Path) -> Header:
    """Return what the header of a GGUF file says.

    Raises:
        FFError: no such file, another kind of file, or the file is cut.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise FFError(f"{path}: not a GGUF file. Models of llama.cpp, Ollama and LM Studio are.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                found, begins = _Reader(data).pairs()
    except OSError as error:
        raise FFError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (struct.error, KeyError, OverflowError, RecursionError):
        raise _cut(path) from None
    if begins > size:
        raise _cut(path)
    return _header(found)


def _cut(path: Path) -> FFError:
    return FFError(f"{path}: the file is cut or damaged. Fetch it again, and compare its size and sha256.")


class _Reader:
    """Reads on through the bytes of a header."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._at = data, 4

    def pairs(self) -> tuple[dict[str, object], int]:
        """Return the key-value pairs without long arrays, and where the last tensor begins."""
        version = self._take("<I")
        if version not in (2, 3):
            raise KeyError(version)
        tensors, count = self._take("<Q"), self._take("<Q")
        found = {self._text(): self._value(self._take("<I")) for _ in range(count)}
        last = 0
        for _ in range(tensors):
            self._text()
            dimensions = self._take("<I")
            self._at += 8 * dimensions + 4  # their sizes, the type
            last = max(last, self._take("<Q"))
        return found, self._at + last

    def _take(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return value  # type: ignore[no-any-return]

    def _text(self) -> str:
        length = self._take("<Q")
        text = self._data[self._at : self._at + length]
        if len(text) < length:
            raise struct.error
        self._at += length
        return text.decode("utf-8", "replace")

    def _value(self, kind: int) -> object:
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            return self._take(_SCALARS[kind])
        inner, count = self._take("<I"), self._take("<Q")
        if count <= _KEPT:
            return [self._value(inner) for _ in range(count)]
        if inner in _SCALARS:
            self._at += count * struct.calcsize(_SCALARS[inner])
        else:
            for _ in range(count):
                self._value(inner)
        return None


def _header(found: dict[str, object]) -> Header:
    kind = str(found.get("general.architecture", ""))

    def number(key: str) -> int:
        value = found.get(f"{kind}.{key}")
        numbers = [n for n in (value if isinstance(value, list) else [value]) if isinstance(n, int)]
        return max(numbers, default=0)

    heads = number("attention.head_count")
    width = number("embedding_length") // heads if heads else 0
    key, value = number("attention.key_length") or width, number("attention.value_length") or width
    file_type, parts = found.get("general.file_type"), found.get("split.count")
    return Header(
        name=str(found.get("general.name", ""))[:80],
        architecture=kind,
        context=number("context_length") or None,
        quantization=_QUANTIZATIONS.get(file_type) if isinstance(file_type, int) else None,
        has_template="tokenizer.chat_template" in found,
        kv_bytes=2 * number("block_count") * (number("attention.head_count_kv") or heads) * (key + value),
        parts=parts if isinstance(parts, int) and parts > 0 else 1,
    )
