"""Write a CycloneDX list of parts from facts on standard input; run by `tools/audit.py` in its environment.

The bytes depend on the facts alone: the date is that of the release, and the serial number is made of them.
"""

import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

Facts = dict[str, object]
_LICENCES = LicenseFactory()


def bom(facts: Facts, text: str) -> Bom:
    """Return the list of parts.

    Args:
        facts: version and date of the release; packages (name, version, marker, sha256, licence) of the lock;
            parts, the content of `ff_helpers/parts.json`.
        text: the same as text, of which the serial number is made.
    """
    made = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, text))
    made.metadata.timestamp = datetime.fromisoformat(f"{facts['date']}T00:00:00").replace(tzinfo=UTC)
    made.metadata.tools.components.clear()
    made.metadata.component = Component(
        name="ff-helpers",
        version=facts["version"],
        type=ComponentType.APPLICATION,
        bom_ref="ff-helpers",
        licenses=[_LICENCES.make_from_string("MIT")],
        purl=PackageURL("pypi", name="ff-helpers", version=facts["version"]),
    )
    for one in facts["packages"]:
        made.components.add(_package(one))
    for one in facts["parts"]["parts"]:
        made.components.add(_part(one))
    for one in facts["parts"]["extras"]:
        made.components.add(_extra(one))
    made.register_dependency(made.metadata.component, made.components)
    return made


def _package(one: dict[str, object]) -> Component:
    marker = [Property(name="marker", value=one["marker"])] if one["marker"] else []
    licences = [_LICENCES.make_from_string(one["licence"])] if one["licence"] else []
    return Component(
        name=one["name"],
        version=one["version"],
        type=ComponentType.LIBRARY,
        bom_ref=f"{one['name']}=={one['version']}",
        purl=PackageURL("pypi", name=one["name"], version=one["version"]),
        licenses=licences,
        hashes=[_sha256(digest) for digest in one["sha256"]],
        properties=marker,
    )


def _part(one: dict[str, object]) -> Component:
    """Return a wheel of which only the listed files are kept."""
    name = f"part {one['wheel']}=={one['version']}"
    return Component(
        name=one["wheel"],
        version=one["version"],
        type=ComponentType.DATA,
        bom_ref=name,
        purl=PackageURL("pypi", name=one["wheel"], version=one["version"]),
        licenses=[_LICENCES.make_from_string(one["license"])],
        components=[_file(file, name) for file in one["files"]],
    )


def _extra(one: dict[str, object]) -> Component:
    """Return weights that are joined from their chunks."""
    name, whole = f"extra {one['name']}", one["assembles"]
    return Component(
        name=one["name"],
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=name,
        licenses=[_LICENCES.make_from_string(one["license"])],
        hashes=[_sha256(whole["sha256"])],
        components=[_file(whole, name), *(_file(chunk, name) for chunk in one["chunks"])],
    )


def _file(one: dict[str, object], owner: str) -> Component:
    name = one["file"]
    return Component(
        name=name,
        type=ComponentType.FILE,
        bom_ref=f"{owner}: {name}",
        hashes=[_sha256(one["sha256"])],
    )


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def main(out: Path) -> int:
    """Write the list of parts that standard input describes, if it fits the official schema."""
    text = sys.stdin.read()
    written = JsonV1Dot6(bom(json.loads(text), text)).output_as_string(indent=1)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(written)
    if wrong is not None:
        print(f"it does not fit the schema of CycloneDX 1.6: {wrong}", file=sys.stderr)
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(out.name + ".tmp")
    beside.write_text(written + "\n", encoding="utf-8", newline="\n")
    beside.replace(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
