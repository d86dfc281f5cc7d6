"""Errors tables as the evaluation writes them, with RMSEs that a test chooses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.results.published import read_published
from hessbench.results.store.runinfo import write_run_info
from hessbench.results.store.tables import LABELS, Identity, write_table

ATOMS = 4
ELEMENTS = {"energy": 1, "force": 3 * ATOMS, "hessian": (3 * ATOMS) ** 2}
PAPER = {
    (test_set, loss, quantity): read_published().cell(test_set, loss, quantity).rmse
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
                        "training": LABELS.get(loss, loss),
                        "fraction": percent,
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
    folder: Path, rmse: dict[tuple[str, str, str], float] = PAPER, *, profile: str = "ci", **options: float
) -> Path:
    """Write results/ of a whole run with the paper's RMSEs, or others; gives the results directory."""
    results = folder / "results"
    data = {name: f"made-up-{name} 1.0 none 0123456789ab" for name in ("rtp", "irc", "nms")}
    write_run_info(results, profile=profile, data=data)
    write_percents(results, 2, 20, 40, 60, 80)
    for loss in ("e", "ef", "efh"):
        targets = {(s, quantity): value for (s, of, quantity), value in rmse.items() if of == loss}
        write_errors(results, errors_table(targets, loss=loss, **options), loss=loss, profile=profile)
    return results


def write_percents(results: Path, *percents: int) -> None:
    """Write of results/split.json what says how large the training sets of the run are."""
    (results / "split.json").write_text(json.dumps({"sizes": dict.fromkeys(percents, 1)}))


def write_errors(
    results: Path, rows: pd.DataFrame, *, loss: str, percent: int = 80, profile: str = "ci"
) -> Path:
    """Write one errors table as the evaluation does."""
    path = results / "errors" / f"{loss}-{percent}.parquet"
    write_table(path, rows, Identity(profile=profile, data="made up", level="none"))
    return path
