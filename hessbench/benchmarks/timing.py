"""Side-by-side timing of a training step by each way of getting derivatives.

A step is forward pass, loss of eq. 6 and backward pass, without optimizer. Ways take turns within one run, so
that a machine's slow spells meet all of them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from hessbench.errors import HessbenchError
from hessbench.potential.ani.evaluation import choose_backend, evaluate
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.potential import build
from hessbench.potential.ani.reference import evaluate_by_autograd, evaluate_by_vmap
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.probes import draw_probes
from hessbench.training.loss import weighted_sum
from hessbench.training.settings import PAPER_LOSSES, LossConfig, Quantity

SMALLEST_DISTANCE = 0.95
"""Angstrom, of the random molecules."""


@dataclass(frozen=True)
class Case:
    """What is timed.

    Attributes
    ----------
    atoms, batch
        Atoms of each molecule, molecules of a step.
    threads
        Of torch; None leaves them alone.
    dtype, device, shape
        Names of torch's dtype and device, and of a network shape.
    """

    atoms: int = 13
    batch: int = 16
    threads: int | None = 1
    dtype: str = "float32"
    device: str = "cpu"
    shape: str = "gelu"

    def build(self) -> tuple[ANI, Batch]:
        """Make a model with random weights and random molecules."""
        dtype = {"float32": torch.float32, "float64": torch.float64}[self.dtype]
        model = build(ANIConfig.model_validate({"shape": self.shape}), seed=0).to(self.device, dtype)
        molecules = [random_molecule(self.atoms, seed) for seed in range(self.batch)]
        return model, Batch.from_molecules(molecules, dtype).to(self.device)


Step = Callable[[ANI, Batch], Prediction]


def _ways() -> dict[str, Step]:
    """Every way, the baselines first."""

    def autograd(derivatives: Any, model: ANI, batch: Batch) -> Prediction:
        return evaluate_by_autograd(model, batch, derivatives)

    def exact(backend: Any, derivatives: Any, model: ANI, batch: Batch) -> Prediction:
        return evaluate(model, batch, derivatives, backend=backend)

    def products(backend: Any, count: int, model: ANI, batch: Batch) -> Prediction:
        probes = draw_probes(batch, count, "rademacher", torch.Generator().manual_seed(0))
        return evaluate(model, batch, 1, probes, backend=backend)

    ways: dict[str, Step] = {
        "E autograd": partial(autograd, 0),
        "E-F autograd": partial(autograd, 1),
        "E-F-H autograd loop": partial(autograd, 2),
        "E-F-H vmap": evaluate_by_vmap,
    }
    for backend in ("torch", "native"):
        ways[f"E {backend}"] = partial(exact, backend, 0)
        ways[f"E-F {backend}"] = partial(exact, backend, 1)
        ways[f"E-F-H {backend}"] = partial(exact, backend, 2)
        for count in (1, 4):
            ways[f"E-F-HVP {count} {backend}"] = partial(products, backend, count)
    return ways


WAYS = _ways()
BASELINE, LOOP = "E-F autograd", "E-F-H autograd loop"
SLOW = frozenset({LOOP, "E-F-H vmap"})
"""Timed in fewer rounds."""


def random_molecule(atoms: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """C, H and O in the ratio of C3H8O2, with as many near neighbours as small organic molecules have.

    Returns
    -------
    Atomic numbers (N,) and coordinates (N, 3), Angstrom.
    """
    generator = np.random.default_rng(seed)
    numbers = np.resize([6, 1, 8, 1, 1, 6, 1, 1, 1, 6, 8, 1, 1], atoms)
    radius = 1.0 * atoms ** (1 / 3) + 0.24
    positions = np.empty((0, 3))
    attempts = 0
    while len(positions) < atoms:
        trial = generator.uniform(-radius, radius, 3)
        if np.linalg.norm(trial) < radius and (
            len(positions) == 0 or np.linalg.norm(positions - trial, axis=1).min() > SMALLEST_DISTANCE
        ):
            positions = np.vstack([positions, trial])
        attempts += 1
        if attempts % 10_000 == 0:
            radius *= 1.05
    return numbers, positions


def loss_of(prediction: Prediction) -> Tensor:
    """Loss of the paper with all that is predicted, all targets zero; products count as the Hessian."""
    values: dict[Quantity, Tensor | None] = {
        "energy": prediction.energies,
        "force": prediction.forces,
        "hessian": prediction.hessians if prediction.products is None else prediction.products,
    }
    errors = {
        quantity: given.square().mean().sqrt() for quantity, given in values.items() if given is not None
    }
    terms = tuple(term for term in PAPER_LOSSES["efh"].terms if term.quantity in errors)
    return weighted_sum(errors, LossConfig(terms=terms))


def step(way: str, model: ANI, batch: Batch) -> None:
    """One forward and backward pass."""
    model.zero_grad()
    loss_of(WAYS[way](model, batch)).backward()
    if batch.coordinates.device.type == "cuda":
        torch.cuda.synchronize()


def available(device: str) -> list[str]:
    """Ways that this installation can run on a device."""
    native = device == "cpu" and choose_backend(torch.device(device)) == "native"
    return [way for way in WAYS if native or not way.endswith("native")]


def time_steps(case: Case, ways: Sequence[str], rounds: int = 9, show_progress: bool = True) -> pd.DataFrame:
    """Time the ways in turns, after one step each to warm up.

    Slow ways join every third round only.

    Returns
    -------
    DataFrame
        One row per way: `way`, `rounds`, `median` and quartiles (`low`, `high`) of the time in ms per
        molecule, and the ratio of medians to torchani's own E-F step (`to_ef`) and of the loop to it
        (`speedup`), NaN if these were not timed.

    Raises
    ------
    HessbenchError
        A way is unknown or not available here.
    """
    known = available(case.device)
    unknown = [way for way in ways if way not in known]
    if unknown:
        raise HessbenchError(f"Cannot time {', '.join(unknown)} here; available: {', '.join(known)}.")
    model, batch = case.build()
    before = torch.get_num_threads()
    if case.threads:
        torch.set_num_threads(case.threads)
    times: dict[str, list[float]] = {way: [] for way in ways}
    try:
        for way in tqdm(ways, desc="warm up", disable=not show_progress, leave=False):
            step(way, model, batch)
        for index in tqdm(range(rounds), desc="rounds", disable=not show_progress, leave=False):
            for way in ways:
                if way in SLOW and index % 3:
                    continue
                start = time.perf_counter()
                step(way, model, batch)
                times[way].append((time.perf_counter() - start) * 1e3 / case.batch)
    finally:
        torch.set_num_threads(before)
    table = pd.DataFrame(
        [
            {
                "way": way,
                "rounds": len(values),
                "median": float(np.median(values)),
                "low": float(np.quantile(values, 0.25)),
                "high": float(np.quantile(values, 0.75)),
            }
            for way, values in times.items()
        ]
    )
    medians = table.set_index("way")["median"]
    table["to_ef"] = table["median"] / medians.get(BASELINE, np.nan)
    table["speedup"] = medians.get(LOOP, np.nan) / table["median"]
    return table
