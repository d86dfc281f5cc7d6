"""The training of one model: epochs over shuffled batches, validation, checkpoints."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hessbench.errors import TrainingError
from hessbench.potential.interface import TrainablePotential
from hessbench.system.denormals import flushed_denormals
from hessbench.training.batches import Examples, batches, predict_labelled, with_hessians
from hessbench.training.checkpoint import load_checkpoint, save_checkpoint
from hessbench.training.loss import TARGETS, draw, term_errors, weighted_sum, with_products
from hessbench.training.optimization import Optimization
from hessbench.training.settings import ORDERS, LossConfig, Quantity, TrainingConfig
from hessbench.training.validation import validate

Row = dict[str, float | int | None]
"""A line of the learning curve: epoch, learning rate, errors of training and validation, seconds."""


@contextmanager
def _tensor_floats(allowed: bool) -> Iterator[None]:
    """Let a GPU multiply float32 matrices as TF32, or not."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


@flushed_denormals()
def train(
    model: TrainablePotential,
    training: Examples,
    validation: Examples | None,
    loss: LossConfig,
    config: TrainingConfig,
    seed: int = 0,
    *,
    checkpoint: Path | None = None,
    fingerprint: str = "",
    report: Callable[[Row], None] = lambda row: None,
    label: str = "",
) -> list[Row]:
    """Train a model in place.

    The order of the batches and the probes of an epoch follow from seed and epoch alone, so a training that
    was interrupted and resumed from its checkpoint takes the same steps as one that was not.

    Where only some structures have Hessians, the error of Hessians of a step is that of those of its batch
    that have one; a batch without any takes its step by the other terms.

    Parameters
    ----------
    model
        The potential; of its interface only `predict` is used, in its own dtype.
    training, validation
        What to learn, and what only to watch (or choose the epoch by).
    loss
        Terms and weights.
    config
        Epochs, batch size, optimizer; its `losses`, `seeds` and `processes` are not looked at.
    seed
        Of batch order and probes.
    checkpoint
        File to write every few epochs and to resume from if it exists and has this fingerprint.
    fingerprint
        Says what is trained on what, see `hessbench.training.ensemble`.
    report
        Called with each line of the learning curve.
    label
        Names the training in errors.

    Returns
    -------
    list of Row
        The learning curve.

    Raises
    ------
    TrainingError
        The loss became infinite or not a number, or the data do not have what the loss needs.
    """
    size = config.batch_size
    steps_of_pass = math.ceil(len(training) / size)
    passes = max(1, math.ceil(config.minimum_steps / (config.epochs * steps_of_pass)))
    optimization = Optimization(model, config.optimizer, config.epochs * passes * steps_of_pass)
    watches = optimization.needs_validation or config.keep == "best"
    if watches and validation is None:
        raise TrainingError("The optimizer or the choice of the best epoch needs validation data; give some.")
    if loss.order == 2:
        _require_hessians(training, "training")
        if watches and config.watch == "loss" and validation is not None:
            _require_hessians(validation, "validation")
    history: list[Row] = []
    best: dict[str, Any] | None = None
    saved = load_checkpoint(checkpoint, fingerprint) if checkpoint else None
    if saved:
        history, best = saved["history"], saved["best"]
        model.load_state_dict(saved["model"])
        if not saved["finished"]:
            optimization.load_state_dict(saved["optimization"])
        for done in history:
            report(done)
        if saved["finished"]:
            return history

    for epoch in range(len(history) + 1, config.epochs + 1):
        last, watched = epoch == config.epochs, None
        place = ", ".join(filter(None, [label, f"epoch {epoch}"]))
        row: Row = {"epoch": epoch, "passes": epoch * passes, "learning_rate": optimization.learning_rate}
        start = time.perf_counter()
        random = np.random.default_rng((seed, epoch))
        with _tensor_floats(config.tf32):
            row |= _run_epoch(model, training, loss, config, optimization, random, passes, place)
        row["training_seconds"] = time.perf_counter() - start
        if validation is not None:
            whole = last or epoch % config.hessian_validation_epochs == 0
            needs = loss.order if watches and config.watch == "loss" else 1
            errors = validate(model, validation, 2 if whole or needs == 2 else 1, size)
            row |= _columns("validation", errors)
            if watches and config.watch == "loss":
                row["validation_loss"] = watched = weighted_sum(errors, loss, config.form)
            elif watches:
                watched = errors["energy"]
        optimization.end_epoch(watched)
        if optimization.finished and not last:
            last = True
            if validation is not None:
                row |= _columns("validation", validate(model, validation, 2, size))
        history.append(row)
        if config.keep == "best" and watched is not None and (best is None or watched < best["watched"]):
            weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            best = {"watched": watched, "model": weights}
        if last and best is not None:
            model.load_state_dict(best["model"])
        if checkpoint and (last or epoch % config.checkpoint_epochs == 0):
            save_checkpoint(
                checkpoint,
                {
                    "fingerprint": fingerprint,
                    "finished": last,
                    "model": model.state_dict(),
                    "optimization": None if last else optimization.state_dict(),
                    "history": history,
                    "best": None if last else best,
                },
            )
        report(row)
        if last:
            break
    return history


def _run_epoch(
    model: TrainablePotential,
    training: Examples,
    loss: LossConfig,
    config: TrainingConfig,
    optimization: Optimization,
    random: np.random.Generator,
    passes: int,
    place: str,
) -> Row:
    """Pass over the training set; returns loss and errors, root mean square over the steps."""
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    like = next(model.parameters())
    orders = [random.permutation(len(training)) for _ in range(passes)]
    # errors of all steps are read at the end of an epoch, so that no step waits for a GPU
    found: dict[str, list[Tensor]] = {"loss": [], **{term.quantity: [] for term in loss.terms}}
    for batch, reference in chain(*(batches(training, config.batch_size, like, order) for order in orders)):
        labelled = with_hessians(batch, reference)
        terms = [term for term in loss.terms if ORDERS[term.quantity] < 2 or len(labelled)]
        probes = draw(loss, labelled, generator) if len(labelled) else None
        prediction = predict_labelled(model, batch, len(labelled), loss.derivatives, probes)
        errors = term_errors(terms, prediction, with_products(reference, labelled, probes), labelled)
        if not errors:  # nothing to learn from
            continue
        total_loss = weighted_sum(errors, loss, config.form)
        optimization.zero_grad()
        total_loss.backward()
        optimization.step()
        for name, value in ("loss", total_loss), *errors.items():
            found[name].append(value.detach())
    values = {name: torch.stack(item).tolist() for name, item in found.items() if item}
    for step, value in enumerate(values["loss"], start=1):
        _require_finite(value, f"{place}, batch {step}: the loss is {value}")
    norm = sum(float(parameter.detach().abs().sum()) for parameter in model.parameters())
    _require_finite(norm, f"{place}: the last step left parameters that are infinite or not a number")
    mean = {
        quantity: math.sqrt(math.fsum(error**2 for error in values[quantity]) / len(values[quantity]))
        for quantity in TARGETS
        if values.get(quantity)
    }
    return {"training_loss": math.fsum(values["loss"]) / len(values["loss"]), **_columns("training", mean)}


def _require_hessians(examples: Examples, part: str) -> None:
    if not examples.structures.have_hessians.any():
        raise TrainingError(
            f"The loss needs Hessians, but no structure of the {part} set has one; leave that term out, or "
            "take data of which some structures have them."
        )


def _require_finite(value: float, problem: str) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"{problem}; lower the learning rate or lengthen the warm-up (training.optimizer), "
            "or look for damaged data with `hessbench dataset`."
        )


def _columns(part: str, errors: dict[Quantity, float]) -> Row:
    """Name errors with their units, for the learning curve."""
    return {f"{part}_{TARGETS[quantity].column}": error for quantity, error in errors.items()}
