"""Made-up results tables of the contract's form, to draw with; never results of anything.

`python -m tests.reproduce.synthetic_results FOLDER` writes FOLDER/results, FOLDER/models and FOLDER/tables.
"""

import json
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.config.inputs import Inputs
from hessbench.config.loss_labels import LABELS
from hessbench.experiments.baselines.run.tables import BASELINES
from hessbench.experiments.calibration.run.tables import CALIBRATION
from hessbench.experiments.composition.run.tables import COMPOSITION
from hessbench.experiments.correlation.run.tables import CORRELATION
from hessbench.experiments.cost.run.tables import COST as TRAINING_COST
from hessbench.experiments.curvature.run.tables import CURVATURE
from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SPRINGS, SUMMARY
from hessbench.experiments.robustness.run.tables import ROBUSTNESS
from hessbench.experiments.single_ts.run.tables import MODES, SINGLE_TS, VARIANTS
from hessbench.experiments.spectra.run.tables import COST, SPECTRA
from hessbench.experiments.stability.run.tables import RATES, STABILITY, TRAJECTORY
from hessbench.experiments.surface.run.tables import SURFACE
from hessbench.experiments.ts_search.run.tables import SEARCHES
from hessbench.experiments.weights.run.tables import OWN, WEIGHTS
from hessbench.results.published import read_published
from hessbench.results.store.provenance import Provenance
from hessbench.results.store.tables import Table, write_table
from tests.made_up import provenance, trained, write_made_up_run

LOSSES = ("e", "ef", "efh")
PERCENTS = (2, 5, 10, 20, 40, 60, 80)
SEEDS = (0, 1, 2)
RNG = np.random.default_rng(7)
GFN = {"energy": 1.4, "force": 1.6, "hessian": 2.0}
LEVEL = "GFN2-xTB"
NUMBERS = np.array([6, 7, 6, 8, 1, 1, 1, 1])


DATA = {name: f"{name} 1.0 {LEVEL} 0123456789ab" for name in ("rtp", "irc", "nms", "single-ts")}
MACHINE = {"level": LEVEL, "hardware": "2 x made-up core", "seconds": 12.5}


def made_from(*sets: str, models: int | None = None, **notes: object) -> Provenance:
    return provenance(Inputs({name: DATA[name] for name in sets}), models=models, notes=notes, **MACHINE)


def errors(folder: Path) -> None:
    published = read_published()
    for loss, percent in product(LOSSES, PERCENTS):
        rows = []
        for test_set in ("rtp", "irc", "nms") if percent == 80 else ("irc", "nms"):
            for quantity, seed in product(("energy", "force", "hessian"), SEEDS):
                cell = published.cell(test_set, loss, quantity)
                scale = cell.rmse * GFN[quantity] * (80 / percent) ** 0.25 * RNG.normal(1, 0.03)
                for structure in range(40):
                    count = {"energy": 1, "force": 24, "hessian": 576}[quantity]
                    squared = float((scale**2) * RNG.chisquare(count))
                    rows.append(
                        {
                            "loss": LABELS[loss], "percent": percent, "seed": seed, "set": test_set,
                            "reaction": f"rxn{structure // 4:06d}", "structure": structure,
                            "quantity": quantity, "squared": squared,
                            "absolute": float(np.sqrt(squared * count)) * 0.8, "count": count,
                        }
                    )  # fmt: skip
        sets = {name: DATA[name] for name in ("rtp", "irc", "nms")}
        made = provenance(trained(loss, percent, sets), models=len(SEEDS), **MACHINE)
        write_table(folder / "results", ERRORS, pd.DataFrame(rows), made, f"{loss}-{percent}")


def baselines(folder: Path) -> None:
    """NMS forces of 2 kcal/mol/Angstrom, so that every made-up model is worse there."""
    rows = []
    for test_set, quantity in product(("rtp", "irc", "nms"), ("energy", "force", "hessian")):
        rmse = 2.0 if (test_set, quantity) == ("nms", "force") else 900.0
        row = {"set": test_set, "reaction": "rxn000000", "structure": 0, "quantity": quantity, "count": 9}
        rows.append(row | {"squared": 9 * rmse**2, "absolute": 9 * rmse})
    write_table(folder / "results", BASELINES, pd.DataFrame(rows), made_from("rtp", "irc", "nms"))


def single_ts(folder: Path, models: int = 100) -> None:
    s = np.concatenate([np.linspace(-3, -0.75, 24), np.linspace(-0.7, 0.75, 30), np.linspace(0.8, 3, 24)])
    reference = -25 * np.tanh(s**2 / 2.2) - 9 * np.tanh(s / 1.5) * np.tanh(s**2)
    reference[np.abs(s).argmin()] = 0
    rows = [("reference", -1, k, s[k], reference[k]) for k in range(len(s))]
    modes = [("reference", -1, -1750.0, 1, True)]
    for loss in LABELS.values():
        if loss == "E-F-HVP":
            continue
        for model in range(models):
            slope, bend = RNG.normal(0, 30 if loss == "E" else 2), RNG.normal(0, 12)
            if loss == "E-F-H":
                predicted = (
                    reference * (1 + 0.05 * RNG.normal()) + bend * np.abs(s) ** 3 * 0.4 + slope * 0.2 * s**2
                )
            else:
                predicted = slope * s + bend * s**2
            rows += [(loss, model, k, s[k], predicted[k]) for k in range(len(s))]
            is_maximum = bool(predicted[40] < 0.05 and predicted[38] < 0.05)
            frequency = RNG.normal(-1700 if loss == "E-F-H" else -500, 60 if loss == "E-F-H" else 700)
            modes.append((loss, model, frequency, int(RNG.integers(1, 3)), is_maximum))
    made = made_from("single-ts", models=models)
    columns = ["loss", "model", "structure", "path_coordinate", "energy"]
    write_table(folder / "results", SINGLE_TS, pd.DataFrame(rows, columns=columns).assign(reason=""), made)
    columns = ["loss", "model", "lowest_frequency_cm1", "negative_modes", "ts_is_maximum"]
    frame = pd.DataFrame(modes, columns=columns).assign(
        energy_error=0.1, force_error=0.2, hessian_error=0.3, reason=""
    )
    write_table(folder / "results", MODES, frame, made)
    write_table(folder / "results", VARIANTS, pd.DataFrame(columns=list(VARIANTS.columns)), made)


def stability(folder: Path) -> None:
    published = read_published().stability.failure
    rows = []
    for molecule, loss, seed in product(published, LOSSES, SEEDS):
        failure = getattr(published[molecule], loss)
        temperature = 5 * round(min(1500, failure.temperature * RNG.uniform(0.6, 1.2)) / 5)
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
    write_table(folder / "results", STABILITY, frame, made)
    rates = frame[(frame["molecule"] == "ethanol") & (frame["loss"] == "E-F-H")].assign(rate_k_per_ps=200.0)
    write_table(folder / "results", RATES, rates, made)
    frames = []
    base = _molecule()
    for frame in range(40):
        for atom, xyz in enumerate(base + RNG.normal(0, 0.03 + 0.002 * frame, base.shape)):
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
        folder / "results",
        TRAJECTORY,
        pd.DataFrame(frames, columns=columns),
        made_from("rtp", models=1),
    )


def _molecule() -> np.ndarray:
    text = "0 0 0  1.3 0.2 0  2 1.4 0.1  3.2 1.5 0  -0.5 0.9 0.3  -0.4 -0.9 0.5  1.9 -0.7 0  1.4 2.3 0.1"
    return np.array(text.split(), float).reshape(-1, 3)


def neb(folder: Path) -> None:
    reactions = [("rxn000123", "single hydrogen transfer", 61.2), ("rxn004567", "multi-process", 82.4)]
    reactions += [(f"rxn{7000 + k:06d}", "held-out", float(RNG.uniform(30, 95))) for k in range(20)]
    paths, summary, geometry, spectra = [], [], [], []
    base = _molecule()
    modes = np.sort(np.concatenate([RNG.uniform(250, 1700, 14), RNG.uniform(2900, 3400, 4)]))
    for name, kind, barrier in reactions:
        s = np.linspace(-2.6, 2.2, 58)
        shape = barrier * np.exp(-(s**2) / 0.9) - 8 / (1 + np.exp(-3 * s)) + 8 / (1 + np.exp(3 * 2.6))
        exact = shape.max() - shape[0]
        for loss, seed in [("reference", 0), *product(("E", "E-F", "E-F-H"), SEEDS)]:
            good = loss == "reference" or (
                loss == "E-F-H" and not (kind == "held-out" and seed == 2 and barrier > 80)
            )
            status = "converged" if good else ("exploded" if loss == "E" else "not converged")
            energy = (
                shape
                if loss == "reference"
                else shape
                + (
                    RNG.normal(0, 1) * np.exp(-(s**2))
                    if good
                    else 25 * np.abs(np.sin(3 * s + seed)) * (1 + seed)
                )
            )
            energy = energy - energy[0]
            if not (status == "exploded" and seed == 0):
                paths += [
                    (name, kind, loss, seed, k, s[k] - s[energy.argmax()], energy[k]) for k in range(len(s))
                ]
            found = energy.max() if good else None
            summary.append(
                (
                    name,
                    kind,
                    loss,
                    seed,
                    status,
                    "" if good else "force 3.2 eV/A after 500 iterations",
                    120 if good else 500,
                    0.04 if good else (None if status == "exploded" else 3.2),
                    found,
                    exact,
                    0.03 if good else None,
                )
            )
            if kind != "held-out" and good:
                for image in range(58):
                    t = image / 57
                    xyz = base.copy()
                    xyz[4] = (1 - t) * base[4] + t * np.array([1.4, 2.4, 0.9])
                    geometry += [
                        (name, loss, seed, image, atom, int(NUMBERS[atom]), *p) for atom, p in enumerate(xyz)
                    ]
            if kind == "single hydrogen transfer" and loss in ("reference", "E-F-H", "E-F"):
                for image in range(58):
                    reference = modes + 60 * np.sin(s[image] + np.arange(len(modes)))
                    reference = np.concatenate([[900 - 2600 * np.exp(-(s[image] ** 2) / 0.3)], reference])
                    noise = RNG.normal(0, {"reference": 0, "E-F-H": 25, "E-F": 300}[loss], len(reference))
                    spectra += [
                        (
                            name,
                            loss,
                            seed,
                            image,
                            s[image],
                            k,
                            reference[k] + noise[k],
                            reference[k],
                        )
                        for k in range(len(reference))
                    ]

    def write(table: Table, rows: list) -> None:
        frame = pd.DataFrame(rows, columns=list(table.columns))
        made = made_from("rtp", models=len(SEEDS), neb={"band": {"spring_ev_a2": 5.0}})
        write_table(folder / "results", table, frame, made)

    write(PATHS, paths)
    write(SUMMARY, summary)
    write(SPRINGS, [(50.0, *row) for row in summary if row[1] == "held-out" and row[3] == 0])
    write(GEOMETRY, geometry)
    write(SPECTRA, spectra)
    write(COST, [("reference", -1, 58, 61.3), *((loss, 0, 58, 0.14) for loss in ("E-F-H", "E-F", "E"))])


def epoch_cost(folder: Path) -> None:
    rows = []
    for (loss, cost), engine, percent, repeat in product(
        {"E": 1, "E-F": 2, "E-F-H": 9}.items(), ("exact", "autograd loop"), PERCENTS, range(3)
    ):
        factor = 8 if (engine == "autograd loop" and loss == "E-F-H") else 1
        rows.append(
            (
                loss,
                engine,
                12 * percent,
                percent,
                repeat,
                cost * factor * percent * 0.01 * RNG.normal(1, 0.02),
            )
        )
    write_table(
        folder / "results",
        EPOCH_COST,
        pd.DataFrame(rows, columns=["loss", "engine", "structures", "percent", "repeat", "seconds"]).assign(
            timed_structures=12, extrapolated=False
        ),
        made_from("rtp"),
    )


def correlation(folder: Path) -> None:
    widths = {"energy": 4.0, "force": 2.0, "hessian": 20.0}
    rows = []
    for loss, test_set, quantity in product(("E", "E-F", "E-F-H"), ("rtp", "irc", "nms"), widths):
        noise = {"E": 3, "E-F": 1.5, "E-F-H": 0.7}[loss] * widths[quantity]
        reference = RNG.normal(0, 25 * widths[quantity], 20000)
        predicted = reference + RNG.normal(0, noise, 20000)
        cells = np.stack([reference, predicted], 1) // widths[quantity]
        centres, counts = np.unique(cells, axis=0, return_counts=True)
        centres = (centres + 0.5) * widths[quantity]
        rows += [(loss, test_set, quantity, *c, int(n)) for c, n in zip(centres, counts, strict=True)]
    write_table(
        folder / "results",
        CORRELATION,
        pd.DataFrame(rows, columns=["loss", "set", "quantity", "reference_bin", "predicted_bin", "count"]),
        made_from("rtp", "irc", "nms", models=len(SEEDS), bin_widths=widths),
    )


def composition(folder: Path) -> None:
    rows = []
    for structure in range(1200):
        carbon, nitrogen, oxygen = int(RNG.integers(2, 6)), int(RNG.integers(0, 3)), int(RNG.integers(0, 3))
        counts = {"C": carbon, "N": nitrogen, "O": oxygen, "H": int(RNG.integers(3, 13))}
        reaction = f"rxn{structure // 3:06d}"
        rows += [("rtp", reaction, structure, "element", k, v) for k, v in counts.items() if v]
        rows.append(("rtp", reaction, structure, "heavy_atoms", "heavy atoms", carbon + nitrogen + oxygen))
        rows.append(("rtp", reaction, structure, "heteroatoms", "heteroatoms", nitrogen + oxygen))
        if structure % 3:
            for name, top in (("single", 14), ("double", 4), ("triple", 2), ("aromatic", 1)):
                rows.append(
                    (
                        "rtp",
                        reaction,
                        structure,
                        "bonds",
                        name,
                        int(RNG.integers(0, top)) + (4 if top == 14 else 0),
                    )
                )
    write_table(
        folder / "results",
        COMPOSITION,
        pd.DataFrame(rows, columns=["set", "reaction", "structure", "kind", "name", "count"]).assign(
            reason=""
        ),
        made_from("rtp"),
    )


def surface(folder: Path) -> None:
    x, y = np.meshgrid(np.linspace(0.9, 2.4, 41), np.linspace(0.9, 2.4, 41))
    energy = 45 * np.exp(-(((x - y) / 0.25) ** 2)) + 180 * ((x + y - 2.9) ** 2) * (0.4 + 0.3 * np.tanh(x - y))
    write_table(
        folder / "results",
        SURFACE,
        pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "energy": (energy - energy.min()).ravel()}),
        made_from("single-ts", x_label="d(O–H) (Å)", y_label="d(C–H) (Å)"),
    )


def weights(folder: Path) -> None:
    published = read_published()
    units = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
    pairs = {"0.08 / 0.02": (0.08, 0.02), "0.28 / 0.14": (0.28, 0.14), OWN: (1.0, 1.0)}
    rows = []
    for loss, (choice, (force, hessian)), seed in product(("ef", "efh"), pairs.items(), (0, 1)):
        for test_set, quantity in product(("rtp", "irc", "nms"), units):
            scale = published.cell(test_set, loss, quantity).rmse * force**-0.1 * RNG.normal(1, 0.03)
            eta = hessian if loss == "efh" else None
            rows.append((LABELS[loss], choice, force, eta, seed, test_set, quantity, units[quantity], scale))
    frame = pd.DataFrame(rows, columns=list(WEIGHTS.columns))
    made = made_from("rtp", "irc", "nms", models=2, percent=80)
    write_table(folder / "results", WEIGHTS, frame, made)


def robustness(folder: Path) -> None:
    """Without scaled features E-F-H is worse than E-F in all."""
    published, name = read_published(), "unscaled-features"
    for loss in LOSSES:
        rows = []
        for test_set, quantity, seed in product(("rtp", "irc", "nms"), GFN, (0, 1)):
            rmse = published.cell(test_set, {"efh": "ef", "ef": "efh"}.get(loss, loss), quantity).rmse
            for structure in range(40):
                place = {"loss": LABELS[loss], "percent": 80, "seed": seed, "set": test_set}
                place |= {"reaction": f"rxn{structure // 4:06d}", "structure": structure}
                error = rmse * RNG.normal(1, 0.01)
                rows.append(
                    place | {"quantity": quantity, "squared": error**2, "absolute": error, "count": 1}
                )
        made = made_from("rtp", "irc", "nms", models=2)
        write_table(folder / "results/robustness" / name, ERRORS, pd.DataFrame(rows), made, f"{loss}-80")
    index = pd.DataFrame([("unscaled features", name, 2)], columns=list(ROBUSTNESS.columns))
    write_table(folder / "results", ROBUSTNESS, index, made_from("rtp", "irc", "nms", models=2, percent=80))


def cost(folder: Path) -> None:
    """E-F-H costs most and errs least; more probes come nearer to it."""
    units = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
    losses = {"E-F": (4.0, 2.0), "E-F-H": (20.0, 1.0)}
    losses |= {"E-F-HVP, 1 probe": (9.0, 1.4), "E-F-HVP, 2 probes": (10.0, 1.2), "E-F-HVP, 1 row": (9.5, 1.6)}
    rows = [
        (
            loss,
            length,
            int(60 * length),
            0,
            quantity,
            units[quantity],
            scale * error * length**-0.3,
            seconds * length,
        )
        for (loss, (seconds, error)), length in product(losses.items(), (0.5, 1.0))
        for quantity, scale in {"energy": 5.0, "force": 6.0, "hessian": 12.0}.items()
    ]
    frame = pd.DataFrame(rows, columns=list(TRAINING_COST.columns))
    write_table(folder / "results", TRAINING_COST, frame, made_from("rtp", models=1, percent=80))


def calibration(folder: Path) -> None:
    """Spreads half as large as the errors, and larger where these are."""
    rows = []
    for loss, test_set, quantity in product(
        ("E", "E-F", "E-F-H"), ("rtp", "irc", "nms"), ("energy", "force", "hessian")
    ):
        for structure in range(12):
            place = {"loss": loss, "models": 2, "set": test_set, "reaction": f"rxn{structure // 2:06d}"}
            numbers = {"squared": 4.0 * (structure + 1), "variance": structure + 1.0, "count": 9}
            rows.append(place | {"structure": structure, "quantity": quantity} | numbers)
    made = made_from("rtp", "irc", "nms", models=2)
    write_table(folder / "results", CALIBRATION, pd.DataFrame(rows)[list(CALIBRATION.columns)], made)


def ts_search(folder: Path) -> None:
    """With Hessians E-F-H finds eight of ten; without, and with other losses, fewer."""
    rows = []
    found = {"E": 1, "E-F": 4, "E-F-H": 8, "reference": 9}
    for (loss, many), (fewer, hessian), reaction in product(
        found.items(), enumerate(("exact", "none")), range(10)
    ):
        status = "found" if reaction < many - fewer else ("elsewhere", "not converged")[reaction % 2]
        converged = status != "not converged"
        rows.append(
            {
                "reaction": f"rxn{reaction:06d}", "loss": loss, "seed": 0, "hessian": hessian,
                "status": status, "reason": "" if converged else "largest force above 0.01 eV/Angstrom",
                "steps": 10 + reaction, "gradient_calls": 11 + reaction,
                "hessian_calls": 0 if fewer else 11 + reaction, "imaginary": 1 if converged else None,
                "rmsd": 0.01 * (reaction + 1), "cpu_s": 1.0,
            }
        )  # fmt: skip
    settings = {"displacement_a": 0.1, "same_a": 0.2, "fmax_ev_a": 0.01, "steps": 100}
    made = made_from("rtp", models=1, ts_search=settings)
    write_table(folder / "results", SEARCHES, pd.DataFrame(rows), made)


def curvature(folder: Path) -> None:
    """E-F-H off by a tenth of E; minima, TSs, and one structure with two imaginary modes."""
    rows = []
    for (position, loss), seed, test_set, structure in product(
        enumerate(("E", "E-F", "E-F-H")), (0, 1), ("rtp", "irc", "nms"), range(12)
    ):
        imaginary = (0, 1, 0, 2)[structure % 4]
        numbers = {"imaginary": imaginary, "low": 8, "middle": 17, "high": 8 - imaginary}
        error = (400.0, 300.0, 40.0)[position] * RNG.normal(1, 0.05)
        rows.append(
            {
                "loss": loss, "seed": seed, "set": test_set, "reaction": f"rxn{structure // 2:06d}",
                "structure": structure, "modes": 33, "eigenvalue_error": error,
                "path_coordinate": float(structure % 2) if test_set == "irc" else None,
                **{f"wavenumber_squared_{name}": error**2 * number for name, number in numbers.items()},
                "close": 20, "lowest_wavenumber": 100.0 * (structure % 2),
                "lowest_wavenumber_reference": 100.0 * (structure % 2),
                **{f"wavenumber_error_{name}": error * number for name, number in numbers.items()},
                **{f"modes_{name}": number for name, number in numbers.items()},
                "zero_point_error": error / 40, "lowest_overlap": 1 - error / 500, "second_overlap": 0.5,
                "imaginary_reference": imaginary, "imaginary": imaginary if position == 2 else 1,
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)[list(CURVATURE.columns)]
    write_table(folder / "results", CURVATURE, frame, made_from("rtp", "irc", "nms", models=2))


def models(folder: Path) -> None:
    """Learning curves, and headers of model files without weights worth the name."""
    from safetensors.numpy import save_file

    architecture = {
        "elements": ["H", "C", "N", "O"],
        "hidden": [[160, 128, 96], [144, 112, 96], [128, 112, 96], [128, 112, 96]],
        "activation": "celu",
        "biases": True,
        "symmetry_functions": {
            "radial_cutoff": 5.2,
            "angular_cutoff": 3.5,
            "radial_shifts": [0.9 + 0.26875 * k for k in range(16)],
            "angular_shifts": [0.9, 1.55, 2.2, 2.85],
            "angular_sections": [0.196 + 0.393 * k for k in range(8)],
        },
    }
    for loss, percent in product(LOSSES, PERCENTS):
        target = folder / "models" / str(percent) / loss
        target.mkdir(parents=True, exist_ok=True)
        rows = []
        for seed, epoch in product(SEEDS, range(1, 31)):
            decay = np.exp(-epoch / 10) + 0.15 + RNG.normal(0, 0.004)
            row = {"epoch": epoch, "seed": seed, "training_loss": 40 * decay, "training_seconds": 2.0}
            for part, factor in (("training", 1.0), ("validation", 1.15)):
                row |= {
                    f"{part}_energy_rmse_kcal_mol": 30 * decay * factor,
                    f"{part}_force_rmse_kcal_mol_A": 60 * decay * factor,
                }
                row[f"{part}_hessian_rmse_kcal_mol_A2"] = (
                    120 * decay * factor
                    if epoch % 10 == 0 or (part == "training" and loss == "efh")
                    else None
                )
            rows.append(row)
        pd.DataFrame(rows).to_csv(target / "history.csv", index=False)
        inputs = asdict(trained(loss, percent, {"rtp": DATA["rtp"]}))
        (target / "training.json").write_text(json.dumps({"inputs": inputs, "label": LABELS.get(loss, loss)}))
        header = json.dumps({"format": "hessbench ANI 1", "architecture": architecture, "notes": {}})
        save_file({"self_energies": np.zeros(4)}, target / "0.safetensors", metadata={"hessbench": header})


def verdicts(folder: Path) -> None:
    rows = []
    words = ("reproduced", "direction only", "not reproduced", "undecided", "not testable")
    for k, (claim, content) in enumerate(read_published().claims.items()):
        rows.append(
            {
                "claim": claim, "section": content.section, "quote": content.quote,
                "statement": content.statement, "verdict": words[k % 5],
                "direction": ("reproduced", "reproduced", "opposite", "undecided", "")[k % 5],
                "size": "consistent", "size_ratio": 0.82, "testable": "limited", "published": 0.376,
                "reproduced": 0.31, "ci_low": 0.22, "ci_high": 0.42, "reason": "a made-up reason",
                "details": "a number: 0.31 [0.22, 0.42]\nbeside it: another",
            }
        )  # fmt: skip
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / "tables" / "verdicts.csv", index=False)


def write_all(folder: Path) -> None:
    """The same results every time."""
    RNG.bit_generator.state = np.random.default_rng(7).bit_generator.state
    for part in (
        errors,
        baselines,
        single_ts,
        stability,
        neb,
        epoch_cost,
        correlation,
        composition,
        surface,
        models,
        verdicts,
        weights,
        robustness,
        cost,
        curvature,
        calibration,
        ts_search,
    ):
        part(folder)
    write_made_up_run(folder / "results", "synthetic", DATA)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
