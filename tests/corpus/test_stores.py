"""Files in object stores, read by the commands from a server that speaks S3 and plain HTTP."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ff_helpers.corpus import stores
from ff_helpers.measurement.rates.compacted import compact
from tests.conftest import ROOT, Project
from tests.object_store import SECRET, Store, object_store

LEDGER = ROOT / "data" / "recorded" / "smollm2-135m.jsonl"
TRACES = ROOT / "data" / "calibration" / "proxies.jsonl"
ASKED = ("--by", "model", "intent", "--csv")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    pytest.importorskip("obstore", reason="obstore is not installed: tools/install.py stores")
    pytest.importorskip("upath", reason="universal-pathlib is not installed: tools/install.py stores")
    bucket = tmp_path / "buckets" / "bucket"
    (bucket / "study" / "parts").mkdir(parents=True)
    shutil.copy(LEDGER, bucket / "study" / "v.jsonl")
    shutil.copy(TRACES, bucket / "study" / "traces.jsonl")
    lines = LEDGER.read_bytes().splitlines(keepends=True)
    for name, part in (("a", lines[:300]), ("b", lines[300:])):
        (bucket / "study" / "parts" / f"{name}.jsonl").write_bytes(b"".join(part))
    compact(LEDGER, bucket / "study" / "v.parquet", traces=[TRACES])
    with object_store(tmp_path / "buckets") as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


def table(project: Project, *words: str) -> str:
    done = project.ff("asr", *words, *ASKED)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done.stdout


def test_ledgers_traces_folders_and_parquet_are_counted_there(store: Store, project: Project) -> None:
    here = table(project, str(LEDGER), "--traces", str(TRACES))
    assert len(here.splitlines()) > 5
    for root in ("s3://bucket", f"{store.address}/bucket"):
        traces = f"{root}/study/traces.jsonl"
        assert table(project, f"{root}/study/v.jsonl", "--traces", traces) == here
        assert table(project, f"{root}/study/v.parquet") == here
    assert table(project, "s3://bucket/study/parts", "--traces", "s3://bucket/study/traces.jsonl") == here
    ranges = [one for one in store.asked if "v.parquet bytes=" in one]
    assert ranges
    assert not any(one.startswith(("PUT", "POST", "DELETE")) for one in store.asked)


def test_traces_of_a_store_are_graded_into_a_ledger_here(store: Store, project: Project) -> None:
    words = ("grade", "--traces", "s3://bucket/study/traces.jsonl", "--grader", "heuristic")
    done = project.ff(*words, "--ledger", "v.jsonl", "--limit", "5")
    assert done.returncode == 0, done.stderr
    assert len((project.folder / "v.jsonl").read_text().splitlines()) == 5
    refused = project.ff(*words, "--ledger", "s3://bucket/v.jsonl")
    assert refused.returncode == 2
    assert "s3://bucket/v.jsonl: must be on this machine" in refused.stderr
    assert "an object cannot be" in refused.stderr


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("s3://nothing/v.jsonl", "there is no such bucket"),
        ("s3://bucket/nothing.jsonl", "there is no such object"),
        ("s3://denied/v.jsonl", "the store refuses access (HTTP 403). Credentials are read from the environ"),
        ("{http}/denied/v.jsonl", "the store refuses access (HTTP 403)."),
        ("{http}/bucket/nothing", "cannot be read (HTTP 501)"),
        ("http://example.org/v.jsonl", "use https://"),
        ("ftp://example.org/v.jsonl", "Allowed: a path, or an address s3://, gs://, https://, http://"),
        ("https://user:word@example.org/v.jsonl", "credentials are taken from the environment"),
        ("https://example.org/v.jsonl?X-Amz-Signature=word", "credentials are taken from the environment"),
    ],
)
def test_a_bad_address_is_named_with_the_problem(
    store: Store, capsys: pytest.CaptureFixture[str], address: str, problem: str
) -> None:
    from ff_helpers.cli import main

    address = address.format(http=store.address)
    with pytest.raises(SystemExit, match="2"):
        main(["asr", address])
    said = capsys.readouterr().err
    assert f"{stores.public(address)}: " in said
    assert problem in said
    assert SECRET not in said
    assert "word" not in said


def test_half_an_object_and_a_moved_one(store: Store, project: Project, tmp_path: Path) -> None:
    bucket = tmp_path / "buckets" / "bucket"
    for name in ("v.parquet", "v.jsonl"):
        whole = (bucket / "study" / name).read_bytes()
        (bucket / f"half-{name}").write_bytes(whole[: len(whole) // 2])
    done = project.ff("asr", "s3://bucket/half-v.parquet")
    assert done.returncode == 2
    assert "s3://bucket/half-v.parquet: this Parquet file is broken" in done.stderr
    done = project.ff("asr", "s3://bucket/half-v.jsonl")
    assert "bytes of a torn last line" in done.stdout, done.stderr
    assert table(project, "s3://moved/study/v.parquet") == table(project, "s3://bucket/study/v.parquet")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "upath", None)
    with pytest.raises(stores.StoreError, match=r"needs obstore.*install\.py stores"):
        stores.input_path("s3://bucket/key")


def test_against_the_server_of_moto(project: Project, tmp_path: Path) -> None:
    pytest.importorskip("upath", reason="universal-pathlib is not installed: tools/install.py stores")
    server = shutil.which("moto_server")
    if server is None:
        pytest.skip("moto_server is not on the PATH")
    log = (tmp_path / "moto.log").open("w+")
    process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", "0"], stderr=log, stdout=log)
    try:
        while "Running on" not in (said := (tmp_path / "moto.log").read_text()):
            assert process.poll() is None, said
            time.sleep(0.1)
        address = said.partition("Running on ")[2].split()[0]
        project.env |= Store(address).environment
        for path, content in (
            ("", b""),
            ("/d/v.jsonl", LEDGER.read_bytes()),
            ("/t.jsonl", TRACES.read_bytes()),
        ):
            httpx.put(f"{address}/study-one{path}", content=content, timeout=60).raise_for_status()
        told = table(project, "s3://study-one/d", "--traces", "s3://study-one/t.jsonl")
        assert told == table(project, str(LEDGER), "--traces", str(TRACES))
        assert "no such bucket" in project.ff("asr", "s3://study-two/d").stderr
    finally:
        process.terminate()
        process.wait()
        log.close()
