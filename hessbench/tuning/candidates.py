"""Candidates of a search: the profile as it is, and the profile with settings drawn at random."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hessbench.config.base import validate
from hessbench.errors import ConfigurationError
from hessbench.potential.registry import ModelConfig
from hessbench.training.settings import TrainingConfig
from hessbench.tuning.settings import TuningConfig


@dataclass(frozen=True)
class Candidate:
    """Choices of a search.

    Attributes
    ----------
    number
        0 for the profile as it is.
    settings
        Setting of the profile, as section.key.key, to its value.
    weights
        Quantity to the weight of its term in the loss.
    """

    number: int
    settings: Mapping[str, Any]
    weights: Mapping[str, float]


def draw_candidates(config: TuningConfig) -> list[Candidate]:
    """Draw the candidates of the first round; every setting's values are equally likely.

    The settings of a candidate are the same whatever the weights to choose from, and for every loss.
    """
    generator = np.random.default_rng(config.seed)
    candidates = [Candidate(0, {}, {})]
    for number in range(1, config.rungs[0].candidates):
        settings = {path: values[generator.integers(len(values))] for path, values in config.space.items()}
        weights: dict[str, float] = {
            quantity: values[generator.integers(len(values))] for quantity, values in config.weights.items()
        }
        candidates.append(Candidate(number, settings, weights))
    return candidates


def apply(
    candidate: Candidate, profile: Mapping[str, Any], loss: str, epochs: int, source: Path
) -> tuple[ModelConfig, TrainingConfig]:
    """Settings of a candidate's training.

    Parameters
    ----------
    candidate
        The choices.
    profile
        Plain content of a profile, which is left as it is.
    loss
        Name of the loss whose weights are chosen.
    epochs
        Of the training.
    source
        File of the search, for errors.

    Raises
    ------
    ConfigurationError
        The profile has no such loss, or a chosen setting does not exist or is not allowed.
    """
    content = copy.deepcopy({name: profile[name] for name in ("model", "training")})
    if loss not in content["training"]["losses"]:
        names = ", ".join(content["training"]["losses"])
        raise ConfigurationError(f"{source}: there is no loss {loss!r} in params.yaml; there are {names}.")
    for path, value in candidate.settings.items():
        *sections, key = path.split(".")
        place: Any = content
        for depth, section in enumerate(sections):
            if not isinstance(place, dict) or section not in place:
                missing = ".".join(sections[: depth + 1])
                raise ConfigurationError(f"{source}: space.{path}: params.yaml has no section {missing}.")
            place = place[section]
        place[key] = value
    for term in content["training"]["losses"][loss]["terms"]:
        if term["quantity"] in candidate.weights:
            term["weight"] = candidate.weights[term["quantity"]]
    content["training"] |= {"epochs": epochs, "minimum_steps": 0}
    return (
        validate(ModelConfig, content["model"], source=source, prefix="model"),
        validate(TrainingConfig, content["training"], source=source, prefix="training"),
    )
