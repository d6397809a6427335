"""Whether a line is a record, or the beginning of one that a crash cut off."""

import codecs
import json
import re
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)


def is_torn(tail: bytes, model: type[BaseModel]) -> bool:
    """Return whether bytes are the beginning of a record as it is written, and not yet a complete object.

    For a model that allows extra fields (rows that other programs write too) every torn JSON object is one.
    """
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(tail)  # a character may be torn as well
        part = from_json(text, allow_partial=True) if text else None
    except ValueError:  # not UTF-8, or not JSON so far
        return False
    keys = _keys(text)
    if not isinstance(part, dict) or keys is None:
        return False
    return not is_closed(model) or (
        not re.search(r"\s", _STRING.sub("", text))
        and _in_order(keys, model)
        and _fits(part, model, keys[-1].strip('"') if keys else None)
    )


def is_closed(model: type[BaseModel]) -> bool:
    """Return whether records have only the fields of the model, as those written here do."""
    return model.model_config.get("extra") == "forbid"


def _keys(text: str) -> list[str] | None:
    """Return the keys of the object that a text begins with, in their quotes; None if it is complete.

    The last key may be cut, and then lacks a quote.
    """
    keys, depth, is_key = [], 0, True
    for token in re.findall(f"{_STRING.pattern}|[{{}}\\[\\],]", text, re.DOTALL):
        if token[0] == '"' and depth == 1 and is_key:
            keys.append(token)
            is_key = False
        elif token == ",":
            is_key = True
        depth += (token in ("{", "[")) - (token in ("}", "]"))
        if not depth:
            return None
    return keys


def _in_order(keys: list[str], model: type[BaseModel]) -> bool:
    """Return whether these are the first fields of a record: in order, without a required one missing."""
    left = [(f'"{name}"', field.is_required()) for name, field in model.model_fields.items()]
    for key in keys:
        due = next((place for place, (_, required) in enumerate(left) if required), len(left))
        found = next((n for n, (name, _) in enumerate(left[: due + 1]) if name.startswith(key)), None)
        if found is None:
            return False
        left = left[found + 1 :]
    return True


def _fits(part: dict[str, object], model: type[BaseModel], last: str | None) -> bool:
    """Return whether the fields are valid for a record; the last one may be cut."""
    try:
        model.model_validate_json(json.dumps(part))
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)
        # Still to come are further fields, the rest of the last one, and what only a whole record can hold.
        return all(
            not one["loc"] or one["loc"][0] == last or (len(one["loc"]) == 1 and one["type"] == "missing")
            for one in wrong
        )
    return True


def is_whole(line: bytes, model: type[BaseModel]) -> bool:
    """Return whether a line is a record."""
    try:
        model.model_validate_json(line)
    except ValidationError:
        return False
    return True
