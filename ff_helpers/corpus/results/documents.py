"""JSON documents decoded value by value: what a file holds is never in memory as a whole."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from ff_helpers.errors import FFError

_CHUNK: Final = 1 << 20
_DECODER: Final = json.JSONDecoder()


class Document:
    """A JSON object that is decoded value by value, with only the current one in memory."""

    def __init__(self, path: Path, file: BinaryIO, *, streamed: str | None = None) -> None:
        """Begin to read.

        Args:
            path: the file, for errors.
            file: the same, open.
            streamed: a field that is not decoded as one value: of an array `items` yields what is in it, of
                an object `fields`.
        """
        self._path, self._file, self._streamed = path, file, streamed
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._items = "", 0, 0

    def fields(self, *, whole: bool = False) -> Iterator[tuple[str, object]]:
        """Yield key and value of the object that comes next; of the streamed field the value is None.

        The caller takes what is in it before the next field; without `whole` it is the last field.

        Raises:
            FFError: not JSON, or cut off.
        """
        self._expect("{")
        while True:
            key = self._value()
            self._expect(":")
            if key == self._streamed and self._next() in "[{":
                yield str(key), None
                if not whole:
                    return
            else:
                yield str(key), self._value()
            if self._expect(",}") == "}":
                return

    def items(self) -> Iterator[object]:
        """Yield the items of the array that comes next."""
        self._expect("[")
        if self._next() == "]":
            self._expect("]")
            return
        while True:
            yield self._value()
            self._items += 1
            if self._expect(",]") == "]":
                return

    def _value(self) -> object:
        self._next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # Cut by the end of what was read so far, or wrong in the middle of it?
                if not error.msg.startswith("Unterminated") and error.pos < len(self._text) - 12:
                    raise self._broken() from None
            except (ValueError, RecursionError):
                raise self._broken() from None
            else:
                if end < len(self._text) or not self._more():
                    self._at = end
                    return cast("object", value)
                continue
            if not self._more():
                raise self._cut()

    def _next(self) -> str:
        """Return the next character other than white space, without taking it."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise self._cut()

    def _expect(self, marks: str) -> str:
        found = self._next()
        if found not in marks:
            raise self._broken()
        self._at += 1
        return found

    def _more(self) -> bool:
        """Read on, twice as much each time a value needs more; return whether there was more."""
        rest = self._text[self._at :]
        try:
            raw = self._file.read(max(_CHUNK, len(rest)))
            read = self._decode.decode(raw, final=not raw)
        except UnicodeDecodeError:
            raise self._broken() from None
        self._text, self._at = rest + read, 0
        return bool(raw)

    def _broken(self) -> FFError:
        return FFError(f"{self._path}: no valid JSON before byte {self._file.tell():,}")

    def _cut(self) -> FFError:
        whole = f" after {self._items:,} whole records" if self._items else ""
        return FFError(
            f"{self._path}: it is cut off or damaged{whole}. Copy it again from where it was written."
        )
