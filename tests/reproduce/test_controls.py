"""The reference method passes the tests of the run that is here: what it fails says nothing of a model."""

from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import REFERENCE

TABLES = Path(__file__).parents[2] / "tables"


def test_bands_of_the_reference_converge_from_the_start_of_the_models() -> None:
    """All but a tenth, of few bands all but one; the first row is that of the profile's own springs."""
    table = pd.read_csv(TABLES / "table-bands.csv")
    control = table[table["loss"] == REFERENCE].iloc[0]
    missed = max(1, 0.1 * control["bands"])
    assert control["bands"] - control["converged"] <= missed
    assert control["bands"] - control["accurate"] <= missed


def test_the_reference_holds_every_heated_molecule_together() -> None:
    table = pd.read_csv(TABLES / "table-s1.csv")
    control = table[table["loss"] == REFERENCE]
    assert len(control) == table["molecule"].nunique() == 10
    assert (control["censored"] == control["runs"]).all()
