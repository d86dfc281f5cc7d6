"""Table 3: errors on structures along intrinsic reaction coordinates (IRC)."""

from pathlib import Path

from hessbench.results.error_tables import write_rmse_table

TITLE = "Table 3. Errors on structures along intrinsic reaction coordinates (IRC)"


def make(results: Path, tables: Path) -> list[Path]:
    """Write tables/table-3.{csv,md,tex} from results/errors."""
    return write_rmse_table("table-3", TITLE, results=results, tables=tables)
