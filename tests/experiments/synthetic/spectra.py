"""Frequencies along the path of a hydrogen transfer: those of E-F-H are near, those of E-F are not."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.experiments.curvature.run.tables import CURVATURE
from hessbench.experiments.spectra.run.tables import COST, SPECTRA
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import SEEDS, Generator, Simulation, made_from, write_rows

NOISE = {"reference": 0, "E-F-H": 25, "E-F": 300}
"""Standard deviation of frequencies, cm-1."""


def write(results: Path, generator: Generator) -> None:
    """Along the path that `synthetic.neb` writes."""
    s = np.linspace(-2.6, 2.2, 58)
    modes = np.sort(np.concatenate([generator.uniform(250, 1700, 14), generator.uniform(2900, 3400, 4)]))
    rows = []
    for loss, seed in [("reference", 0), *product(("E-F", "E-F-H"), SEEDS)]:
        for image in range(len(s)):
            reference = modes + 60 * np.sin(s[image] + np.arange(len(modes)))
            reference = np.concatenate([[900 - 2600 * np.exp(-(s[image] ** 2) / 0.3)], reference])
            found = reference + generator.normal(0, NOISE[loss], len(reference))
            place = ("rxn000123", loss, seed, image, s[image])
            rows += [(*place, k, found[k], reference[k]) for k in range(len(reference))]
    costs = [("reference", -1, 58, 61.3), *((loss, 0, 58, 0.14) for loss in ("E-F-H", "E-F", "E"))]
    made = made_from("rtp", models=len(SEEDS), neb={"band": {"spring_ev_a2": 5.0}})
    for table, content in ((SPECTRA, rows), (COST, costs)):
        write_table(results, table, pd.DataFrame(content, columns=list(table.columns)), made)


def vibrations(results: Path, generator: Generator, effect: bool) -> None:
    """Twenty paths, three models: frequencies of E-F three times as far off as E-F-H's, or as far.

    The lowest one of E-F-H has its minimum where the reference's is on most paths, or on half of them.
    """
    rows = []
    for reaction in range(20):
        near = generator.random() < (0.95 if effect else 0.5)
        hard = np.exp(generator.normal(0, 0.3))
        for loss, seed in product(("E-F", "E-F-H"), range(3)):
            scale = 20 * hard * np.exp(generator.normal(0, 0.05)) * (3 if effect and loss == "E-F" else 1)
            for structure, s in enumerate(np.linspace(-2, 2, 5)):
                errors = np.abs(generator.normal(0, scale, 30))
                rows.append(
                    {"loss": loss, "seed": seed, "set": "irc", "reaction": f"r{reaction}", "modes": 30}
                    | {"structure": structure, "path_coordinate": s, "modes_high": 30, "close": 30}
                    | {"wavenumber_error_high": errors.sum(), "wavenumber_squared_high": (errors**2).sum()}
                    | {"lowest_wavenumber_reference": 100 * s**2}
                    | {"lowest_wavenumber": 100 * (s if near else s - 2) ** 2}
                )
    write_rows(results, CURVATURE, rows)


SIMULATIONS: dict[str, Simulation] = {"spectra_softening": vibrations, "spectra_frequencies": vibrations}
