"""What is installed and reachable, and how to fix what is not."""

import json
import os
import re
import shutil
import sys
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from urllib.request import Request, urlopen

from ff_helpers import paths
from ff_helpers.parts import parts
from ff_helpers.pipeline.freshness import installed, sha256

ROOM_NEEDED = 200_000_000  # bytes that a run of all profiles may write, generously


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        what: its name.
        good: whether it is in order.
        found: what was found.
        mend: what to do; empty if nothing needs doing.
        needed: whether `make reproduce` needs it.
    """

    what: str
    good: bool
    found: str
    mend: str = ""
    needed: bool = True


def examine() -> list[Finding]:
    """Check everything that a run needs, without changing anything."""
    return [_python(), _packages(), *_parts(), *_outputs(), *_graders()]


def _python() -> Finding:
    good = (3, 11) <= sys.version_info[:2] <= (3, 14)
    mend = "" if good else "Install Python 3.11 to 3.14, then: make install"
    return Finding("Python", good, f"{sys.version.split()[0]} at {sys.executable}", mend)


def _packages() -> Finding:
    """Compare what is installed with the pins of requirements.lock that apply to this Python."""
    from packaging.markers import Marker

    lock = paths.root() / "requirements.lock"
    if not lock.exists():
        return Finding("packages", False, f"{lock} is missing", "Restore it: git checkout requirements.lock")
    wrong, count = [], 0
    text = lock.read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+?)(?: ; (.+?))?(?: \\)?$", text, re.MULTILINE)
    for name, pinned, marker in pins:
        if marker and not Marker(marker).evaluate():
            continue
        count += 1
        there = installed(name) or "missing"
        if there != pinned:
            wrong.append(f"{name} {there} (lock: {pinned})")
    mend = "Bring them to the lock: rm -r .venv && make install" if wrong else ""
    return Finding("packages", not wrong, ", ".join(wrong) or f"{count} as locked", mend)


def _parts() -> list[Finding]:
    findings = []
    for part in parts():
        states = {f.file: _part_state(paths.parts() / f.file, f.sha256) for f in part.files}
        bad = [f"{name} {state}" for name, state in states.items() if state != "ok"]
        good = f"{len(states)} files, hashes match"
        found = f"{len(bad)} of {len(states)} files: {bad[0]}" if bad else good
        mend = "Fetch it: make parts" if bad else ""
        findings.append(Finding(f"part {part.wheel}", not bad, found, mend))
    return findings


def _part_state(path: Path, digest: str) -> str:
    if not path.is_file():
        return "is missing"
    return "ok" if sha256(path) == digest else "does not match its checksum"


def _outputs() -> list[Finding]:
    """Check whether the outputs can be written, and how much space there is."""
    folder = paths.outputs()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    writable, free = os.access(there, os.W_OK), shutil.disk_usage(there).free
    roomy = free > ROOM_NEEDED
    other = "" if writable else "Not writable; name another folder: FF_OUTPUTS=..."
    mend = "" if roomy else "Make room, or name another FF_OUTPUTS"
    return [
        Finding("outputs", writable, str(folder), other),
        Finding("disk", roomy, f"{free / 1e9:.1f} GB free", mend),
    ]


def _graders() -> list[Finding]:
    findings = [Finding("grader heuristic", True, "keywords, always available")]
    llama = installed("xllamacpp")
    found = f"llama.cpp in xllamacpp {llama}" if llama else "xllamacpp is missing"
    mend = "" if llama else "Install it: make install"
    findings.append(Finding("grader embedded", llama is not None, found, mend))
    key = "OPENAI_API_KEY is set" if os.environ.get("OPENAI_API_KEY") else "OPENAI_API_KEY is not set"
    findings.append(Finding("grader openai", True, f"any compatible server; {key} (a local one needs none)"))
    return [*findings, _ollama()]


def ollama_models() -> dict[str, str]:
    """Return the digest of each model of the local Ollama server (OLLAMA_HOST); empty without a server."""
    try:
        return _ask_ollama()
    except (OSError, ValueError, KeyError):
        return {}


def _ask_ollama() -> dict[str, str]:
    address, user = _ollama_address()
    asked = Request(f"{address}/api/tags")
    if user:
        asked.add_header("Authorization", f"Basic {b64encode(unquote(user).encode()).decode()}")
    with urlopen(asked, timeout=2) as answer:
        return {model["name"]: model["digest"] for model in json.load(answer)["models"]}


def _ollama_address() -> tuple[str, str]:
    """Return the address in OLLAMA_HOST, and the user and password in it apart: these are never shown."""
    host = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434")
    scheme, _, rest = (host if "//" in host else f"http://{host}").rstrip("/").partition("//")
    user, _, there = rest.rpartition("@")
    return f"{scheme}//{there}", user


def _ollama() -> Finding:
    address, _ = _ollama_address()
    try:
        models = sorted(_ask_ollama())
    except (OSError, ValueError, KeyError) as error:
        mend = "Only `make ollama` needs it. Start it: ollama serve (another machine: OLLAMA_HOST=host:port)"
        return Finding("grader ollama", False, f"no answer at {address} ({error})", mend, needed=False)
    wanted = [name for name in _asked_for("ollama") if name not in models]
    pulls = "; ".join(f"ollama pull {name}" for name in wanted)
    mend = f"Only `make ollama` needs them: {pulls}" if wanted else ""
    found = f"at {address}: {', '.join(models) or 'no model'}"
    return Finding("grader ollama", not wanted, found, mend, needed=False)


def _asked_for(profile: str) -> list[str]:
    """Return the Ollama models that a profile grades with, without the host; empty without the profile."""
    path = paths.params() / f"{profile}.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return list(dict.fromkeys(re.findall(r"\bollama:([^\s@,\"'\]#]+)", text)))
