"""Molecules that the paper's models hold as long as it says, nearly; some never start, some reach the cap."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import LABELS
from hessbench.experiments.stability.run.tables import RATES, STABILITY, TRAJECTORY
from hessbench.results.published import read_published
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import (
    LOSS_LABELS,
    LOSSES,
    MOLECULE,
    NUMBERS,
    SEEDS,
    Generator,
    Simulation,
    made_from,
    write_rows,
)


def write(results: Path, generator: Generator) -> None:
    published = read_published().stability.failure
    rows = []
    for molecule, loss, seed in product(published, LOSSES, SEEDS):
        failure = getattr(published[molecule], loss)
        temperature = 5 * round(min(1500, failure.temperature * generator.uniform(0.6, 1.2)) / 5)
        if failure.time == 0 and seed < 2:
            rows.append(
                (
                    LABELS[loss],
                    seed,
                    molecule,
                    "optimization failed",
                    "forces above 0.05 eV/A after 500 steps",
                    None,
                    0.0,
                    0.0,
                    1500.0,
                )
            )
        elif temperature >= 1200:
            rows.append(
                (LABELS[loss], seed, molecule, "censored", "reached the cap", None, 1500.0, 150000.0, 1500.0)
            )
        else:
            rows.append(
                (
                    LABELS[loss],
                    seed,
                    molecule,
                    "failed",
                    "bond stretched beyond 1.5",
                    "C3-H9",
                    float(max(temperature, 5)),
                    max(temperature, 5) * 100.0 - 37,
                    1500.0,
                )
            )
    for molecule in published:  # the reference, heated faster
        ended = ("failed", "broke", "C1-H2", 700.0, 14e3) if molecule == "aspirin" else ()
        ended = ended or ("censored", "reached the cap", None, 1000.0, 20e3)
        rows.append(("reference", -1, molecule, *ended, 1000.0))
    columns = ["loss", "seed", "molecule", "status", "reason", "bond", "temperature_k", "time_fs", "cap_k"]
    frame = pd.DataFrame(rows, columns=columns).assign(replica=0, rate_k_per_ps=10.0)
    frame.loc[frame["loss"] == "reference", "rate_k_per_ps"] = 50.0
    collided = frame.index[(frame["loss"] == "E-F") & (frame["status"] == "failed")][0]
    frame.loc[collided, ["status", "reason"]] = ["close contact", "too near"]
    made = made_from(
        "rtp", models=len(SEEDS), interval_fs=500.0, note="5 K every 500 fs (10 K/ps; the paper: 1 K/ps)"
    )
    write_table(results, STABILITY, frame, made)
    rates = frame[(frame["molecule"] == "ethanol") & (frame["loss"] == "E-F-H")].assign(rate_k_per_ps=200.0)
    write_table(results, RATES, rates, made)
    frames = []
    for frame in range(40):
        for atom, xyz in enumerate(MOLECULE + generator.normal(0, 0.03 + 0.002 * frame, MOLECULE.shape)):
            frames.append(
                ("ethanol", "E-F-H", 0, frame, frame * 100.0, 5.0 * frame, atom, int(NUMBERS[atom]), *xyz)
            )
    columns = [
        "molecule",
        "loss",
        "seed",
        "frame",
        "time_fs",
        "temperature_k",
        "atom",
        "number",
        "x",
        "y",
        "z",
    ]
    write_table(
        results,
        TRAJECTORY,
        pd.DataFrame(frames, columns=columns),
        made_from("rtp", models=1),
    )


def heated(generator: Generator, effect: bool) -> list[dict]:
    """Ten molecules, three models: E-F-H holds them to 900 K and the others to 300, or all to 500."""
    rows = []
    for loss, molecule, seed in product(LOSS_LABELS, range(10), range(3)):
        middle = (900 if loss == "E-F-H" else 300) if effect else 500
        kelvin = middle * np.exp(generator.normal(0, 0.2))
        rows.append(
            {"loss": loss, "molecule": f"m{molecule}", "seed": seed, "status": "failed", "bond": "C1-H2"}
            | {"temperature_k": kelvin, "rate_k_per_ps": 1.0, "cap_k": 3000.0}
        )
    return rows


def order(results: Path, generator: Generator, effect: bool) -> None:
    """E-F-H most stable, or all alike: see `heated`."""
    write_rows(results, STABILITY, heated(generator, effect))


def alike(results: Path, generator: Generator, effect: bool) -> None:
    """E-F as stable as E, or less so by the factor that is the line."""
    failures = read_published().stability.failure.values()
    line = sum(row.ef.temperature for row in failures) / sum(row.e.temperature for row in failures)
    rows = heated(generator, False)
    for row in rows:
        if row["loss"] == "E-F" and not effect:
            row["temperature_k"] *= line
    write_rows(results, STABILITY, rows)


SIMULATIONS: dict[str, Simulation] = {
    "md_stability_order": order,
    "md_stability_500k": order,
    "md_stability_ef_as_e": alike,
}
