"""Table 4: errors on structures displaced from reaction paths by normal mode sampling (NMS)."""

from pathlib import Path

from hessbench.experiments.errors.tables import write_rmse_table
from hessbench.results.reader import Results

TITLE = "Table 4. Errors on structures displaced from reaction paths by normal mode sampling (NMS)"
STAGES = ("evaluate", "baselines")


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-4.{csv,md,tex}."""
    return write_rmse_table("table-4", TITLE, results=results, tables=tables)
