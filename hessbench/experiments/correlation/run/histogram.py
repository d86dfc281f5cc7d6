"""Predictions against reference values as two-dimensional histograms (Figures S6 to S14 of the paper).

Energies are shown without the part that depends on the composition alone: constants of the elements, fitted
by least squares to the reference energies of the stationary points, are subtracted from both sides.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.data.structures import Structures
from hessbench.experiments.errors.run.predictions import flat_hessians, stored_predictions
from hessbench.experiments.errors.run.scoring import reference_hessians
from hessbench.results.store.names import QUANTITIES

BINS = 120
"""Bins over the range of the reference values; predictions are counted in bins of the same width."""


def correlation_rows(
    loss: str,
    name: str,
    structures: Structures,
    composition_energies: np.ndarray,
    predictions: Path,
    seeds: Iterable[int],
) -> pd.DataFrame:
    """Rows of the table correlation for one ensemble and one set, all models counted together.

    Parameters
    ----------
    loss, name
        Label of the ensemble, name of the set.
    structures
        The reference, in the order of the predictions.
    composition_energies
        (M,) to be subtracted from all energies, kcal/mol.
    predictions
        File of `hessbench evaluate`.
    seeds
        Models to count.

    Raises
    ------
    DataError
        The predictions are of other structures, or their Hessians were not stored.
    """
    reference = _values(structures, composition_energies)
    widths = {quantity: float(np.ptp(values)) / BINS for quantity, values in reference.items()}
    counts = {quantity: pd.Series(dtype=np.int64) for quantity in QUANTITIES}
    for seed in seeds:
        predicted = stored_predictions(predictions, name, seed, structures)
        found = {
            "energy": predicted.energies - composition_energies,
            "force": predicted.forces.ravel(),
            "hessian": flat_hessians(structures, predicted.hessians or []),
        }
        for quantity, values in found.items():
            counts[quantity] = counts[quantity].add(
                _count(reference[quantity], values, widths[quantity]), fill_value=0
            )
    frames = []
    for quantity, series in counts.items():
        predicted_bin, reference_bin = np.divmod(series.index.to_numpy(np.int64), BINS)
        origin, width = reference[quantity].min() + widths[quantity] / 2, widths[quantity]
        frames.append(
            pd.DataFrame(
                {
                    "loss": loss,
                    "set": name,
                    "quantity": quantity,
                    "reference_bin": reference_bin * width + origin,
                    "predicted_bin": predicted_bin * width + origin,
                    "count": series.to_numpy(np.int64),
                    "bin_width": width,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _values(structures: Structures, composition_energies: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "energy": structures.energies - composition_energies,
        "force": structures.forces.ravel(),
        "hessian": reference_hessians(structures),
    }


def _count(reference: np.ndarray, predicted: np.ndarray, width: float) -> pd.Series:
    """Count pairs of values by bin; the index is the predicted value's bin times `BINS` plus the reference's.

    Bins are numbered from the smallest reference value; those of predictions may be negative.
    """
    low = reference.min()
    first = np.minimum(np.floor((reference - low) / width), BINS - 1).astype(np.int64)
    codes, number = np.unique(
        np.floor((predicted - low) / width).astype(np.int64) * BINS + first, return_counts=True
    )
    return pd.Series(number, index=codes)
