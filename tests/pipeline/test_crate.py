"""The crate of a run: a valid RO-Crate of the Workflow Run profile that binds everything by hash."""

import hashlib
import json
from pathlib import Path

import pandas as pd


def test_the_library_reads_it_back_as_a_run_of_the_profile(paper: Path) -> None:
    from rocrate.rocrate import ROCrate

    crate = ROCrate(paper / "paper")
    assert crate.mainEntity.id == "workflow/paper.yaml"
    conforms = {profile.id for profile in crate.root_dataset["conformsTo"]}
    assert {"https://w3id.org/ro/wfrun/process/0.6", "https://w3id.org/ro/wfrun/workflow/0.6"} <= conforms
    run = crate.get("#run")
    assert run["instrument"].id == "workflow/paper.yaml"
    steps = [entity for entity in crate.get_entities() if entity.id.startswith("#step/")]
    notebooks = {path.stem for path in (paper / "paper" / "notebooks").glob("*.ipynb")}
    assert {step.id.removeprefix("#step/") for step in steps} == notebooks
    assert {step.id for step in steps} | {"#run"} == {action.id for action in crate.root_dataset["mentions"]}


def graph(paper: Path) -> dict[str, dict[str, object]]:
    text = (paper / "paper" / "ro-crate-metadata.json").read_text(encoding="utf-8")
    return {entity["@id"]: entity for entity in json.loads(text)["@graph"]}


def test_every_file_of_the_run_is_bound_by_its_hash_but_pdfs(paper: Path) -> None:
    entities = graph(paper)
    folder = paper / "paper"
    for path in (p for p in folder.rglob("*") if p.is_file() and ".steps" not in p.parts):
        name = path.relative_to(folder).as_posix()
        if name in ("run.log", ".lock", "ro-crate-metadata.json"):
            continue
        if name.endswith(".pdf"):
            assert "sha256" not in entities[name]
        else:
            assert entities[name]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest(), name


def test_inputs_parameters_software_and_graders_are_in_it(paper: Path) -> None:
    entities = graph(paper)
    from tests.conftest import ROOT

    read = entities["#input/data/calibration/proxies.jsonl"]
    proxies = (ROOT / "data" / "calibration" / "proxies.jsonl").read_bytes()
    assert read["sha256"] == hashlib.sha256(proxies).hexdigest()
    assert json.loads(str(entities["#parameter/02_calibrate/gate"]["value"]))["n"] == 50
    assert "version" in entities["#software/pandas"]
    graders = pd.read_csv(paper / "paper" / "ledger" / "graders.csv").set_index("grader")["grader_digest"]
    assert entities["#grader/smollm2-135m"]["identifier"] == graders["smollm2-135m"]


def test_no_date_in_it_but_the_runs_own(paper: Path) -> None:
    for entity in graph(paper).values():
        for name in ("datePublished", "endTime", "startTime", "dateCreated"):
            assert entity.get(name, "2026-11-22") == "2026-11-22"
