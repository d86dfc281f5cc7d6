"""Time of a training epoch against the amount of data (section 3.8, Figures 1g and 6d of the paper).

The epochs are those of `hessbench.training.loop`: batches, loss, reverse pass and optimizer step. The paper's
way, nested automatic differentiation coordinate by coordinate, runs in the same loop on the same data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from torch import Tensor

from hessbench.data.structures import Structures
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.interface import Derivatives, TrainablePotential
from hessbench.potential.registry import ModelConfig, build
from hessbench.training.loop import Row, train
from hessbench.training.preparation import examples
from hessbench.training.settings import LossConfig, PaperConfig, TrainingConfig

Engine = Literal["exact", "autograd loop"]


class AutogradLoop(TrainablePotential):
    """A potential whose derivatives are taken in the paper's way, with the parameters of the exact one."""

    def __init__(self, exact: TrainablePotential) -> None:
        super().__init__(exact.elements)
        self.exact = exact

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict for a batch, see `TrainablePotential.reference_predict`."""
        return self.exact.reference_predict(batch, derivatives, probes)


@dataclass(frozen=True)
class EpochTimes:
    """Seconds of each timed epoch over a number of structures."""

    structures: int
    seconds: list[float]


def time_epochs(
    structures: Structures,
    validation: Structures,
    loss: LossConfig,
    model: ModelConfig,
    training: TrainingConfig,
    engine: Engine,
    repeats: int,
) -> EpochTimes:
    """Train a new model for some epochs and take the time of each, without validation.

    An epoch over one batch comes before, so that compiling and first allocations are not counted.

    Parameters
    ----------
    structures, validation
        Trained on; and looked at by optimizers that need it.
    loss
        Terms and weights.
    model, training
        Settings; epochs and steps are replaced.
    engine
        How derivatives are computed.
    repeats
        Epochs to time.
    """
    potential = build(model, seed=0)
    potential.prepare(structures)
    watched = isinstance(training.optimizer, PaperConfig)  # others need none, and it takes the loop seconds
    held_back = examples(potential, validation) if watched else None
    timed = potential if engine == "exact" else AutogradLoop(potential)
    run = partial(train, timed, validation=held_back, loss=loss)
    settings = {"minimum_steps": 0, "keep": "last", "hessian_validation_epochs": repeats + 1}
    first = structures.select(np.arange(min(len(structures), training.batch_size)))
    run(training=examples(potential, first), config=training.model_copy(update={**settings, "epochs": 1}))
    rows: list[Row] = run(
        training=examples(potential, structures),
        config=training.model_copy(update={**settings, "epochs": repeats}),
    )
    return EpochTimes(len(structures), [float(row["training_seconds"] or 0.0) for row in rows])


def measure(
    structures: Structures,
    order: np.ndarray,
    validation: Structures,
    losses: dict[str, LossConfig],
    model: ModelConfig,
    training: TrainingConfig,
    percents: tuple[int, ...],
    repeats: int,
    loop_structures: int,
) -> Iterator[dict]:
    """Rows of the table epoch_cost, as they are measured.

    Parameters
    ----------
    structures, order
        All data, and the order in which a growing training set takes them.
    validation
        For optimizers that need it.
    losses
        Label ("E-F") to weights.
    model, training
        Settings of the profile.
    percents
        Training set sizes, percent of all structures.
    repeats
        Epochs for each.
    loop_structures
        Sample for the autograd loop. Its rows say `extrapolated` where the time of the sample was multiplied
        by the ratio of the numbers of structures.
    """
    sizes = {percent: max(1, round(len(structures) * percent / 100)) for percent in percents}
    for label, loss in losses.items():
        for percent, size in sizes.items():
            part = structures.select(order[:size])
            times = time_epochs(part, validation, loss, model, training, "exact", repeats)
            yield from _rows(label, "exact", percent, size, times)
        sample = structures.select(order[: min(loop_structures, max(sizes.values()))])
        times = time_epochs(sample, validation, loss, model, training, "autograd loop", repeats)
        for percent, size in sizes.items():
            yield from _rows(label, "autograd loop", percent, size, times)


def _rows(label: str, engine: Engine, percent: int, size: int, times: EpochTimes) -> list[dict]:
    return [
        {
            "loss": label,
            "engine": engine,
            "structures": size,
            "percent": percent,
            "repeat": repeat,
            "seconds": seconds * size / times.structures,
            "timed_structures": times.structures,
            "extrapolated": times.structures != size,
        }
        for repeat, seconds in enumerate(times.seconds)
    ]
