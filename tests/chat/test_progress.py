"""The progress of a local model says when other processes starve it."""

import json
import subprocess
import sys
import time

import pytest

from ff_helpers.chat.progress import Others, Progress


@pytest.fixture
def busy():
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield
    process.kill()
    process.wait()


def until(seen, seconds=60.0):
    """Wait until it is seen: another process may hold the cores for a while."""
    end = time.monotonic() + seconds
    while not (found := seen()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def test_the_cores_of_others_are_counted_and_our_own_are_not(busy):
    others = Others()
    assert until(lambda: others.cores() > 0.2)
    assert others.cores() <= 1000


def test_a_starved_local_model_is_told_and_a_remote_one_is_not(busy, tmp_path, monkeypatch):
    monkeypatch.setenv("FF_PROGRESS", str(tmp_path / "progress.json"))

    def told(progress):
        progress.step("REFUSAL")
        return json.loads((tmp_path / "progress.json").read_text())["starved"]

    with Progress("grading", 10**6, local=True) as progress:
        assert "other processes use" in until(lambda: told(progress))
    with Progress("grading", 1) as progress:
        assert told(progress) == ""
