"""Where the results of a run come from, and the time spent on them."""

from pathlib import Path
from typing import Any

from hessbench.plotting import history
from hessbench.plotting.source import Source
from hessbench.results.store.runinfo import training_percents
from hessbench.results.store.tables import ERRORS, ResultsError, read_identity
from hessbench.results.stored import left_the_profile


def results_tables(source: Source) -> list[dict[str, Any]]:
    """Results tables of this run and what each says of its making."""
    found: list[dict[str, Any]] = []
    percents = training_percents(source.results)
    for path in sorted(source.results.rglob("*.parquet")):
        try:
            identity = read_identity(path)
        except ResultsError as error:
            found.append({"path": path.relative_to(source.results.parent).as_posix(), "problem": str(error)})
            continue
        if identity.profile == source.run.profile and not left_the_profile(path, percents):
            found.append(
                {
                    "path": path.relative_to(source.results.parent).as_posix(),
                    "models": "" if identity.models is None else str(identity.models),
                    "hardware": identity.hardware,
                    "seconds": identity.seconds,
                    "level": identity.level,
                    "problem": "",
                }
            )
    return found


def time_spent(source: Source, tables: list[dict[str, Any]]) -> str:
    """Time spent, from what the results tables and the training histories record."""
    # tables that one command wrote carry one and the same measured time
    evaluated = sum({table["seconds"] for table in tables if table.get("seconds") is not None})
    trained = 0.0
    ensembles = 0
    parts = []
    for table in tables:
        path = Path(table["path"])
        loss, _, percent = path.stem.rpartition("-")
        recorded = source.models / percent / loss / history.HISTORY
        if path.parent.name == ERRORS and recorded.exists():
            try:
                trained += history.seconds(recorded)
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
