"""What holds for the whole project: rooms, notebooks, environments, and nothing of anybody's machine."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT

ROOMS = ("chat", "corpus", "grading", "measurement", "publication", "casestudy", "pipeline", "cli")
MEASUREMENT = (
    "proportions", "calibration", "labels", "rates", "sampling", "labelling", "agreement", "adjustment",
    "regrades", "collected", "consistency",
)  # fmt: skip
NAMESPACES = ("case", "explain", "figures", "lessons", "models", "notes", "outputs")
VERBS = {
    "start", "grade", "verdicts", "grade_by_hand", "merge_manual", "collected", "calibrate_all", "read_cards",
    "cards_table", "gate_table", "agreement", "panel_agreement", "review_queue", "count_verdicts", "asr_by",
    "would_have_reported", "adjusted", "compare_models", "drift", "regrade", "write_correction",
    "ledger_signal", "save_signal", "save_page", "check_claims", "disclose", "save_table", "save_figure",
    "save_numbers", "say",
}  # fmt: skip
SOURCES = sorted((ROOT / "ff_helpers").rglob("*.py"))
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "jupyter-client": "jupyter_client",
    "jupyter-core": "jupyter_core",
    "ollama": "ollama-python",
    "types-pyyaml": "types-pyyaml",
}
STARTED = {
    "bokeh", "hatchling", "ipykernel", "jupyterlab", "mkdocs-material", "mkdocstrings", "mypy",
    "pandas-stubs", "pytest-xdist", "ruff", "types-pyyaml", "types-tqdm",
}  # fmt: skip
"""Distributions that are declared though no file imports them: kernels, tools, and what tools read."""
CLUSTERS = {"clusters.py", "clustered.py", "on_worker.py", "cluster.py"}
"""The modules that import Dask, inside the functions that need it."""
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
        allowed = ROOMS[:-1] if path.stem in ("__init__", *NAMESPACES) else ()
    else:
        allowed = ROOMS[: ROOMS.index(room) + 1]
        if room == "pipeline":  # knows notebooks and parameters, not statistics; it asks for the report
            allowed = ("pipeline", "casestudy", "publication")
    wrong = {
        name
        for name in imported(path)
        for other in ROOMS
        if other in name.split(".")[1:2] and other not in allowed
    }
    assert not wrong, f"{path.name} may import from {', '.join(allowed) or 'no room'}"


def words_of_the_case_study() -> list[str]:
    """Its files, its claims, its facts: the names that only it, notebooks and parameters may know."""
    claims = yaml.safe_load((ROOT / "params" / "claims.yaml").read_text(encoding="utf-8"))["claims"]
    facts = [path.stem for path in (ROOT / "data" / "published").glob("*.csv")]
    graders = pd.read_csv(ROOT / "data" / "published" / "grader_calibration.csv")["grader"]
    listed = {*facts, *graders, *(claim["id"] for claim in claims)}
    return [
        *(rf"(?<![\w.-]){re.escape(word)}(?![\w-])" for word in sorted(listed)),
        *("casestudy", "data/published", r"claims\.yaml", "ModelAtlas", "Failure-First", "43,?261"),
        *("2026-06-10", r"\b[Rr]eport \d{2,3}\b", "manual regrade", r"\bpaper_\d", "paper_1_"),
    ]


@pytest.mark.parametrize("room", ROOMS[: ROOMS.index("casestudy")])
def test_no_room_before_the_case_study_knows_a_name_of_it(room: str) -> None:
    looked_for = re.compile("|".join(words_of_the_case_study()))
    said = [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in sorted((ROOT / "ff_helpers" / room).rglob("*"))
        if path.suffix in (".py", ".md", ".j2", ".js", ".yaml", ".txt")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := looked_for.search(line))
    ]
    assert not said


def test_the_words_of_the_case_study_are_found_where_they_are_known() -> None:
    looked_for = re.compile("|".join(words_of_the_case_study()))
    for name in ("record", "graders", "claims", "pages", "facts", "exported"):
        assert looked_for.search((ROOT / f"ff_helpers/casestudy/{name}.py").read_text(encoding="utf-8")), name


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
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def strings(path: Path) -> list[str]:
    """The text of every string in a module, docstrings aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said)
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_calibration_cards_are_read_in_one_place(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    reads = {"Card.model_validate", "Card.model_validate_json", "Card.model_construct"} & set(
        re.findall(r"\bCard\.model_\w+", text)
    )
    globs = ".glob(" in text and any(re.fullmatch(r"(cards/?.*)?\*\.json", part) for part in strings(path))
    globs = globs and "cards" in text
    name = path.relative_to(ROOT / "ff_helpers").as_posix()
    if name == "measurement/standing.py":
        assert reads
        assert globs
    elif name == "measurement/calibration/calibrate.py":  # takes old cards away, and reads none
        assert not reads
        assert "old.unlink()" in text
    else:
        assert not reads
        assert not globs


def test_who_a_grader_is_and_what_is_known_of_it_are_declared_once() -> None:
    """One `Identity`, one `Standing`, one `Status`, and one list of the columns that tell graders apart."""
    homes: dict[str, list[str]] = {
        "Identity": [],
        "Standing": [],
        "Status": [],
        "GateState": [],
        "IDENTITY": [],
    }
    columns = re.compile(r"\"grader\",\s*\"(?:grader_)?digest\",\s*\"rubric\",\s*\"temperature\"")
    again = []
    for path in SOURCES:
        name, text = path.relative_to(ROOT / "ff_helpers").as_posix(), path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            named = [node.name] if isinstance(node, ast.ClassDef) else []
            named += [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
            target = getattr(node, "target", None)
            named += [target.id] if isinstance(target, ast.Name) else []
            for word in homes.keys() & set(named):
                homes[word].append(name)
        again += [name] if columns.search(text) and name != "terms.py" else []
    assert homes == {
        "Identity": ["terms.py"],
        "Standing": ["measurement/standing.py"],
        "Status": ["terms.py"],
        "GateState": ["terms.py"],
        "IDENTITY": ["terms.py"],
    }
    assert not again


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
    extras = [f"requirements-{name}.lock" for name in ("lab", "browser", "cluster", "docs", "stores")]
    for name in ("requirements.lock", *extras, "tools/uv.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        blocks = re.split(r"\n(?=[a-zA-Z])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
        assert all("==" in block and "--hash=sha256:" in block for block in blocks), name
        pins[name] = {block.split(" ", 1)[0] for block in blocks}
    assert all(pins["requirements.lock"] <= pins[name] for name in extras)


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


PEERS = {
    "ppi_py": "ppi-python", "glide": "glide-py", "cyclonedx": "cyclonedx-python-lib",
    "packageurl": "packageurl-python",
}  # fmt: skip
"""Distributions whose modules have another name and that are not installed here."""


def outside(folder: str) -> dict[str, set[str]]:
    """The distributions that a folder's files import, and the files; our own modules are left out."""
    known, found = packages_distributions(), {}
    ours = {"ff_helpers", "tests", "benchmarks", "tools", "install"}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - ours - sys.stdlib_module_names:
                for distribution in known.get(top, [PEERS.get(top, top)]):
                    found.setdefault(distribution.lower().replace("_", "-"), set()).add(path.name)
    return found


def names(requirements: Iterable[str]) -> set[str]:
    return {re.match(r"[\w-]+", line)[0].lower().replace("_", "-") for line in requirements if line.strip()}


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    core, all_of_it = (
        names(project["dependencies"]),
        names([*project["dependencies"], *chain(*extras.values())]),
    )
    package = outside("ff_helpers")
    # Imported by the one module that the tool itself loads, and nowhere else.
    tools = {
        name: f"{tool}_live.py" for tool in ("inspect", "pyrit", "garak") for name in names(extras[tool])
    }
    tools |= dict.fromkeys(names(extras["stores"]), "stores.py")
    assert all(package[name] == {file} for name, file in tools.items())
    clusters = names(extras["cluster"])
    assert {*chain(*(package[name] for name in clusters & package.keys()))} <= CLUSTERS
    optional = tools.keys() | clusters
    needed = {name: files for name, files in package.items() if name not in core | optional}
    assert not needed, "not in `dependencies`"
    assert core - package.keys() <= STARTED, "declared, and no module imports it"

    locks = chain((ROOT / "benchmarks").glob("*.in"), (ROOT / "tools").glob("*.in"))
    peers = names(line for lock in locks for line in lock.read_text(encoding="utf-8").splitlines())
    others = outside("tests") | outside("tools") | outside("benchmarks")
    assert not {name: files for name, files in others.items() if name not in all_of_it | peers}, "in no extra"
    assert all_of_it - core - optional - others.keys() <= STARTED, "in an extra, and no file imports it"


def test_every_public_verb_is_there() -> None:
    import ff_helpers as ff

    missing = [name for name in ff.__all__ if not hasattr(ff, name)]
    assert not missing


def test_every_verb_is_a_step_of_the_work_or_lives_in_one_namespace() -> None:
    import ff_helpers as ff

    homes = {name: space for space in NAMESPACES for name in getattr(ff, space).__all__}
    assert sum(len(getattr(ff, space).__all__) for space in NAMESPACES) == len(homes)
    assert set(ff.__all__) == VERBS | set(NAMESPACES)
    assert not VERBS & homes.keys()
    assert len(VERBS) == 30
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
