"""Errors of one model, which predicts the test sets batch by batch."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from hessbench.data.structures import Structures
from hessbench.experiments.errors.run.scoring import TestSet, error_rows, structure_errors
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import given, total_energies
from hessbench.potential.interface import Potential

Predicted = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Of M structures: total energies (M,), float64, forces (A, 3), flat Hessians; kcal/mol and Angstrom.

No Hessians where the data have none to compare with.
"""


def predict(potential: Potential, structures: Structures) -> Predicted:
    """Predict all that is compared.

    Returns
    -------
    Predicted
        Forces and Hessians in the dtype of the potential.
    """
    batch = Batch.from_structures(structures, potential.dtype).to(potential.device)
    with torch.no_grad():
        prediction = potential.predict(batch, 1 if structures.hessians is None else 2)
        energies = total_energies(potential, batch, prediction).cpu().numpy()
    forces = given(prediction.forces, "forces").cpu().numpy()
    if structures.hessians is None:
        return energies, forces, None
    return energies, forces, given(prediction.hessians, "Hessians").cpu().numpy()


def errors_of_model(
    model: Potential,
    seed: int,
    sets: dict[str, TestSet],
    batch_size: int,
    keep: Callable[[str, Structures, Predicted], None] = lambda *batch: None,
) -> pd.DataFrame:
    """Rows of the errors table for one model, without loss and percent; predicted batch by batch.

    `keep` is called with each batch: the name of its set, its structures, and what is predicted for them.
    """
    tables = []
    for name, item in sets.items():
        found = []
        for first in range(0, len(item.structures), batch_size):
            part = item.structures.select(np.arange(first, min(first + batch_size, len(item.structures))))
            predicted = predict(model, part)
            found.append(structure_errors(part, *predicted))
            keep(name, part, predicted)
        errors = {
            quantity: tuple(map(np.concatenate, zip(*(batch[quantity] for batch in found), strict=True)))
            for quantity in found[0]
        }
        tables.append(error_rows(seed, name, item.structures, errors))
    return pd.concat(tables, ignore_index=True)
