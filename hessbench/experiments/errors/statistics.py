"""Errors of ensembles and their uncertainty: RMSE (eq. 3-5 of the paper), MAE, spread over models, bootstrap.

The interval of a number answers: had other reactions been tested and other seeds trained, where would it lie?
Structures of one reaction are correlated, so reactions are resampled whole; models are resampled
independently of them (as in the pigeonhole bootstrap: Owen, Ann. Appl. Stat. 1, 386 (2007)). Losses that
are compared share the resampled reactions, so that what is hard for both cancels in their ratio. Small
numbers of either are made up for as `hessbench.results.statistics` says.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.rmse import root_mean_square
from hessbench.results.statistics import (
    REPLICATES,
    SEED,
    Array,
    Estimate,
    interval,
    small_sample_factor,
)


@dataclass(frozen=True)
class EnsembleErrors:
    """Errors of an ensemble in one quantity on one test set, summed over the structures of each reaction.

    Attributes
    ----------
    name
        What the ensemble is, e.g. ``"E-F-H, 80 % of the data"``; used in messages and to resample its models
        independently of those of other ensembles.
    reactions
        Sorted names of the R reactions.
    squared, absolute
        (S, R) sums of squared and of absolute errors of the S models.
    counts
        (R,) number of elements in those sums: 1, 3N or (3N)^2 a structure.
    structures
        (R,) number of structures.
    """

    name: str
    reactions: tuple[str, ...]
    squared: Array
    absolute: Array
    counts: Array
    structures: NDArray[np.int64]

    @property
    def models(self) -> int:
        """Number of models."""
        return len(self.squared)


def ensemble_errors(rows: pd.DataFrame, name: str) -> EnsembleErrors:
    """Sum the rows of one loss, percent, test set and quantity over the structures of each reaction.

    Parameters
    ----------
    rows
        Columns reaction, structure, seed, squared, absolute, count of an errors table.
    name
        See `EnsembleErrors`.

    Raises
    ------
    HessbenchError
        The models were not all tested on the same structures.
    """
    ordered = rows.sort_values(["seed", "reaction", "structure"])
    seeds = ordered["seed"].unique()
    if len(ordered) % len(seeds) == 0:
        shape = (len(seeds), -1)
        same = ordered["seed"].to_numpy().reshape(shape) == seeds[:, None]
        for column in ("reaction", "structure", "count"):
            values = ordered[column].to_numpy().reshape(shape)
            same &= values == values[0]
    if len(ordered) % len(seeds) or not same.all():
        raise HessbenchError(
            f"{name}: its models (seeds {', '.join(map(str, seeds))}) were not all tested on the "
            "same structures; `dvc repro` tests them anew once results/errors is removed."
        )
    reactions, first, structures = np.unique(
        ordered["reaction"].to_numpy(str)[: len(ordered) // len(seeds)], return_index=True, return_counts=True
    )
    squared, absolute, counts = (
        np.add.reduceat(ordered[column].to_numpy(float).reshape(shape), first, axis=1)
        for column in ("squared", "absolute", "count")
    )
    return EnsembleErrors(
        name=name,
        reactions=tuple(reactions.tolist()),
        squared=squared,
        absolute=absolute,
        counts=counts[0],
        structures=structures,
    )


def rmse(errors: EnsembleErrors) -> Array:
    """Root mean squared error of each model over all elements (eq. 3-5); (S,)."""
    return root_mean_square(errors.squared.sum(axis=1), errors.counts.sum())


def mae(errors: EnsembleErrors) -> Array:
    """Mean absolute error of each model over all elements; (S,)."""
    return errors.absolute.sum(axis=1) / errors.counts.sum()


def spread(values: Array) -> float | None:
    """Sample standard deviation over models; None for a single one, which has none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


@lru_cache(maxsize=1)
def reaction_weights(reactions: int, *, replicates: int = REPLICATES, seed: int = SEED) -> Array:
    """How often each reaction is drawn in each replicate; (B, R), rows sum to R, the same for every call."""
    generator = np.random.default_rng([seed, reactions])
    weights = generator.multinomial(reactions, np.full(reactions, 1 / reactions), size=replicates).astype(
        float
    )
    weights.flags.writeable = False  # shared by all that ask
    return weights


def replicates_of_rmse(errors: EnsembleErrors, weights: Array, *, seed: int = SEED) -> Array:
    """Ensemble-mean RMSE in each bootstrap replicate.

    Parameters
    ----------
    errors
        The ensemble.
    weights
        (B, R) from `reaction_weights`, the same for all ensembles that are to be compared.
    seed
        Seed of the draws of models, which are independent between ensembles.

    Returns
    -------
    (B,) array
        The mean RMSE over the models on the drawn reactions, times ``exp(k (m* - m) / m)``: m is the mean
        over the models on all reactions, m* that over the drawn models, k is `small_sample_factor`.
    """
    per_model = root_mean_square(weights @ errors.squared.T, (weights @ errors.counts)[:, None])  # (B, S)
    mean: Array = per_model.mean(axis=1)
    values = rmse(errors)
    if errors.models == 1 or not values.any():
        return mean
    generator = np.random.default_rng([seed, zlib.crc32(errors.name.encode())])
    draws = generator.multinomial(errors.models, np.full(errors.models, 1 / errors.models), size=len(weights))
    deviation = (draws @ values / errors.models - values.mean()) / values.mean()  # (B,)
    stretched: Array = mean * np.exp(small_sample_factor(errors.models) * deviation)
    return stretched


def estimate(
    statistic: Callable[..., Array],
    *ensembles: EnsembleErrors,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Estimate:
    """Value and paired bootstrap interval of a function of the ensembles' RMSEs.

    Parameters
    ----------
    statistic
        Takes one array of mean RMSEs per ensemble, e.g. ``lambda e, ef: 1 - ef / e``; works elementwise.
    ensembles
        All tested on the same reactions.

    Raises
    ------
    HessbenchError
        The ensembles were tested on different structures, or on a single reaction.
    """
    first = ensembles[0]
    for other in ensembles[1:]:
        if other.reactions != first.reactions or not np.array_equal(other.counts, first.counts):
            raise HessbenchError(
                f"{first.name} and {other.name} were tested on different structures and cannot be compared; "
                "`dvc repro` tests both anew once results/errors is removed."
            )
    reactions = len(first.reactions)
    if reactions < 2:
        raise HessbenchError(
            f"{first.name}: tested on a single reaction, {first.reactions[0]}; an interval needs two or more."
        )
    weights = reaction_weights(reactions, replicates=replicates, seed=seed)
    resampled = statistic(*(replicates_of_rmse(errors, weights, seed=seed) for errors in ensembles))
    value = statistic(*(np.asarray(rmse(errors).mean()) for errors in ensembles))
    return Estimate(float(value), *interval(resampled, reactions))
