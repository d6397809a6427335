"""Inspect's log files, `.eval` and `.json`: their header, and their samples one at a time.

A `.eval` is a zip whose members are compressed with zstd, which `zipfile` cannot read before Python 3.14; a
`.json` is one document, which is decoded value by value. Neither is ever read whole. The layout is that of
inspect_ai 0.3.285, whose own reader is `inspect_ai.log.read_eval_log`.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, cast

import zstandard
from pydantic_core import from_json

from ff_helpers.corpus.results.documents import Document
from ff_helpers.corpus.results.reading import VersionError
from ff_helpers.errors import FFError, named

Fields = dict[str, object]
"""A JSON object, whatever its fields."""

VERSIONS: Final = (1, 2)
"""The versions of the log format that are known."""
_ZSTD: Final = 93
_CHUNK: Final = 1 << 22
_LOCAL_HEADER: Final = 30


class InspectLogError(FFError):
    """An Inspect log that cannot be read, or not without an answer from the user."""

    def __init__(self, path: Path, record: str, problem: str) -> None:
        super().__init__(f"{path}: {named(record)}: {problem}" if record else f"{path}: {problem}")


def fields(value: object) -> Fields:
    """Return a JSON object, or an empty one for anything else."""
    return cast("Fields", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return a JSON array, or an empty one for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str | None:
    """Return a text, or None for anything else and for an empty one."""
    return value if isinstance(value, str) and value else None


def is_zip(head: bytes) -> bool:
    """Return whether a file that begins so is a zip."""
    return head.startswith(b"PK\x03\x04")


def header_of(path: Path, head: bytes) -> Fields | None:
    """Return everything of a log but its samples; None: a zip of something else.

    Raises:
        InspectLogError: the file is cut off or damaged.
        VersionError: it is of an unknown version.
    """
    header = _zip_header(path) if is_zip(head) else _json_header(path)
    if header is None:
        return None
    version = header.get("version")
    if version not in VERSIONS:
        known = ", ".join(str(one) for one in VERSIONS)
        raise VersionError(path, "Inspect in log format", str(version), known)
    return header


def count_of(path: Path) -> int:
    """Return how many samples a `.eval` has."""
    with _opened(path) as archive:
        return len(_members(archive))


def samples_of(path: Path, head: bytes) -> Iterator[tuple[str, Fields]]:
    """Yield each sample with its place in the file, such as `samples/3_epoch_1.json` or `samples[3]`.

    Raises:
        InspectLogError: a sample is damaged, or the file is cut off.
    """
    return _zip_samples(path) if is_zip(head) else _json_samples(path)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise _cut(path) from None


def _cut(path: Path) -> InspectLogError:
    return InspectLogError(
        path, "", "the log is cut off or damaged. Copy it again from where it was written."
    )


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the samples: of two members with one name the later, which replaces the earlier."""
    return [
        info
        for name, info in archive.NameToInfo.items()
        if name.startswith("samples/") and name.endswith(".json")
    ]


def _zip_header(path: Path) -> Fields | None:
    """Return header.json; a log that was never finished has only what it began with."""
    with _opened(path) as archive, path.open("rb") as file:
        for name, more in (("header.json", {}), ("_journal/start.json", {"status": "started"})):
            if name in archive.NameToInfo:
                return fields(_member(path, file, archive, archive.NameToInfo[name])) | more
    return None


def _zip_samples(path: Path) -> Iterator[tuple[str, Fields]]:
    with _opened(path) as archive, path.open("rb") as file:
        for info in _members(archive):
            yield info.filename, fields(_member(path, file, archive, info))


def _member(path: Path, file: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> object:
    """Return the JSON of one member of the archive."""
    try:
        content = _unpacked(file, info) if info.compress_type == _ZSTD else archive.read(info)
        return _parsed(content)
    except (zipfile.BadZipFile, zstandard.ZstdError, zlib.error, EOFError, NotImplementedError):
        raise InspectLogError(path, info.filename, "damaged: it cannot be unpacked") from None
    except (ValueError, RecursionError):
        raise InspectLogError(path, info.filename, "no valid JSON") from None


def _unpacked(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """Return a member compressed with zstd, which may consist of several frames.

    Raises:
        zipfile.BadZipFile: it has another length or checksum than the archive says.
    """
    file.seek(info.header_offset)
    start = file.read(_LOCAL_HEADER)
    file.seek(int.from_bytes(start[26:28], "little") + int.from_bytes(start[28:30], "little"), 1)
    packed = file.read(info.compress_size)
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
        parts = iter(lambda: reader.read(_CHUNK), b"")
        content = b"".join(islice(parts, -(-info.file_size // _CHUNK)))[: info.file_size]
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile
    return content


def _parsed(content: bytes) -> object:
    """Return JSON; the fast parser knows fewer levels of nesting and no halves of characters."""
    try:
        return cast("object", from_json(content))
    except ValueError:
        return cast("object", json.loads(content))


def _json_header(path: Path) -> Fields:
    """Return everything before the samples; `samples` is there, as an empty list, where there are none."""
    header: Fields = {"samples": []}
    with path.open("rb") as file:
        document = Document(path, file, streamed="samples")
        for key, value in document.fields():
            if key != "samples":
                header[key] = value
            elif next(document.items(), None) is not None:
                del header["samples"]
    return header


def _json_samples(path: Path) -> Iterator[tuple[str, Fields]]:
    with path.open("rb") as file:
        document = Document(path, file, streamed="samples")
        for key, _ in document.fields(whole=True):
            if key == "samples":
                for number, sample in enumerate(document.items()):
                    yield f"samples[{number}]", fields(sample)
