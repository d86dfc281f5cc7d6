"""The description of an archive for machines: an RO-Crate of the profile Workflow Run Crate 0.5."""

import mimetypes
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rocrate.model.computerlanguage import ComputerLanguage
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from hessbench import __version__
from hessbench.archive.layout import (
    CRATE,
    FIGURES,
    LABELS,
    LOCK,
    MODELS,
    PARAMS,
    README,
    REPORT,
    RESULTS,
    TABLES,
    files_of,
    sha256,
)
from hessbench.results.run import Run, read_run
from hessbench.system.stage_times import FILE, read_stage_times

WORKFLOW = "dvc.yaml"
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
"""Terms that RO-Crate 1.1 does not have: sha256."""
ACTION = "#run"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
SETTINGS = (PARAMS, "dvc.lock", LOCK, LABELS)
"""What the run was made from; all else in the archive came out of it, or describes it."""
OUTPUTS = (f"{MODELS}/", f"{RESULTS}/", f"{FIGURES}/", f"{TABLES}/", REPORT)
LICENCES = {
    "https://spdx.org/licenses/MIT": "MIT License",
    "https://spdx.org/licenses/CC-BY-4.0": "Creative Commons Attribution 4.0 International",
}
"""Of the code, and of everything that was computed."""
REPOSITORY_LICENCE, DATA_LICENCE = LICENCES
KINDS = {
    ".safetensors": (
        "application/octet-stream",
        "parameters of a trained model, with its description (safetensors)",
    ),
    ".parquet": ("application/vnd.apache.parquet", "results table"),
    ".yaml": ("application/yaml", "settings"),
    ".lock": ("text/plain", "versions and checksums"),
    ".md": ("text/markdown", "text"),
    ".tex": ("application/x-tex", "table for LaTeX"),
    ".csv": ("text/csv", "table"),
    ".json": ("application/json", "notes"),
}
"""Ending to media type and what such a file is."""


def write_crate(archive: Path) -> None:
    """Write ro-crate-metadata.json, which describes all files that are in an archive.

    Raises
    ------
    HessbenchError
        There is no results/run.json, or the times of the stages are damaged.
    """
    run = read_run(archive / RESULTS)
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    crate.name = f"hessbench: trained models and results of profile {run.profile}"
    crate.description = (
        "Machine learning potentials trained on energies, on forces and on Hessians, the results tables of "
        "all experiments, and the figures, tables and verdicts made from them: a reproduction of Rodriguez, "
        "Smith, Mendoza-Cortes, Does Hessian Data Improve the Performance of Machine Learning Potentials?, "
        f"J. Chem. Theory Comput. (2025), doi 10.1021/acs.jctc.5c00402. {run.footer}"
    )
    for identifier, name in LICENCES.items():
        properties = {"@type": "CreativeWork", "name": name, "identifier": identifier}
        crate.add(ContextEntity(crate, identifier, properties=properties))
    crate.license = crate.dereference(DATA_LICENCE)
    for identifier, (name, version) in PROFILES.items():
        properties = {"@type": "CreativeWork", "name": name, "version": version}
        crate.add(ContextEntity(crate, identifier, properties=properties))
    crate.root_dataset["conformsTo"] = [{"@id": identifier} for identifier in PROFILES]
    authors = ContextEntity(
        crate, "#authors", properties={"@type": "Organization", "name": "the hessbench authors"}
    )
    crate.add(authors)
    for role in ("author", "creator", "publisher"):
        crate.root_dataset[role] = authors
    _add_files(crate, archive)
    _add_action(crate, archive, run, authors)
    crate.metadata.write(archive)


def _add_files(crate: ROCrate, archive: Path) -> None:
    """Add every file with size and checksum; the pipeline is the workflow."""
    properties = {"name": "DVC", "url": "https://dvc.org", "alternateName": "Data Version Control"}
    pinned = re.search(r"^dvc==(\S+)$", (archive / LOCK).read_text(encoding="utf-8"), re.MULTILINE)
    if pinned:
        properties["version"] = pinned[1]
    language = ComputerLanguage(crate, "https://dvc.org", properties=properties)
    crate.add(language)
    for name in files_of(archive):
        if name == CRATE:
            continue
        path = archive / name
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        media, about = KINDS.get(
            path.suffix, (guessed, "picture" if guessed.startswith("image") else "document")
        )
        properties = {
            "name": name,
            "description": about,
            "encodingFormat": media,
            "contentSize": str(path.stat().st_size),
            "sha256": sha256(path),
        }
        if name != WORKFLOW:
            about_crate = {"about": {"@id": "./"}} if name == README else {}
            crate.add_file(path, name, properties=properties | about_crate)
            continue
        crate.add_workflow(
            path,
            name,
            main=True,
            lang=language,
            properties=properties
            | {
                "name": "Pipeline of hessbench",
                "description": "Stages that train, evaluate and draw, with what each depends on.",
                "version": __version__,
                "license": {"@id": REPOSITORY_LICENCE},
                "conformsTo": {"@id": WORKFLOW_PROFILE},
            },
        )


def _add_action(crate: ROCrate, archive: Path, run: Run, agent: ContextEntity) -> None:
    """Add the run itself: what it was made from, what came out, when and where."""
    files = [name for name in files_of(archive) if name != CRATE]
    action = crate.add_action(
        crate.mainEntity,
        ACTION,
        object=[crate.dereference(name) for name in SETTINGS if name in files],
        result=[crate.dereference(name) for name in files if name.startswith(OUTPUTS)],
        properties={
            "name": f"Run of profile {run.profile}",
            "description": f"Run on {run.hardware}."
            if run.hardware
            else "Run on a machine that was not recorded.",
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    action["agent"] = agent
    crate.root_dataset["mentions"] = action
    times = read_stage_times(archive / RESULTS / FILE.name)
    if times:
        begins = [datetime.fromisoformat(item.ended) - timedelta(seconds=item.seconds) for item in times]
        action["startTime"] = min(begins).astimezone(UTC).isoformat(timespec="seconds")
        action["endTime"] = max(datetime.fromisoformat(item.ended) for item in times).isoformat(
            timespec="seconds"
        )
