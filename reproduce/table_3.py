"""Table 3: errors on structures along intrinsic reaction coordinates (IRC)."""

from pathlib import Path

from hessbench.experiments.errors.tables import write_rmse_table
from hessbench.results.reader import Results

TITLE = "Table 3. Errors on structures along intrinsic reaction coordinates (IRC)"
STAGES = ("evaluate", "baselines")


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-3.{csv,md,tex}."""
    return write_rmse_table("table-3", TITLE, results=results, tables=tables)
