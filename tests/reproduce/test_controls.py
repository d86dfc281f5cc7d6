"""The reference method passes the tests of the run that is here: what it fails says nothing of a model."""

from pathlib import Path

import pandas as pd
import pytest

TABLES = Path(__file__).parents[2] / "tables"
REFERENCE = "reference"


def test_bands_of_the_reference_converge_from_the_start_of_the_models() -> None:
    table = pd.read_csv(TABLES / "table-bands.csv")
    (control,) = table[table["loss"] == REFERENCE].itertuples()
    if control.bands < 20:
        pytest.skip("tables of a profile whose bands are too few to be a control")
    assert control.converged >= 0.9 * control.bands
    assert control.accurate >= 0.9 * control.bands


def test_the_reference_holds_every_heated_molecule_together() -> None:
    table = pd.read_csv(TABLES / "table-s1.csv")
    control = table[table["loss"] == REFERENCE]
    assert len(control) == table["molecule"].nunique() == 10
    assert (control["censored"] == control["runs"]).all()
