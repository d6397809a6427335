"""The proof that a model read the whole prompt.

Ollama cuts a prompt that is longer than `num_ctx` without an error, and so do many other servers. No
tokenizer in use makes more tokens than bytes, so a prompt whose bytes fit the context cannot be cut. Where
only its tokens may fit, they are measured first, in pieces whose bytes fit: a text never has more tokens
than its pieces together. The count reported with the answer is checked against both.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from ff_helpers.chat.protocol import ChatFaultError, Turn

UNTOLD: Final = 4096
"""Least context in tokens of a server that does not report it (Ollama's own default)."""

_TEMPLATE, _PER_TURN = 256, 16  # tokens that a chat template adds, generously


def size(turns: Sequence[Turn]) -> int:
    """Return the bytes of a conversation: no tokenizer in use makes more tokens than bytes."""
    return sum(len(turn["content"].encode("utf-8", "surrogatepass")) for turn in turns)


def frame(turns: Sequence[Turn]) -> int:
    """Return the tokens that a chat template may add to a conversation."""
    return _TEMPLATE + _PER_TURN * len(turns)


def surely_fits(turns: Sequence[Turn], num_ctx: int, answer: int) -> bool:
    """Return whether a prompt and its answer fit a context under any tokenizer."""
    return size(turns) + frame(turns) + answer <= num_ctx


def pieces(turns: Sequence[Turn], num_ctx: int) -> Iterator[list[Turn]]:
    """Cut a conversation into prompts that fit a context under any tokenizer, to count its tokens.

    Raises:
        ChatFaultError: `context_overflow`: the context is too small for any piece.
    """
    room = num_ctx - frame([{}]) - 1
    if room < 4:  # a character has four bytes at most
        raise ChatFaultError("context_overflow", f"a context of {num_ctx} tokens is too small for any prompt")
    for turn in turns:
        data = turn["content"].encode("utf-8", "surrogatepass")
        start = 0
        while start < len(data):
            end = start + room
            while end < len(data) and data[end] & 0xC0 == 0x80:  # inside a character
                end -= 1
            yield [{"role": "user", "content": data[start:end].decode("utf-8", "surrogatepass")}]
            start = end


def prove_nothing_cut(turns: Sequence[Turn], count: int | None, num_ctx: int | None, answer: int) -> int:
    """Return the count of a prompt that was read whole, with room for the answer; raise otherwise.

    No tokenizer in use spends less than one token on a word between blanks, so fewer tokens than words
    means that words were lost.

    Args:
        turns: the prompt.
        count: the prompt tokens that the server reports.
        num_ctx: the context in tokens, where it is known.
        answer: tokens that the answer may take.

    Raises:
        ChatFaultError: `context_overflow`, or `server_error` if there is no count to prove it.
    """
    words = _words(turns)
    if not count:
        why = "the server reports no prompt tokens, so nothing proves that the prompt was read whole"
        raise ChatFaultError("server_error", why)
    if count < words:
        why = f"the server read {count} tokens of a prompt of {words} words, so it cut the prompt"
        raise ChatFaultError("context_overflow", why)
    if num_ctx is not None and count + answer > num_ctx:
        why = f"{count} prompt tokens and the answer do not fit num_ctx = {num_ctx}"
        raise ChatFaultError("context_overflow", why)
    return count


def prove_grown(before: int | None, after: int | None, added: Sequence[Turn]) -> None:
    """Raise if a continued conversation has fewer tokens than it must: messages were dropped.

    Args:
        before: prompt tokens of its beginning, which was read whole.
        after: prompt tokens of all of it.
        added: words of the continuation, at least one token each.

    Raises:
        ChatFaultError: `context_overflow`.
    """
    words = _words(added)
    if before is not None and after is not None and after < before + words:
        why = (
            f"the server read {after} tokens of a prompt that began with {before} and had {words} words more"
        )
        raise ChatFaultError("context_overflow", why)


def _words(turns: Sequence[Turn]) -> int:
    return sum(len(turn["content"].split()) for turn in turns)
