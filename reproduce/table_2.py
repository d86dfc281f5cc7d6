"""Table 2: errors on held-out reactants, transition states and products (RTP)."""

from pathlib import Path

from hessbench.experiments.errors.tables import write_rmse_table
from hessbench.results.reader import Results

TITLE = "Table 2. Errors on held-out reactants, transition states and products (RTP)"
STAGES = ("evaluate", "baselines")


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-2.{csv,md,tex}."""
    return write_rmse_table("table-2", TITLE, results=results, tables=tables)
