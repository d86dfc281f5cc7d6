"""Optimizers and learning rates of a training, by the settings of a profile."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from hessbench.errors import TrainingError
from hessbench.training.muon import BEST, JORDAN, Muon
from hessbench.training.settings import AdamConfig, Decay, MuonConfig, OptimizerConfig, PaperConfig


class Optimization:
    """The optimizers of a model with their learning rates, as one thing that steps, saves and loads.

    Parameters
    ----------
    model
        Its parameters are optimized.
    config
        Which optimizer and schedule.
    steps
        Steps of the whole training, after which a decaying learning rate is zero.
    """

    def __init__(self, model: nn.Module, config: OptimizerConfig, steps: int) -> None:
        named = {name: item for name, item in model.named_parameters() if item.requires_grad}
        self._optimizers: list[torch.optim.Optimizer] = []
        if isinstance(config, MuonConfig):
            inner = {name: item for name, item in named.items() if _is_inner(name, item)}
            rest = {name: item for name, item in named.items() if name not in inner}
            settings = config.first_layer
            first = {name: item for name, item in inner.items() if settings and FIRST_LAYER in name}
            muons = [item for name, item in inner.items() if name not in first]
            if muons:
                polynomials = {"best": BEST, "jordan": JORDAN}[config.polynomials]
                self._optimizers.append(
                    Muon(muons, config.learning_rate, config.momentum, config.weight_decay, polynomials)
                )
            if first and settings:
                self._optimizers.append(_adamw(first, settings.learning_rate, settings.weight_decay))
            if rest:
                self._optimizers.append(_adamw(rest, config.adam_learning_rate, 0.0))
        elif isinstance(config, AdamConfig):
            self._optimizers.append(_adamw(named, config.learning_rate, config.weight_decay))
        else:
            matrices = {name: item for name, item in named.items() if _is_matrix(name, item)}
            if matrices:
                self._optimizers.append(_adamw(matrices, config.learning_rate, config.weight_decay))
            biases = [item for name, item in named.items() if name not in matrices]
            if biases:
                self._optimizers.append(torch.optim.SGD(biases, config.bias_learning_rate))
        self._stop = config.stop if isinstance(config, PaperConfig) else None
        self._decays: list[LambdaLR] = []
        self._plateaus: list[ReduceLROnPlateau] = []
        if isinstance(config, MuonConfig | AdamConfig):
            factor = decay_factor(config.schedule, steps)
            self._decays = [LambdaLR(optimizer, factor) for optimizer in self._optimizers]
        else:
            self._plateaus = [
                ReduceLROnPlateau(optimizer, factor=config.factor, patience=config.patience)
                for optimizer in self._optimizers
            ]

    @property
    def needs_validation(self) -> bool:
        """Whether the learning rates depend on the validation loss."""
        return bool(self._plateaus)

    @property
    def finished(self) -> bool:
        """Whether the learning rate has been cut so often that training ends."""
        return self._stop is not None and self.learning_rate <= self._stop

    @property
    def learning_rate(self) -> float:
        """Of the first optimizer, for the next step."""
        return float(self._optimizers[0].param_groups[0]["lr"])

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for optimizer in self._optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        """Update the parameters, then the learning rates that go by step."""
        for optimizer in self._optimizers:
            optimizer.step()
        for decay in self._decays:
            decay.step()

    def end_epoch(self, watched: float | None) -> None:
        """Update the learning rates that are cut when a value on the validation set stalls."""
        if self._plateaus and watched is None:
            raise TrainingError("The learning rate follows the validation set: validation data are needed.")
        for plateau in self._plateaus:
            plateau.step(watched)  # type: ignore[arg-type]

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on exactly."""
        return {
            "optimizers": [item.state_dict() for item in self._optimizers],
            "schedules": [item.state_dict() for item in (*self._decays, *self._plateaus)],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for schedule, saved in zip((*self._decays, *self._plateaus), state["schedules"], strict=True):
            schedule.load_state_dict(saved)


def decay_factor(schedule: Decay, steps: int) -> Callable[[int], float]:
    """Share of the full learning rate at each step, zero at `steps`."""

    def factor(step: int) -> float:
        if step < schedule.warmup_steps:
            return (step + 1) / (schedule.warmup_steps + 1)
        left = max(0.0, (steps - step) / max(1, steps - schedule.warmup_steps))
        return left if schedule.kind == "linear" else 0.5 * (1 - math.cos(math.pi * left))

    return factor


FIRST_LAYER = "layers.0."
"""What the name of a first layer's matrix holds, in every architecture whose layers are a list `layers`."""


def _is_inner(name: str, parameter: nn.Parameter) -> bool:
    """Whether it is a matrix whose outputs are hidden units."""
    return _is_matrix(name, parameter) and min(parameter.shape[-2:]) > 1


def _is_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Whether it is a layer's matrix, of one model or of a stack of models, not its bias."""
    return parameter.ndim > 1 and not name.endswith("bias")


def _adamw(
    named: Mapping[str, nn.Parameter], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """AdamW whose weight decay spares biases."""
    matrices = [item for name, item in named.items() if _is_matrix(name, item)]
    others = [item for name, item in named.items() if not _is_matrix(name, item)]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=learning_rate, fused=True)
