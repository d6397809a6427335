"""Files in object stores: `s3://`, `gs://`, `https://` are read where the extra `stores` is installed.

An address becomes a path over fsspec (`UPath`), so that whatever reads a file reads an object as well; DuckDB
reads through the same. Nothing is written there: a ledger is appended to, and objects cannot be. Credentials
are those of the environment, as the store's library reads them; no message of that library is passed on: it
may quote a signed address.
"""

import logging
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from ff_helpers.errors import FFError

if TYPE_CHECKING:
    import duckdb

SCHEMES: Final = ("s3", "gs", "https", "http")
_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_HERE: Final = ("127.0.0.1", "localhost", "::1")
_RETRY: Final = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
_CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for another endpoint, AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
_SIGNS: Final = {
    "redirect": "a redirect without a target: is it another region?",
    "scheme is not allowed": "its endpoint is http://, which needs AWS_ALLOW_HTTP=true",
}
"""What a message of the store's library holds, and what it means."""


class StoreError(FFError):
    """An object that cannot be read."""

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(f"{public(address)}: {problem}")


def is_address(text: str) -> bool:
    """Return whether a text is an address, such as `s3://bucket/key`, and not a path."""
    return _ADDRESS.match(text) is not None


def public(address: str) -> str:
    """Return an address without what may be secret in it: a password, and the signature after `?`."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def input_path(text: str) -> Path:
    """Return a path to read from: of a file or folder here, or of an object or prefix in a store.

    Raises:
        FFError: the extra is not installed, or the address is of no kind that can be read.
        StoreError: there is no such object or prefix, or it may not be read.
    """
    if not is_address(text):
        return Path(text)
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        raise StoreError(text, f"cannot be read. Allowed: a path, or an address {'://, '.join(SCHEMES)}://.")
    if scheme == "http" and parts.hostname not in _HERE:
        raise StoreError(text, "http:// can be changed on its way: use https://.")
    if parts.query or parts.username:
        raise StoreError(text, "give the address alone: credentials are taken from the environment.")
    path = _opened(text, scheme)
    try:
        kind = path.fs.info(path.path)["type"]  # type: ignore[attr-defined]
    except Exception as error:
        raise _refused(text, scheme, error) from None
    if kind not in ("file", "directory"):
        raise StoreError(text, "is neither an object nor a prefix of objects.")
    return path


def check_local(text: str) -> None:
    """Raise where a file must be on this machine: what is written, and what is read more than once.

    Raises:
        StoreError: the text is an address.
    """
    if is_address(text):
        raise StoreError(
            text,
            "must be on this machine. `ff asr`, --traces and --labels read from an object store; nothing is "
            "written there, since a ledger is appended to and an object cannot be.",
        )


def register(connection: "duckdb.DuckDBPyConnection", files: Sequence[Path]) -> None:
    """Let DuckDB read those of the files that are in stores."""
    for one in files:
        filesystem = getattr(one, "fs", None)
        if filesystem is not None and not connection.filesystem_is_registered(str(filesystem.protocol)):
            connection.register_filesystem(filesystem)


def said_of_store(error: BaseException) -> str | None:
    """Return what went wrong where a store failed while a file was read; None for any other error."""
    known = getattr(sys.modules.get("obstore.exceptions"), "BaseError", None)
    if known is None or not isinstance(error, known):
        return None
    return f"an object store failed while a file was read ({_meaning(error)}). Run the command again."


def _opened(address: str, scheme: str) -> Path:
    try:
        import obstore.fsspec
        from upath import UPath
    except ImportError:
        raise StoreError(
            address,
            "reading from object stores needs obstore, which is not installed here. Install it with "
            "`tools/python.sh tools/install.py stores`, or elsewhere `pip install 'ff-helpers[stores]'`.",
        ) from None
    logging.getLogger("obstore").setLevel(logging.CRITICAL)
    obstore.fsspec.register(list(SCHEMES))
    # Options of the client would hide those of the environment, AWS_ALLOW_HTTP among them.
    if scheme == "http":
        return cast(Path, UPath(address, retry_config=_RETRY, client_options={"allow_http": True}))
    return cast(Path, UPath(address, retry_config=_RETRY))


def _refused(address: str, scheme: str, error: Exception) -> StoreError:
    """Return the error about an object, in our words."""
    if type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError"):
        named = _CREDENTIALS.get(scheme)
        mend = f" Credentials are read from the environment: {named}." if named else ""
        return StoreError(address, f"the store refuses access ({_meaning(error)}).{mend}")
    if "NoSuchBucket" in str(error):
        return StoreError(address, "there is no such bucket.")
    if isinstance(error, FileNotFoundError):
        return StoreError(address, "there is no such object, and none below it.")
    return StoreError(address, f"cannot be read ({_meaning(error)}). Is the address right, and the store up?")


def _meaning(error: BaseException) -> str:
    """Return what a store answered: its status, never its text."""
    found = re.search(r"status code: (\d{3})", str(error))
    if found:
        return f"HTTP {found[1]}"
    for sign, meaning in _SIGNS.items():
        if sign in str(error):
            return meaning
    return type(error).__name__
