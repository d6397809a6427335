"""What holds for the whole project: rooms, notebooks, environments, and nothing of anybody's machine."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

ROOMS = ("chat", "corpus", "grading", "measurement", "publication", "casestudy", "pipeline", "cli")
MEASUREMENT = (
    "proportions", "calibration", "labels", "rates", "agreement", "correction", "regrades", "collected",
    "consistency",
)  # fmt: skip
NAMESPACES = ("case", "explain", "figures", "lessons", "models", "notes", "outputs")
VERBS = {
    "start", "grade", "verdicts", "grade_by_hand", "merge_manual", "collected", "calibrate_all", "read_cards",
    "cards_table", "gate_table", "agreement", "panel_agreement", "review_queue", "count_verdicts", "asr_by",
    "would_have_reported", "adjusted", "compare_models", "drift", "regrade", "write_correction",
    "ledger_signal", "save_signal", "save_page", "check_claims", "disclose", "save_table", "save_figure",
    "save_numbers", "say",
}  # fmt: skip
STILL_KNOWS_THE_CASE_STUDY = {
    "measurement/agreement/pairs.py",
    "measurement/calibration/calibrate.py",
    "measurement/rates/asr.py",
    "publication/atlas/inputs.py",
    "publication/atlas/ledger_graders.py",
    "publication/atlas/page.py",
    "publication/atlas/publish.py",
    "publication/atlas/signal.py",
    "publication/claims.py",
    "publication/evaluator.py",
    "publication/student.py",
}
"""Modules that were below what moved to `casestudy`, until each takes what it needs as an argument."""
SOURCES = sorted((ROOT / "ff_helpers").rglob("*.py"))
CONDA_NAMES = {"duckdb": "python-duckdb", "ollama": "ollama-python", "types-pyyaml": "types-pyyaml"}
REGISTRIES = (
    "pypi.org", "pythonhosted.org", "anaconda.org", "conda.anaconda", "test.pypi", "npmjs", "crates.io",
    "artifactory", "jfrog", "/opt/pypi", "/opt/wheels",
)  # fmt: skip


def imported(path: Path) -> set[str]:
    """The modules of this package that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("ff_helpers")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_imports_only_from_rooms_before_it(path: Path) -> None:
    parts = path.relative_to(ROOT / "ff_helpers").parts
    room = parts[0] if len(parts) > 1 else None
    if room is None:
        allowed = ROOMS[:-1] if path.name == "__init__.py" else ()
    else:
        allowed = ROOMS[: ROOMS.index(room) + 1]
        if room == "pipeline":  # knows notebooks and parameters, not statistics; it asks for the report
            allowed = ("pipeline", "publication")
    wrong = {
        name
        for name in imported(path)
        for other in ROOMS
        if not (other == "casestudy" and "/".join(parts) in STILL_KNOWS_THE_CASE_STUDY)
        if other in name.split(".")[1:2] and other not in allowed
    }
    assert not wrong, f"{path.name} may import from {', '.join(allowed) or 'no room'}"


@pytest.mark.parametrize("room", MEASUREMENT)
def test_within_measurement_the_same_holds(room: str) -> None:
    later = MEASUREMENT[MEASUREMENT.index(room) + 1 :]
    names = {
        name for path in (ROOT / "ff_helpers/measurement" / room).glob("*.py") for name in imported(path)
    }
    assert names
    assert not {
        name for name in names if name.split(".")[1:2] == ["measurement"] and name.split(".")[2] in later
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_is_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 260


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the list of shipped files is not known")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_shipped_file_names_a_machine_or_a_package_registry() -> None:
    home, parent = str(Path.home()), str(ROOT.parent)
    said = []
    for path in tracked():
        if path == Path(__file__) or not path.is_file() or path.suffix == ".png":
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        words = [word for word in REGISTRIES if word in text]
        words += [f"{place}/" for place in (home, parent) if len(place) > 4 and f"{place}/" in text]
        said += [f"{path.relative_to(ROOT)}: {word}" for word in words]
    assert not said


def test_locks_pin_every_file_by_hash_and_agree_with_each_other() -> None:
    pins = {}
    for name in ("requirements.lock", "requirements-lab.lock", "requirements-browser.lock", "tools/uv.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        blocks = re.split(r"\n(?=[a-zA-Z])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
        assert all("==" in block and "--hash=sha256:" in block for block in blocks), name
        pins[name] = {block.split(" ", 1)[0] for block in blocks}
    assert pins["requirements.lock"] <= pins["requirements-lab.lock"]
    assert pins["requirements.lock"] <= pins["requirements-browser.lock"]


def test_conda_and_pip_users_get_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["install"], *extras["test"], *extras["lab"]]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = [line for line in environment["dependencies"] if isinstance(line, str)]
    (pip,) = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]

    def split(requirement: str) -> tuple[str, str]:
        name, bound = re.fullmatch(r"([\w.-]+)(.*)", requirement).groups()
        return name.lower(), bound

    there = dict(split(line) for line in conda) | dict(
        split(line) for line in pip if not line.startswith("-e")
    )
    assert there.pop("python") == project["requires-python"]
    assert there.pop("pip") == ""
    assert there == {CONDA_NAMES.get(name, name): bound for name, bound in map(split, wanted)}
    assert "-e ." in pip


def test_every_public_verb_is_there() -> None:
    import ff_helpers as ff

    missing = [name for name in ff.__all__ if not hasattr(ff, name)]
    assert not missing


def test_every_verb_is_a_step_of_the_work_or_lives_in_one_namespace() -> None:
    import ff_helpers as ff

    homes = {name: space for space in NAMESPACES for name in getattr(ff, space).__all__}
    assert sum(len(getattr(ff, space).__all__) for space in NAMESPACES) == len(homes)
    assert {name for name in ff.__all__ if name not in homes} <= VERBS | set(NAMESPACES)
    for name, space in homes.items():
        assert getattr(getattr(ff, space), name) is not None


def test_importing_the_package_and_the_command_line_loads_nothing_heavy() -> None:
    import sys

    heavy = "pandas numpy scipy statsmodels duckdb altair vl_convert papermill ollama xllamacpp nbconvert"
    code = (
        "import sys, ff_helpers, ff_helpers.cli\n"
        f"print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
