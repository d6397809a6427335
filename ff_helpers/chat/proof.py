"""The proof that a model read the whole prompt, from the token count that its server returns.

Ollama cuts a prompt that is longer than `num_ctx` without an error; so does many another server.
"""

from collections.abc import Sequence

from ff_helpers.chat.protocol import ChatFaultError, Turn


def size(turns: Sequence[Turn]) -> int:
    """Return the bytes of a conversation: no tokenizer in use makes more tokens than bytes."""
    return sum(len(turn["content"].encode("utf-8", "surrogatepass")) for turn in turns)


def prove_nothing_cut(turns: Sequence[Turn], count: int | None, num_ctx: int | None, answer: int) -> None:
    """Raise unless the server read the whole prompt and had room to answer.

    A prompt that was cut ends at `num_ctx`, or has lost whole messages. No tokenizer in use spends less
    than one token on a word between blanks, so fewer tokens than words means that words were lost.

    Args:
        turns: the prompt.
        count: the prompt tokens that the server reports.
        num_ctx: the context in tokens, where it is known.
        answer: tokens that the answer may take.

    Raises:
        ChatFaultError: `context_overflow`, or `server_error` where there is no count to prove it.
    """
    words = sum(len(turn["content"].split()) for turn in turns)
    if not count:
        why = "the server reports no prompt tokens, so nothing proves that the prompt was read whole"
        raise ChatFaultError("server_error", why)
    if count < words:
        why = f"the server read {count} tokens of a prompt of {words} words, so it cut the prompt"
        raise ChatFaultError("context_overflow", why)
    if num_ctx is not None and count + answer > num_ctx:
        why = f"{count} prompt tokens and the answer do not fit num_ctx = {num_ctx}"
        raise ChatFaultError("context_overflow", why)
