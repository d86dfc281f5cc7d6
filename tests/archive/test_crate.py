"""The RO-Crate, read by the library: every file, the workflow, and the run that made the results."""

import hashlib
import json
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from hessbench.archive.crate import PROFILES, TERMS, write_crate
from tests.made_up import write_made_up_run

TIMES = """stage,seconds,processor_seconds,ended
train@efh-80,60.0,100.0,2026-01-02T03:05:00+00:00
tables,5.0,5.0,2026-01-02T04:00:00+00:00
"""


@pytest.fixture
def crate(tmp_path: Path) -> ROCrate:
    archive = tmp_path / "archive"
    write_made_up_run(archive / "results", profile="smoke")
    (archive / "results/stage-times.csv").write_text(TIMES, encoding="utf-8")
    for name in ("dvc.yaml", "params.yaml", "figures/figure-1.png", "models/80/efh/seed-0.safetensors"):
        (archive / name).parent.mkdir(parents=True, exist_ok=True)
        (archive / name).write_bytes(name.encode())
    (archive / "requirements.lock").write_text("dulwich==1.0\ndvc==3.2.1\ndvc-data==4.0\n", encoding="utf-8")
    write_crate(archive)
    return ROCrate(archive)


def test_every_file_is_described(crate: ROCrate) -> None:
    archive = crate.source
    described = {entity.id: entity for entity in crate.data_entities}
    files = {path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file()}
    assert set(described) == files - {"ro-crate-metadata.json"}
    model = described["models/80/efh/seed-0.safetensors"]
    assert model["sha256"] == hashlib.sha256(model.id.encode()).hexdigest()
    assert model["contentSize"] == str(len(model.id))
    # RO-Crate 1.1 knows no sha256
    metadata = json.loads((Path(archive) / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert TERMS in metadata["@context"]


def test_it_is_a_workflow_run_crate(crate: ROCrate) -> None:
    assert {item.id for item in crate.root_dataset["conformsTo"]} == set(PROFILES)
    workflow = crate.mainEntity
    assert workflow.id == "dvc.yaml"
    assert set(workflow.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert workflow["programmingLanguage"]["name"] == "DVC"
    assert workflow["programmingLanguage"]["version"] == "3.2.1"
    (action,) = crate.get_by_type("CreateAction")
    assert action["instrument"] is workflow
    assert {item.id for item in action["object"]} == {"params.yaml", "requirements.lock"}
    assert {item.id for item in action["result"]} >= {"figures/figure-1.png", "results/run.json"}
    assert action["startTime"] == "2026-01-02T03:04:00+00:00"
    assert action["endTime"] == "2026-01-02T04:00:00+00:00"
    assert crate.license.id.endswith("CC-BY-4.0")
