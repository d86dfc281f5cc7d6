"""Errors tables as the evaluation writes them, with RMSEs that a test chooses."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.config.inputs import Inputs
from hessbench.config.loss_labels import LABELS
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.results.published import read_published
from hessbench.results.store.tables import BROUGHT, write_table
from tests.made_up import DATA, provenance, trained, write_made_up_run

ATOMS = 4
ELEMENTS = {"energy": 1, "force": 3 * ATOMS, "hessian": (3 * ATOMS) ** 2}
PUBLISHED = read_published()
PAPER = {
    (test_set, loss, quantity): PUBLISHED.cell(test_set, loss, quantity).rmse
    for test_set in ("rtp", "irc", "nms")
    for loss in ("e", "ef", "efh")
    for quantity in ELEMENTS
}


def errors_table(
    targets: dict[tuple[str, str], float],
    *,
    loss: str,
    percent: int = 80,
    seeds: int = 3,
    reactions: int = 40,
    spread: float = 0.01,
    noise: float = 0.2,
) -> pd.DataFrame:
    """One file's rows.

    Parameters
    ----------
    targets
        (set, quantity) to RMSE of the ensemble.
    spread, noise
        Relative standard deviation between models, and between structures.
    """
    generator = np.random.default_rng([len(loss), percent])
    frames = []
    for seed in range(seeds):
        factor = 1 + spread * (seed - (seeds - 1) / 2)
        for (test_set, quantity), target in targets.items():
            error = target * factor * np.exp(noise * generator.standard_normal(3 * reactions))
            count = ELEMENTS[quantity]
            frames.append(
                pd.DataFrame(
                    {
                        "loss": LABELS.get(loss, loss),
                        "percent": percent,
                        "seed": seed,
                        "set": test_set,
                        "reaction": [f"rxn{k:06d}" for k in range(reactions) for _ in range(3)],
                        "structure": np.tile(np.arange(3), reactions),
                        "quantity": quantity,
                        "squared": count * error**2,
                        "absolute": count * error,
                        "count": count,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def write_run(
    folder: Path,
    rmse: dict[tuple[str, str, str], float] = PAPER,
    *,
    profile: str = "ci",
    data: Mapping[str, str] = DATA,
    **options: float,
) -> Path:
    """Write results/ of a whole run with the paper's RMSEs, or others; gives the folder of the results."""
    results = folder / "results"
    write_made_up_run(results, profile, data)
    for loss in ("e", "ef", "efh"):
        targets = {(s, quantity): value for (s, of, quantity), value in rmse.items() if of == loss}
        rows = errors_table(targets, loss=loss, **options)
        write_errors(results, rows, loss=loss, inputs=trained(loss, 80, data))
    return results


def write_errors(
    results: Path, rows: pd.DataFrame, *, loss: str, percent: int = 80, inputs: Inputs | None = None
) -> Path:
    """Write one errors table as the evaluation does: of an ensemble, or of a user's model by another name."""
    if inputs is None and loss not in LABELS:
        results, inputs = results / BROUGHT, Inputs(DATA)
    elif inputs is None:
        inputs = trained(loss, percent)
    return write_table(results, ERRORS, rows, provenance(inputs), f"{loss}-{percent}")
