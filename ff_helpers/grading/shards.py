"""Shards: a trace file divided among machines that share nothing, by the hash of each trace's id.

The shard of a trace depends on its id alone: not on its place in the file, nor on what else is in it. So each
shard is a random sample of the traces, and a file that has grown sends no trace to another shard.
"""

import hashlib
import re
from functools import lru_cache
from typing import Final, NamedTuple

from ff_helpers.errors import FFError, quoted

_WRITTEN: Final = re.compile(r"0*(\d{1,9})/0*(\d{1,9})", re.ASCII)


class Shard(NamedTuple):
    """One of several shards.

    Attributes:
        number: from 1 to `of`.
        of: how many shards there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, trace_id: str) -> bool:
        """Return whether a trace belongs to this shard."""
        return shard_of(trace_id, self.of) == self.number


class BadShardError(FFError, ValueError):
    """A shard that cannot be."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{quoted(text)} is not a shard: write I/N, such as 3/16 for the third of 16, with I from 1 to N."
        )


@lru_cache(maxsize=1024)  # each record of a ledger says its shard
def read_shard(text: str) -> Shard:
    """Return the shard that is written as `3/16`.

    Raises:
        BadShardError: it is written otherwise, or its number is not from 1 to how many there are.
    """
    found = _WRITTEN.fullmatch(text)
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 1 <= shard.number <= shard.of:
        raise BadShardError(text)
    return shard


def shard_of(trace_id: str, shards: int) -> int:
    """Return the number of a trace's shard, from 1."""
    digest = hashlib.blake2b(trace_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) % shards + 1
