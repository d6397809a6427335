"""The run as an RO-Crate: inputs, notebooks, parameters, software, graders and outputs, bound by hash.

`ro-crate-metadata.json` follows the Workflow Run profile (Workflow Run RO-Crate 0.6, w3id.org/ro/wfrun): the
profile file is the workflow, each notebook a step with its own action. It contains no wall time: every
date is the run's `as_of`, so two builds of one profile give the same crate.
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from ff_helpers import __version__, paths
from ff_helpers.columns import worded
from ff_helpers.pipeline import freshness
from ff_helpers.pipeline.profile import Profile, Step, declared

if TYPE_CHECKING:
    from rocrate.model import ContextEntity, File
    from rocrate.rocrate import ROCrate

NAME: Final = "ro-crate-metadata.json"
INPUT: Final = "#input/"
"""Prefix of the id of a file that the run read from outside its folder."""
_PROFILES = ("process", "workflow")
_VERSION = "0.6"
_MEDIA = worded("pipeline/media.csv")


def write_crate(
    profile: Profile, source: Path, folder: Path, files: Mapping[str, str], *, unfinished: Sequence[str] = ()
) -> dict[str, str]:
    """Write the crate and the copy of the profile that it describes; return both with their sha256.

    Args:
        profile: the profile that ran.
        source: the file that it was read from.
        folder: outputs/<profile>/.
        files: sha256 of every file of the run by name; a PDF's is left out of the crate, since a PDF
            writer may embed anything and PDFs are compared as pictures.
        unfinished: steps that failed or were skipped: they have no action, because what they would read and
            write is not known; files of their earlier runs stay listed.
    """
    workflow_name = f"workflow/{profile.profile}.yaml"
    (folder / "workflow").mkdir(exist_ok=True)
    shutil.copyfile(source, folder / workflow_name)
    crate, day = _crate(profile), profile.as_of.isoformat()
    workflow = _workflow(crate, folder, workflow_name)
    entities = {name: _file(crate, folder, name, files[name]) for name in sorted(files)}
    read: dict[str, ContextEntity] = {}
    actions = []
    for step in profile.steps:
        if step.notebook in unfinished or f"notebooks/{step.notebook}.ipynb" not in entities:
            continue
        taken = freshness.inputs(profile, step)
        for name in (name for name in taken if name not in entities):
            read.setdefault(name, _input(crate, name, taken[name]))
        given = [entities.get(name) or read[name] for name in taken]
        stamp = freshness.read_stamp(folder / ".steps" / f"{step.notebook}.json")
        made = [entities[name] for name in sorted(stamp.outputs if stamp else ()) if name in entities]
        actions.append(_action(crate, profile, step, given=given, made=made))
    software = [_software(crate, name, version) for name, version in freshness.versions().items()]
    package = _software(crate, "ff_helpers", __version__, sha256=freshness.package_sha256())
    graders = _graders(crate, folder, profile.as_of)
    workflow["hasPart"] = [entities[name] for name in sorted(entities) if name.endswith(".ipynb")]
    workflow["softwareRequirements"] = [package, *software]
    run = crate.add_action(workflow, identifier="#run", properties={"@type": "CreateAction"})
    run["name"], run["endTime"] = f"Run of the profile {profile.profile}", day
    run["object"] = [*read.values(), *graders]
    run["result"] = list(entities.values())
    run["description"] = "Each step has its own action."
    if unfinished:
        run["actionStatus"] = "http://schema.org/FailedActionStatus"
        run["error"] = f"not finished: {', '.join(unfinished)}"
    crate.root_dataset["mentions"] = [run, *actions]
    crate.metadata.write(folder)
    return {name: freshness.sha256(folder / name) for name in (workflow_name, NAME)}


def _crate(profile: Profile) -> "ROCrate":
    from rocrate.rocrate import ROCrate

    crate, day = ROCrate(), profile.as_of.isoformat()
    crate.metadata.extra_contexts.append("https://w3id.org/ro/terms/workflow-run/context")
    crate.name = f"Attack success rates with the accuracy of their graders: profile {profile.profile}"
    crate.description = "Tables, figures and claims of one run, each with its disclosure."
    crate.root_dataset["datePublished"] = day
    place, about = "https://spdx.org/licenses/MIT", {"name": "MIT License", "identifier": "MIT"}
    crate.root_dataset["license"] = _entity(crate, place, "CreativeWork", **about)
    for kind in _PROFILES:
        place, name = f"https://w3id.org/ro/wfrun/{kind}/{_VERSION}", f"{kind.capitalize()} Run Crate"
        page = _entity(crate, place, ["CreativeWork", "Profile"], name=name, version=_VERSION)
        crate.root_dataset.append_to("conformsTo", page)
    return crate


def _entity(
    crate: "ROCrate", identifier: str, kind: str | list[str], /, **properties: JsonValue
) -> "ContextEntity":
    from rocrate.model import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind} | properties))


def _workflow(crate: "ROCrate", folder: Path, name: str) -> "File":
    from rocrate.model import ComputerLanguage

    about = {"@type": "ComputerLanguage", "name": "ff_helpers profile", "alternateName": "params/*.yaml"}
    language = crate.add(ComputerLanguage(crate, "#ff-profile", properties=about))
    return crate.add_workflow(dest_path=name, main=True, lang=language, properties=_described(folder, name))


def _file(crate: "ROCrate", folder: Path, name: str, digest: str) -> "File":
    properties = _described(folder, name)
    if name.endswith(".pdf"):
        del properties["sha256"], properties["contentSize"]
        properties["description"] = "compared as a picture, not by its bytes"
    else:
        properties["sha256"] = digest
    return crate.add_file(dest_path=name, properties=properties)


def _described(folder: Path, name: str) -> dict[str, JsonValue]:
    path = folder / name
    return {
        "name": name,
        "sha256": freshness.sha256(path),
        "contentSize": str(path.stat().st_size),
        "encodingFormat": _MEDIA.get(path.suffix, "text/plain"),
    }


def _input(crate: "ROCrate", name: str, path: Path) -> "ContextEntity":
    return _entity(crate, f"{INPUT}{name}", "File", **_described(path.parent, path.name) | {"name": name})


def _action(
    crate: "ROCrate",
    profile: Profile,
    step: Step,
    *,
    given: "Iterable[File | ContextEntity]",
    made: "Iterable[File]",
) -> "ContextEntity":
    notebook = crate.get(f"notebooks/{step.notebook}.ipynb")
    about = {"@type": "CreateAction"}
    action = crate.add_action(notebook, identifier=f"#step/{step.notebook}", properties=about)
    known = declared(paths.notebooks() / f"{step.notebook}.ipynb")
    parameters = []
    for name, value in (known | profile.parameters(step)).items():
        content, place = json.dumps(value, sort_keys=True, ensure_ascii=False), f"{step.notebook}/{name}"
        parameters.append(_entity(crate, f"#parameter/{place}", "PropertyValue", name=name, value=content))
    action["name"], action["endTime"] = f"Execution of {step.notebook}", profile.as_of.isoformat()
    action["object"] = [*given, *parameters]
    action["result"] = list(made)
    return action


def _software(crate: "ROCrate", name: str, version: str, **more: JsonValue) -> "ContextEntity":
    return _entity(crate, f"#software/{name}", "SoftwareApplication", name=name, version=version, **more)


def _graders(crate: "ROCrate", folder: Path, as_of: date) -> "list[ContextEntity]":
    """Return the graders of the run's cards: identified by the hash of their weights or rules."""
    from ff_helpers.publication.graders import measured_graders

    entities = []
    for name, who in measured_graders(folder, as_of):
        said = f"grader; rubric {who.rubric}; gate: see cards/ and evaluators/"
        about = {"name": name, "identifier": str(who.digest), "description": said}
        entities.append(_entity(crate, f"#grader/{name}", "SoftwareApplication", **about))
    return entities
