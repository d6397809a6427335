"""`make audit`: known vulnerabilities, licences, and the list of parts of what this project installs.

    python tools/audit.py [--out outputs/sbom.cdx.json]

Vulnerabilities are looked up by pip-audit, in an environment of its own (`tools/audit.txt`, hashed), for
every lock file. Licences are read from the installed packages' metadata and compared with
`tools/licences.toml`. The list of parts (CycloneDX 1.6: packages with the hashes of their files, weights and
data by sha256, licences) is the same bytes for the same locks.

Exit codes: 0 all is well; 1 a known vulnerability, or a licence that is unknown or not allowed; 3 some
package could not be looked up, because no database of vulnerabilities answered; all else is well.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

sys.path.insert(0, str(Path(__file__).resolve().parent))

import install

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
HOME = install.PARTS / "audit"
PINS = ROOT / "tools" / "audit.txt"
RULES = ROOT / "tools" / "licences.toml"
OUT = ROOT / "outputs" / "sbom.cdx.json"
FINDING, UNREACHED = 1, 3
_PIN = re.compile(r"^([\w.\-]+)==([^\s;\\]+)(?: ; ([^\\]+?))?(?: \\)?$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Package:
    """One pin of a lock file: with the sha256 of every file that may be installed, and where it applies."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class Looked:
    """What pip-audit found: packages that it looked up, those it did not, `name version id` of each hit."""

    known: int
    missed: tuple[str, ...]
    found: tuple[str, ...]


def packages(lock: Path) -> list[Package]:
    """Return the pins of a lock file.

    Raises:
        ValueError: a pin without a hash.
    """
    text = lock.read_text(encoding="utf-8")
    pins = list(_PIN.finditer(text))
    ends = [pin.start() for pin in pins[1:]] + [len(text)]
    listed = [
        Package(pin[1], pin[2], pin[3] or "", tuple(sorted(set(_HASH.findall(text[pin.end() : end])))))
        for pin, end in zip(pins, ends, strict=True)
    ]
    bare = [one.name for one in listed if not one.sha256]
    if bare or not listed:
        raise ValueError(f"{lock}: no hash of {', '.join(bare) or 'anything'}. `make lock` writes it again.")
    return listed


def licence(name: str, rules: dict[str, dict[str, str]]) -> str | None:
    """Return the licence of a package as an SPDX expression; None where nothing tells it.

    What `tools/licences.toml` says of it, else its metadata: License-Expression, License, classifiers.
    """
    if name in rules["packages"]:
        return rules["packages"][name]
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = [one for one in told.get_all("Classifier") or [] if one.startswith("License ::")]
    last = [one.split(" :: ")[-1] for one in classifiers]
    each = [_spdx(one, rules["spellings"]) for one in last]
    said = [_spdx(told.get(field), rules["spellings"]) for field in ("License-Expression", "License")]
    joined = " AND ".join(sorted({one for one in each if one})) if each and all(each) else None
    return next((one for one in (*said, joined) if one), None)


def _spdx(text: str | None, spellings: dict[str, str]) -> str | None:
    if not text or "\n" in text:
        return None
    try:
        return spellings.get(text) or str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return None


def is_allowed(expression: str, allowed: list[str]) -> bool:
    """Return whether one branch of each OR is allowed; parentheses are not read, so they are refused."""
    return all(
        any(one.strip() in allowed for one in part.split(" OR ")) for part in expression.split(" AND ")
    )


def licences(listed: list[Package]) -> tuple[dict[str, str], list[str]]:
    """Return the licence of each package, and what is wrong in words."""
    rules = tomllib.loads(RULES.read_text(encoding="utf-8"))
    found = {one.name: licence(one.name, rules) for one in listed}
    wrong = [
        f"{name}: unknown; look it up and add it to [packages] in {RULES.name}"
        if said is None
        else f"{name}: {said} is not in the list of allowed licences in {RULES.name}"
        for name, said in sorted(found.items())
        if said is None or not is_allowed(said, rules["allowed"])
    ]
    return {name: said for name, said in found.items() if said is not None}, wrong


def environment() -> Path:
    """Return the Python of the environment for auditing, made where it is missing or its pins changed."""
    python, marker = HOME / "bin" / "python", HOME / "ff-pins.sha256"
    digest = install._sha256(PINS)
    if not (python.exists() and marker.exists() and marker.read_text() == digest):
        install._uv("venv", "--clear", "--python", sys.executable, str(HOME))
        into = ["--python", str(python), "--index-strategy", "unsafe-best-match"]
        install._uv("pip", "install", "--require-hashes", "-r", str(PINS), *into)
        marker.write_text(digest)
    return python


def looked_up(python: Path, locks: list[Path]) -> Looked:
    """Ask PyPI's database of vulnerabilities, then OSV for what that does not answer."""
    known: dict[str, list[str]] = {}
    names = {f"{one.name} {one.version}" for lock in locks for one in packages(lock)}
    for service in ("pypi", "osv"):
        for lock in locks:
            command = [str(python), "-m", "pip_audit", "-r", str(lock), "--require-hashes", "--disable-pip"]
            options = ["--progress-spinner", "off", "--format", "json", "--timeout", "10", "-s", service]
            done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
            known |= _told(done.stdout)
        if known:
            break
    found = sorted(f"{name} {one}" for name, hits in known.items() for one in hits)
    return Looked(len(known), tuple(sorted(names - set(known))), tuple(found))


def _told(text: str) -> dict[str, list[str]]:
    """Return the vulnerabilities of each package that was looked up; a skipped one was not."""
    try:
        listed = json.loads(text)["dependencies"]
    except (ValueError, KeyError):
        return {}
    return {
        f"{one['name']} {one['version']}": [hit["id"] for hit in one["vulns"]]
        for one in listed
        if "skip_reason" not in one
    }


def write_sbom(python: Path, out: Path, listed: list[Package], known: dict[str, str]) -> str:
    """Write the list of parts, checked against the official schema, and return its sha256.

    Raises:
        InstallError: it does not fit the schema.
    """
    cff = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    facts = {
        "version": re.search(r"^version: (\S+)$", cff, re.MULTILINE)[1],
        "date": re.search(r'^date-released: "(\S+)"$', cff, re.MULTILINE)[1],
        "packages": [asdict(one) | {"licence": known.get(one.name)} for one in listed],
        "parts": json.loads(install.PARTS_LIST.read_text(encoding="utf-8")),
    }
    command = [str(python), str(ROOT / "tools" / "sbom.py"), str(out)]
    done = subprocess.run(command, input=json.dumps(facts), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise install.InstallError(f"the list of parts could not be written: {done.stderr.strip()[-500:]}")
    return install._sha256(out)


def main(arguments: list[str]) -> int:
    """Print what was found and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where the list of parts goes")
    out = parser.parse_args(arguments).out
    listed = packages(ROOT / LOCK)
    known, wrong = licences(listed)
    print(f"licences         {len(known)} of {len({one.name for one in listed})} packages known", flush=True)
    for line in wrong:
        print(f"                 - {line}", flush=True)
    try:
        python = environment()
    except install.InstallError as error:
        print(f"vulnerabilities  not looked up: {error}")
        return FINDING if wrong else UNREACHED
    digest = write_sbom(python, out, listed, known)
    print(f"parts            {out} (CycloneDX, sha256 {digest[:12]})", flush=True)
    looked = looked_up(python, sorted(ROOT.glob("requirements*.lock")))
    print(f"vulnerabilities  {len(looked.found)} in {looked.known} packages that were looked up")
    for line in looked.found:
        print(f"                 - {line}")
    if looked.missed:
        some = ", ".join(looked.missed[:3]) + (" and others" if len(looked.missed) > 3 else "")
        print(
            f"                 {len(looked.missed)} could not be looked up ({some}): no database of "
            "vulnerabilities answered for them. Run `make audit` again where PyPI or osv.dev is reached."
        )
    if wrong or looked.found:
        return FINDING
    return UNREACHED if looked.missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (install.InstallError, ValueError) as error:
        print(f"audit: {error}", file=sys.stderr)
        sys.exit(FINDING)
