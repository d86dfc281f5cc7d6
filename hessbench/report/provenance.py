"""Where the results of a run come from, and the time spent on them."""

from pathlib import Path
from typing import Any

from hessbench.plotting import history
from hessbench.results.reader import Results
from hessbench.results.store.tables import ResultsError, read_provenance
from hessbench.system.stage_times import FILE, read_stage_times


def results_tables(results: Results) -> list[dict[str, Any]]:
    """Results tables of this run and what each says of its making; one that is damaged says so."""
    found: list[dict[str, Any]] = []
    for path in sorted(results.folder.rglob("*.parquet")):
        name = path.relative_to(results.folder.parent).as_posix()
        try:
            if results.difference(path):
                continue
            provenance = read_provenance(path)
        except ResultsError as error:
            found.append({"path": name, "problem": str(error)})
            continue
        found.append(
            {
                "path": name,
                "models": "" if provenance.models is None else str(provenance.models),
                "hardware": provenance.hardware,
                "seconds": provenance.seconds,
                "level": provenance.level,
                "problem": "",
            }
        )
    return found


def stage_times(folder: Path) -> list[dict[str, Any]]:
    """Stages of the pipeline in the order in which they ended, those of a matrix as one.

    Returns
    -------
    list of dict
        stage, runs (how many of a matrix), minutes by the clock, processor_minutes of all processes.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in read_stage_times(folder / FILE.name):
        stage = item.stage.partition("@")[0]
        row = found.setdefault(stage, {"stage": stage, "runs": 0, "minutes": 0.0, "processor_minutes": 0.0})
        row["runs"] += 1
        row["minutes"] += item.seconds / 60
        row["processor_minutes"] += item.processor_seconds / 60
    return list(found.values())


def time_spent(results: Results, tables: list[dict[str, Any]]) -> str:
    """Time spent, from what the results tables and the training histories record."""
    # tables that one command wrote carry one and the same measured time
    evaluated = sum({table["seconds"] for table in tables if table.get("seconds") is not None})
    trained = 0.0
    ensembles = 0
    parts = []
    for folder in results.ensembles().values():
        try:
            trained += history.seconds(folder / history.HISTORY)
            ensembles += 1
        except ResultsError as error:
            parts.append(str(error))
    if ensembles:
        parts.append(f"training {duration(trained)} (sum over all models of {ensembles} ensembles)")
    if evaluated:
        parts.append(f"experiments {duration(evaluated)} (sum of the times in the results tables)")
    return "; ".join(parts) or "not recorded"


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
