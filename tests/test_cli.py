"""The command line: help, version, claims, doctor, and its exit codes."""

import argparse
import hashlib
import json
import shlex
from pathlib import Path
from typing import get_args

import pytest
import yaml

from ff_helpers import __version__
from ff_helpers.cli.parser import parser as _parser
from ff_helpers.cli.parser import read
from ff_helpers.corpus.scenarios import Arm
from ff_helpers.grading.rubric import shipped
from ff_helpers.terms import DENOMINATORS, TIERS, Space
from tests.conftest import ROOT, Project


def test_help_and_version(project: Project) -> None:
    said = project.ff("--help")
    assert said.returncode == 0
    assert all(word in said.stdout for word in ("run", "claims", "doctor", "notebooks"))
    assert project.ff("--version").stdout == f"ff {__version__}\n"
    assert project.ff().returncode == 2
    assert "a positive integer" in project.ff("run", "x", "--jobs", "0").stderr
    assert "not a number of 0 or more" in project.ff("collect", "--temperature", "nan").stderr
    assert "a positive number of seconds" in project.ff("grade", "--timeout", "0").stderr


@pytest.mark.parametrize(
    "command",
    [
        "collect",
        "calibrate",
        "grade",
        "ledger",
        "ledger merge",
        "asr",
        "plan",
        "regrade",
        "consistent",
        "resolve",
        "atlas export",
        "atlas refresh",
        "atlas diff",
        "run",
        "claims",
        "verify",
        "init",
        "doctor",
        "graders",
        "notebooks",
    ],
)
def test_every_command_has_a_paragraph_an_example_that_parses_and_its_defaults(command: str) -> None:
    parser = command_parser(command)
    assert parser.description is not None
    assert parser.description.endswith(".")
    assert (parser.epilog or "").startswith(f"example: ff {command}")
    example = shlex.split((parser.epilog or "").removeprefix("example: ff ").partition(" > ")[0])
    assert read(example).run
    for action in parser._actions:
        needs_none = action.required or action.dest == "help" or isinstance(action, argparse._StoreTrueAction)
        assert needs_none or "default: " in (action.help or ""), action.dest
    assert "%(" not in parser.format_help()


def command_parser(name: str) -> argparse.ArgumentParser:
    parser = _parser()
    words = [name] if name == "ledger merge" else name.split()
    for word in words:
        (commands,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        parser = commands.choices[word]
    return parser


def offered(command: str, name: str) -> tuple[str, ...]:
    (action,) = [a for a in command_parser(command)._actions if a.dest == name]
    return tuple(action.choices or ())


def test_the_command_line_offers_the_words_of_the_vocabulary() -> None:
    assert offered("atlas export", "tier") == tuple(TIERS)
    assert offered("atlas export", "denominator") == tuple(DENOMINATORS)
    assert offered("calibrate", "space") == get_args(Space)
    assert offered("collect", "arm") == get_args(Arm)
    for command in ("grade", "calibrate"):
        told = {action.dest: action.help or "" for action in command_parser(command)._actions}
        assert all(word in told["rubric"] for word in shipped())
    said = {action.dest: action.help or "" for action in command_parser("asr")._actions}
    assert said["tier"].startswith(", ".join(TIERS))
    assert said["denominator"].startswith(", ".join(DENOMINATORS))
    assert said["by"].startswith(", ".join(offered("asr", "by")))


def test_claims_are_a_table_and_their_own_file(project: Project) -> None:
    absent = project.ff("claims")
    assert absent.returncode == 2
    assert "Run `ff run params/paper.yaml` first" in absent.stderr
    claims = [
        {"id": "one", "says": "a | b", "published": "15%", "recomputed": "15%", "status": "reproduced"},
        {"id": "two", "says": "c", "published": "29", "recomputed": None, "status": "not_determinable"},
    ]
    claims = [claim | {"reason": "counts", "step": "s", "file": "f"} for claim in claims]
    path = project.folder / "outputs" / "paper" / "claims.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"as_of": "2026-11-22", "disclosure": "Graders: x.", "claims": claims}))
    shown = project.ff("claims")
    assert shown.returncode == 0
    assert "2 claims: 1 reproduced, 1 not determinable" in shown.stdout
    assert (project.folder / "outputs" / "claims.md").read_text().endswith("|\n\nGraders: x.\n")
    assert json.loads(project.ff("claims", "--json").stdout)["claims"] == claims


def test_claims_are_written_shown_alone_and_put_between_marks(project: Project, paper: Path) -> None:
    env = {"FF_OUTPUTS": str(paper)}
    assert f"written: {paper / 'claims.md'}" in project.ff("claims", **env).stdout
    assert "`ff claims --id qwen3-accuracy`" in (paper / "claims.md").read_text(encoding="utf-8")
    shown = project.ff("claims", "--id", "qwen3-accuracy", **env).stdout
    assert "step        02_calibrate" in shown
    assert "tables/published_calibration.csv" in shown
    unknown = project.ff("claims", "--id", "nobody", **env)
    assert unknown.returncode == 2
    assert "qwen3-accuracy" in unknown.stderr
    page = project.folder / "A.md"
    page.write_text("no marks", encoding="utf-8")
    assert "claims:begin" in project.ff("claims", "--artifact", str(page), **env).stderr
    page.write_text("a\n<!-- claims:begin -->\nold\n<!-- claims:end -->\nb\n", encoding="utf-8")
    assert project.ff("claims", "--artifact", str(page), **env).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("a\n<!-- claims:begin -->\n| claim |")
    assert text.endswith("<!-- claims:end -->\nb\n")


def test_strict_ends_with_one_where_a_status_is_not_the_expected_one(project: Project, paper: Path) -> None:
    env = {"FF_OUTPUTS": str(paper)}
    path = project.folder / "params" / "claims.yaml"
    shipped = (ROOT / "params" / "claims.yaml").read_text(encoding="utf-8")
    path.parent.mkdir(exist_ok=True)
    path.write_text(shipped, encoding="utf-8")
    assert project.ff("claims", "--strict", **env).returncode == 0
    path.write_text(shipped.replace("expect: reproduced", "expect: contradicted", 1), encoding="utf-8")
    said = project.ff("claims", "--strict", **env)
    assert said.returncode == 1
    assert "qwen3-accuracy: expected contradicted, found reproduced" in said.stdout
    assert "params/claims.yaml is not the file that was checked" in said.stdout
    one = project.ff("claims", "--strict", "--id", "qwen3-accuracy", **env)
    assert one.returncode == 1
    assert "qwen3-accuracy: expected contradicted" in one.stdout
    machine = project.ff("claims", "--strict", "--json", **env)
    assert machine.returncode == 1
    assert len(json.loads(machine.stdout)["claims"]) > 30
    assert "qwen3-accuracy: expected contradicted" in machine.stderr


def test_strict_asks_only_for_statuses_that_are_expected_and_for_a_run_that_finished(
    project: Project,
) -> None:
    shipped = (ROOT / "params" / "claims.yaml").read_text(encoding="utf-8")
    claims = yaml.safe_load(shipped)
    one = next(claim for claim in claims["claims"] if claim["id"] == "crescendo-v2")
    del one["expect"]
    path = project.folder / "params" / "claims.yaml"
    path.write_text(yaml.safe_dump(claims | {"claims": [one]}), encoding="utf-8")
    folder = project.folder / "outputs" / "paper"
    folder.mkdir(parents=True)
    row = {"id": "crescendo-v2", "says": "a", "published": "70%", "recomputed": "70%", "status": "reproduced"}
    row |= {"reason": "counts", "step": "s", "file": "f"}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    content = {"disclosure": "Graders: x.", "claims_file_sha256": digest, "claims": [row]}
    (folder / "claims.json").write_text(json.dumps(content), encoding="utf-8")
    assert project.ff("claims", "--strict").returncode == 0
    (folder / "manifest.json").write_text(json.dumps({"unfinished": ["08_check_claims"]}), encoding="utf-8")
    said = project.ff("claims", "--strict")
    assert said.returncode == 1
    assert "the run did not finish (08_check_claims)" in said.stdout


def test_doctor_says_what_is_missing_and_what_to_do(project: Project) -> None:
    said = project.ff(
        "doctor", FF_PARTS=str(project.folder / "none"), OLLAMA_HOST="127.0.0.1:9"
    )  # nobody listens on the discard port
    assert said.returncode == 1
    assert "Fetch it: make parts" in said.stdout
    assert "no answer at http://127.0.0.1:9" in said.stdout
    assert "grader embedded" in said.stdout


def test_doctor_names_the_models_that_the_profile_asks_for_and_the_server_lacks(
    project: Project, port: int
) -> None:
    profile = 'steps: [{notebook: a, parameters: {graders: ["ollama:good:1", "ollama:mine:7b@h:1,h:2"]}}]\n'
    (project.folder / "params" / "ollama.yaml").write_text(profile, encoding="utf-8")
    said = project.ff("doctor", OLLAMA_HOST=f"127.0.0.1:{port}")
    assert "ollama pull mine:7b" in said.stdout
    assert "ollama pull good:1" not in said.stdout


def test_outputs_that_cannot_be_written_are_one_sentence(project: Project) -> None:
    project.notebook("a")
    project.profile({"notebook": "a"})
    (project.folder / "blocked").write_text("a file where a folder is wanted")
    failed = project.ff("run", "params/demo.yaml", FF_OUTPUTS=str(project.folder / "blocked"))
    assert failed.returncode == 2
    assert failed.stderr.startswith("ff: cannot write")
    assert "FF_OUTPUTS" in failed.stderr


def test_a_full_disk_is_one_sentence(project: Project) -> None:
    """A folder that takes no more bytes: the file size limit of the process stands in for the disk."""
    import subprocess

    from tests.conftest import FF

    project.notebook("a", 'run.write("tables/a.csv").write_text("x")')
    project.profile({"notebook": "a", "outputs": ["tables/a.csv"]})
    failed = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 0; {' '.join(FF)} run params/demo.yaml"],
        cwd=project.folder, env=project.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert failed.returncode != 0
    assert "Traceback" not in failed.stderr, failed.stderr


def test_an_option_of_several_values_that_is_given_twice_keeps_both():
    words = ["import", "f", "--out", "o", "--success-value", "a=1", "--success-value", "b=1", "c=1"]
    assert _parser().parse_args(words).success == ["a=1", "b=1", "c=1"]
    assert _parser().parse_args(words[:4]).success == []
