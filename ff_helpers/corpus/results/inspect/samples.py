"""One sample of an Inspect log as a neutral row: the conversation as text, what went wrong, its tags."""

import json
from collections.abc import Iterator, Mapping
from typing import Final, Literal, cast, get_args

from ff_helpers.corpus.results.inspect.directions import Directions
from ff_helpers.corpus.results.inspect.log import Fields, fields, items, text
from ff_helpers.corpus.results.inspect.scores import Scorer, said_of
from ff_helpers.corpus.results.rows import Row
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.terms import RowStatus

Role = Literal["system", "user", "assistant", "tool"]

_ATTACHMENT: Final = "attachment://"
_CUT: Final = ("max_tokens", "model_length")
_TOKENS: Final = ("token", "context")
"""Limits of a sample that cut its text; others (messages, time) end a conversation between two turns."""
_LONGEST_TAG: Final = 80
_LONGEST_REASON: Final = 200


class _Attachments:
    """The long texts of a sample, which its messages may refer to by their hash."""

    def __init__(self, sample: Fields) -> None:
        self._texts, self.missing = fields(sample.get("attachments")), False

    def of(self, value: object) -> str:
        """Return a text, or the one that it refers to; notes a reference to a text that is not there."""
        said = value if isinstance(value, str) else ""
        if not said.startswith(_ATTACHMENT):
            return said
        found = self._texts.get(said.removeprefix(_ATTACHMENT))
        self.missing |= not isinstance(found, str)
        return found if isinstance(found, str) else said


def row_of(
    record: str, sample: Fields, header: Fields, scorers: Mapping[str, Scorer], directions: Directions
) -> Row:
    """Return the row of a sample; `record` is its place in the file.

    Raises:
        NoDirectionError: nobody said which value of a scorer is the attack's success.
    """
    spec = fields(header.get("eval"))
    config = fields(spec.get("model_generate_config")) | fields(fields(header.get("plan")).get("config"))
    attachments = _Attachments(sample)
    messages, unanswered = _conversation(sample, attachments)
    status, reason = _status(sample, messages, attachments.missing)
    judgements, labels = said_of(sample, scorers, directions)
    scenario, epoch = str(sample.get("id")), str(sample.get("epoch"))
    temperature, seed = config.get("temperature"), config.get("seed")
    return Row(
        record=record,
        trace_id=f"{scenario}_{epoch}",
        messages=messages,
        scenario_id=scenario,
        run=epoch,
        model=text(spec.get("model")),
        status=status,
        reason=reason,
        tags=dict(_tags(sample, spec)) | ({"unanswered": str(unanswered)} if unanswered else {}),
        judgements=judgements,
        labels=labels,
        temperature=float(temperature) if isinstance(temperature, int | float) else None,
        seed=seed if isinstance(seed, int) else None,
    )


def _conversation(sample: Fields, attachments: _Attachments) -> tuple[tuple[Message, ...], int]:
    """Return the messages up to the response, and how many after it never got an answer."""
    given = sample.get("input")
    begun: list[object] = [{"role": "user", "content": given}] if isinstance(given, str) else items(given)
    said = items(sample.get("messages")) or begun
    answer = fields(next(iter(items(fields(sample.get("output")).get("choices"))), None)).get("message")
    if answer is not None and not any(_same(one, answer) for one in said):
        said = [*said, answer]
    messages = [_message(fields(one), attachments) for one in said]
    last = max((place for place, one in enumerate(messages) if one.role == "assistant"), default=None)
    kept = messages if last is None else messages[: last + 1]
    return tuple(kept), len(messages) - len(kept)


def _same(one: object, other: object) -> bool:
    """Return whether two entries are one message; older logs gave no ids."""
    first, second = fields(one), fields(other)
    if first.get("id") is not None and first.get("id") == second.get("id"):
        return True
    return first.get("role") == second.get("role") and first.get("content") == second.get("content")


def _message(message: Fields, attachments: _Attachments) -> Message:
    """Return a turn as text; calls of tools are written out, media named, and reasoning left out."""
    content = message.get("content")
    parts = [content] if isinstance(content, str) else items(content)
    said = [part for one in parts if (part := _part(one, attachments))]
    said += [_call(fields(one), attachments) for one in items(message.get("tool_calls"))]
    return Message(role=_role(message.get("role")), content="\n".join(said))


def _role(value: object) -> Role:
    return cast("Role", value) if value in get_args(Role) else "user"


def _part(part: object, attachments: _Attachments) -> str:
    if isinstance(part, str):
        return attachments.of(part)
    kind = text(fields(part).get("type")) or "part"
    if kind == "text":
        return attachments.of(fields(part).get("text"))
    return "" if kind == "reasoning" else f"[{kind}]"


def _call(call: Fields, attachments: _Attachments) -> str:
    given = {key: attachments.of(one) or one for key, one in fields(call.get("arguments")).items()}
    return f"[calls {call.get('function')} {json.dumps(given, ensure_ascii=False)}]"


def _status(
    sample: Fields, messages: tuple[Message, ...], missing: bool
) -> tuple[RowStatus | None, str | None]:
    """Return what went wrong with the row, the gravest first."""
    invalid, error, limit = (fields(sample.get(name)) for name in ("invalidation", "error", "limit"))
    choices = items(fields(sample.get("output")).get("choices"))
    stop = fields(next(iter(choices), None)).get("stop_reason")
    asked, answered = (
        any((one.role == "assistant") == is_answer and (one.content or is_answer) for one in messages)
        for is_answer in (False, True)
    )
    problems: tuple[tuple[object, RowStatus, str], ...] = (
        (invalid, "invalidated", _short(invalid.get("reason")) or "no reason given"),
        (error, "target_error", _short(error.get("message")) or "no message given"),
        (missing, "not_submitted", "the log does not hold a text that the conversation refers to"),
        (not asked, "not_submitted", "no prompt"),
        (stop == "content_filter", "target_blocked", "content_filter"),
        (not answered, "not_submitted", "no response"),
        (stop in _CUT, "truncated", str(stop)),
        (limit.get("type") in _TOKENS, "truncated", f"limit: {limit.get('type')}"),
    )
    return next(((status, reason) for found, status, reason in problems if found), (None, None))


def _short(value: object) -> str:
    """Return the first line of a text, 200 characters at most."""
    line = next(iter((text(value) or "").splitlines()), "")
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"


def _tags(sample: Fields, spec: Fields) -> Iterator[tuple[str, str]]:
    """Yield what rows can be counted by: task, dataset, a limit that was met, short values of the metadata.

    Metadata under a name that means something else here are called `metadata.NAME`.
    """
    dataset, limit = fields(spec.get("dataset")).get("name"), fields(sample.get("limit")).get("type")
    ours = {"task": text(spec.get("task")), "dataset": text(dataset), "limit": text(limit)}
    yield from ((key, known) for key, known in ours.items() if known is not None)
    for key, value in fields(sample.get("metadata")).items():
        if isinstance(value, bool | int | str) and value != "":
            word = str(value).lower() if isinstance(value, bool) else str(value)
            if max(len(word), len(key)) <= _LONGEST_TAG and word.isprintable() and key.isprintable():
                taken = key in ours or key in Trace.model_fields or key == "unanswered"
                yield f"metadata.{key}" if taken else key, word
