"""Learning curves of training: errors against epochs."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hessbench.plotting.axes import plain_log
from hessbench.plotting.figure import letter, loss_handles, new_figure
from hessbench.plotting.style import DOUBLE, QUANTITY_LABELS, UNIT_LABELS, in_order, style_of
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES
from hessbench.results.store.tables import ResultsError
from hessbench.system.reading import reading

HISTORY = "history.csv"
REMEDY = "train the ensemble anew"
COLUMNS = {
    "energy": "energy_rmse_kcal_mol",
    "force": "force_rmse_kcal_mol_A",
    "hessian": "hessian_rmse_kcal_mol_A2",
}
"""Quantity to what follows "training_" and "validation_" in the names of the columns."""


def read(results: Results) -> dict[str, tuple[int, pd.DataFrame]]:
    """Learning curves of every loss with the most data: its label to percent and rows of history.csv.

    Raises
    ------
    ResultsError
        There are none, or one lacks the columns epoch and seed, or holds no number where one belongs.
    """
    largest: dict[str, tuple[int, pd.DataFrame]] = {}
    for (_, percent), folder in results.ensembles().items():
        path = folder / HISTORY
        loss = results.label(folder)
        if percent > largest.get(loss, (0, None))[0]:
            largest[loss] = percent, _read_one(path)
            if not any(f"validation_{name}" in largest[loss][1] for name in COLUMNS.values()):
                raise ResultsError(
                    path, "missing; train the ensemble anew.", f"validation_{COLUMNS['energy']}"
                )
    if not largest:
        raise ResultsError(results.models, "holds no models of this run; `dvc repro train` trains them.")
    return {loss: largest[loss] for loss in in_order(largest)}


def _read_one(path: Path) -> pd.DataFrame:
    missing = f"does not exist; {REMEDY}."
    with reading(path, "is no CSV table", REMEDY, missing=missing, error=ResultsError):
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    for column in ("epoch", "seed"):
        if column not in frame:
            raise ResultsError(path, "missing; train the ensemble anew.", column)
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]) or np.isinf(frame[column]).any():
            raise ResultsError(path, "holds something other than numbers; train the ensemble anew.", column)
    return frame


def seconds(path: Path) -> float:
    """Time that the models of an ensemble were trained, summed over models and epochs.

    Raises
    ------
    ResultsError
        The file is broken, or does not record the time.
    """
    frame = _read_one(path)
    if "training_seconds" not in frame:
        raise ResultsError(path, "missing; train the ensemble anew.", "training_seconds")
    return float(frame["training_seconds"].sum())


def draw(curves: dict[str, tuple[int, pd.DataFrame]]) -> Figure:
    """Errors in energy, force and Hessian, validation in bold, training in faint, one line a model."""
    figure = new_figure(DOUBLE, 2.6)
    for axes, label, quantity in zip(figure.subplots(1, 3), "abc", QUANTITIES, strict=True):
        drawn = False
        for loss, (_, rows) in curves.items():
            style = style_of(loss, curves)
            for part, look in (("training", {"lw": 0.5, "alpha": 0.45}), ("validation", {"lw": 1.1})):
                column = f"{part}_{COLUMNS[quantity]}"
                if column not in rows:
                    continue
                for _, model in rows.dropna(subset=[column]).groupby("seed"):
                    axes.plot(model["epoch"], model[column], color=style.color, ls=style.line, **look)
                    drawn = True
        axes.set_xlabel("Epoch")
        axes.set_ylabel(f"{QUANTITY_LABELS[quantity]} RMSE ({UNIT_LABELS[quantity]})")
        letter(axes, label)
        if drawn:
            plain_log(axes)
    handles = loss_handles(list(curves))
    for handle, (percent, rows) in zip(handles, curves.values(), strict=True):
        handle.set_marker("")
        handle.set_label(f"{handle.get_label()}, {percent} % of the data, {rows['seed'].nunique()} models")
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure
