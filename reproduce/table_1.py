"""Table 1: inputs and loss targets of a training, with their dimensions in the paper and here.

The paper pads every molecule to the largest of its batch (M molecules, N atoms the largest); here molecules
are joined end to end, so that an array holds its real elements only. The numbers are those of all
reactants, TSs and products of this run.
"""

from pathlib import Path

import pandas as pd

from hessbench.experiments.composition.run.tables import COMPOSITION
from hessbench.results.reader import Results
from hessbench.results.table_files import write_table_files

TITLE = "Table 1. Inputs and loss targets used in training"
STAGES = ("composition",)


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-1.{csv,md,tex} from results/composition.parquet.

    Raises
    ------
    HessbenchError
        The table is missing or broken.
    """
    counts = results.table(COMPOSITION, ["set", "reaction", "structure", "kind", "count"])
    data = results.provenance(COMPOSITION).data
    atoms = counts[(counts["set"] == "rtp") & (counts["kind"] == "element")]
    sizes = atoms.groupby(["reaction", "structure"])["count"].sum()
    m, largest, a = len(sizes), int(sizes.max()), int(sizes.sum())
    hessian = int((9 * sizes**2).sum())
    force_unit, hessian_unit = "kcal Å⁻¹ mol⁻¹", "kcal Å⁻² mol⁻¹"
    padded = m * largest
    rows = [
        ("input", "species", "Zₗ", "", "M × N", "ΣN", a, padded),
        ("input", "coordinates", "xⱼ", "Å", "M × N × 3", "ΣN × 3", 3 * a, 3 * padded),
        ("target", "energy", "Eᵢ", "kcal mol⁻¹", "M × 1", "M", m, m),
        ("target", "atomic forces", "∂Eᵢ/∂xⱼ", force_unit, "M × N × 3", "ΣN × 3", 3 * a, 3 * padded),
        (
            "target",
            "Hessian matrix",
            "∂²Eᵢ/(∂xⱼ∂xₖ)",
            hessian_unit,
            "M × 3N × 3N",
            "Σ(3N)²",
            hessian,
            9 * padded * largest,
        ),
    ]
    columns = [
        "role", "property", "representation", "unit", "published_dimensions", "dimensions", "elements",
        "padded_elements",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame["difference"] = frame["elements"] - frame["padded_elements"]
    readable = pd.DataFrame(
        {
            "": frame["role"],
            "Property": frame["property"],
            "Representation": frame["representation"],
            "Unit": frame["unit"],
            "Paper, padded": frame["published_dimensions"],
            "Here": frame["dimensions"],
            "Elements here": frame["elements"].map("{:,}".format),
            "Elements padded": frame["padded_elements"].map("{:,}".format),
            "Difference": frame["difference"].map("{:,}".format).str.replace("-", "−"),
        }
    )
    footer = (
        f"M = {m:,} molecules of N = {int(sizes.min())} to {largest} atoms. "
        f"Profile {results.run.profile}. Data: {data}."
    )
    return write_table_files("table-1", TITLE, footer, data, frame=frame, readable=readable, tables=tables)
