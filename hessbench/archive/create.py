"""Writing the archive of a run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from hessbench.archive.crate import WORKFLOW, write_crate
from hessbench.archive.guide import guide
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
    write_checksums,
)
from hessbench.archive.redraw import draw_figures, write_page, write_tables
from hessbench.archive.tables import ROUNDED, pack
from hessbench.config.base import load_section
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SETS, SPLIT, active_file
from hessbench.datasets.active import SOURCES
from hessbench.datasets.settings import DataConfig
from hessbench.errors import HessbenchError
from hessbench.plotting.history import HISTORY
from hessbench.potential.ensembles import PROVENANCE, model_file, trained_seeds
from hessbench.results.reader import Results
from hessbench.results.run import RUN
from hessbench.results.table_files import to_csv
from hessbench.system.files import write_text
from hessbench.system.stage_times import FILE

LIMIT = 60e6
"""Bytes of an archive at most: it is kept in git."""
SETTINGS = (PARAMS, WORKFLOW, "dvc.lock", LOCK)


def create(root: Path, target: Path, processes: int) -> None:
    """Write the archive of the run in a folder; an older archive is replaced once the new one is whole.

    Parameters
    ----------
    root
        Root of the clone in which the run was made: results/, models/, data/active, params.yaml, dvc.lock.
    target
        The archive.
    processes
        Figures drawn at the same time.

    Raises
    ------
    HessbenchError
        Something is missing or damaged, `target` is something else than an archive, or the archive would be
        larger than `LIMIT`.
    """
    if target.exists() and any(target.iterdir()) and not (target / CRATE).exists():
        raise HessbenchError(f"{target}: exists and is no archive; choose another folder with --output.")
    new = target.with_name(f"{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        for name in SETTINGS:
            _copy(root / name, new / name)
        _copy_models(root, new)
        _copy_results(root, new)
        _write_labels(root, new)
        redraw(new, processes)
        size = sum((new / name).stat().st_size for name in files_of(new))
        if size > LIMIT:
            parts = "; ".join(f"{part} {bytes_ / 1e6:.1f} MB" for part, bytes_ in sizes(new).items())
            raise HessbenchError(
                f"{target}: would have {size / 1e6:.1f} MB, more than the {LIMIT / 1e6:.0f} MB that fit "
                f"into git ({parts}); archive fewer models or smaller tables."
            )
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def redraw(archive: Path, processes: int) -> None:
    """Make figures, tables, report and descriptions of an archive anew, from the results in it.

    Raises
    ------
    HessbenchError
        Results are missing or damaged.
    """
    for part in (FIGURES, TABLES):
        shutil.rmtree(archive / part, ignore_errors=True)
    draw_figures(archive, archive / FIGURES, processes)
    write_tables(archive, archive / TABLES)
    write_page(archive, archive / REPORT)
    write_text(archive / README, guide(archive))
    write_crate(archive)
    write_checksums(archive)


def sizes(archive: Path) -> dict[str, int]:
    """Bytes of each folder of an archive; files at its top together."""
    found: dict[str, int] = {}
    for name in files_of(archive):
        part = name.partition("/")[0] if "/" in name else "descriptions"
        found[part] = found.get(part, 0) + (archive / name).stat().st_size
    return found


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise HessbenchError(f"{source}: does not exist; `make repro` makes it.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_models(root: Path, new: Path) -> None:
    """Copy models of the largest share of the data, and learning curves and notes of all."""
    ensembles = Results(root / RESULTS).ensembles()
    if not ensembles:
        raise HessbenchError(f"{root / MODELS}: holds no models of this run; `dvc repro train` trains them.")
    largest = max(percent for _, percent in ensembles)
    for (_, percent), folder in ensembles.items():
        files = [folder / PROVENANCE, folder / HISTORY]
        if percent == largest:
            files += [model_file(folder, seed) for seed in trained_seeds(folder)]
        for path in files:
            _copy(path, new / path.relative_to(root))


def _copy_results(root: Path, new: Path) -> None:
    """Copy the tables of this run, compressed, and what says where they come from."""
    results = Results(root / RESULTS)
    for path in sorted(results.folder.rglob("*.parquet")):
        if not results.difference(path):
            name = path.relative_to(results.folder)
            target = new / RESULTS / name
            target.parent.mkdir(parents=True, exist_ok=True)
            pack(path, target, rounded=name.with_suffix("").parts[0] in ROUNDED)
    for file in (RUN, SPLIT, FILE.name):
        _copy(results.folder / file, new / RESULTS / file)


def _write_labels(root: Path, new: Path) -> None:
    """Describe the data: counts and checksums, and the reactions that could not be labelled."""
    write_text(new / LABELS, to_csv(pd.DataFrame(_labels(root))))
    source = load_section(DataConfig, "data", root / PARAMS).source
    for name, path in SOURCES[source]().items():
        failures = path.with_name(f"{name}-failures.csv")
        if failures.is_file():
            _copy(failures, new / "labels" / failures.name)


def _labels(root: Path) -> Iterator[dict[str, object]]:
    for name in SETS:
        path = root / active_file(name)
        with ReactionFile(path) as file:
            structures = sum(len(file[reaction]) for reaction in file.names)
            yield {
                "set": name,
                "data": file.identifier,
                "level": file.metadata.level,
                "reactions": len(file),
                "structures": structures,
                "bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
