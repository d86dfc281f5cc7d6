"""Table 2: errors on held-out reactants, transition states and products (RTP)."""

from pathlib import Path

from hessbench.results.error_tables import write_rmse_table

TITLE = "Table 2. Errors on held-out reactants, transition states and products (RTP)"


def make(results: Path, tables: Path) -> list[Path]:
    """Write tables/table-2.{csv,md,tex} from results/errors."""
    return write_rmse_table("table-2", TITLE, results=results, tables=tables)
