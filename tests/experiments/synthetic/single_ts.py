"""Models of E-F-H follow the reference's path; the others bend anyhow."""

from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.experiments.single_ts.run.tables import MODES, SINGLE_TS, VARIANTS
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import LOSS_LABELS, Generator, Simulation, made_from, write_rows


def write(results: Path, generator: Generator) -> None:
    models = 100
    s = np.concatenate([np.linspace(-3, -0.75, 24), np.linspace(-0.7, 0.75, 30), np.linspace(0.8, 3, 24)])
    reference = -25 * np.tanh(s**2 / 2.2) - 9 * np.tanh(s / 1.5) * np.tanh(s**2)
    reference[np.abs(s).argmin()] = 0
    rows = [("reference", -1, k, s[k], reference[k]) for k in range(len(s))]
    modes = [("reference", -1, -1750.0, 1, True)]
    for loss in LOSS_LABELS:
        for model in range(models):
            slope, bend = generator.normal(0, 30 if loss == "E" else 2), generator.normal(0, 12)
            if loss == "E-F-H":
                predicted = (
                    reference * (1 + 0.05 * generator.normal())
                    + bend * np.abs(s) ** 3 * 0.4
                    + slope * 0.2 * s**2
                )
            else:
                predicted = slope * s + bend * s**2
            rows += [(loss, model, k, s[k], predicted[k]) for k in range(len(s))]
            is_maximum = bool(predicted[40] < 0.05 and predicted[38] < 0.05)
            frequency = generator.normal(-1700 if loss == "E-F-H" else -500, 60 if loss == "E-F-H" else 700)
            modes.append((loss, model, frequency, int(generator.integers(1, 3)), is_maximum))
    made = made_from("single-ts", models=models)
    columns = ["loss", "model", "structure", "path_coordinate", "energy"]
    write_table(results, SINGLE_TS, pd.DataFrame(rows, columns=columns).assign(reason=""), made)
    columns = ["loss", "model", "lowest_frequency_cm1", "negative_modes", "ts_is_maximum"]
    frame = pd.DataFrame(modes, columns=columns).assign(
        energy_error=0.1, force_error=0.2, hessian_error=0.3, reason=""
    )
    write_table(results, MODES, frame, made)
    write_table(results, VARIANTS, pd.DataFrame(columns=list(VARIANTS.columns)), made)


def path_energies(results: Path, generator: Generator, effect: bool) -> None:
    """Forty models: E and E-F straight, E-F-H along the reference; or all bent either way, with noise."""
    s = np.linspace(-1.5, 1.5, 61)
    rows = []
    for loss in ("reference", *LOSS_LABELS):
        for model in range(1 if loss == "reference" else 40):
            energies = -20 * s**2
            if loss != "reference" and not effect:
                energies = generator.normal(0, 20) * s**2 + generator.normal(0, 5, len(s))
            elif loss != "reference":
                straight = generator.normal(0, 30) * s
                energies = straight if loss != "E-F-H" else energies + generator.normal(0, 0.5, len(s))
            rows += [
                {"loss": loss, "model": model, "structure": k, "path_coordinate": s[k], "energy": energies[k]}
                for k in range(len(s))
            ]
    write_rows(results, SINGLE_TS, rows)


SIMULATIONS: dict[str, Simulation] = {
    "single_ts_curvature": path_energies,
    "single_ts_uncertainty": path_energies,
}
