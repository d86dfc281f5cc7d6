"""Energies along a reaction path predicted by ensembles that saw one structure of it (section 3.1)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.single_ts.run.tables import SINGLE_TS
from hessbench.plotting.style import in_order, style_of
from hessbench.results.reader import Results

PATH_LABEL = "Intrinsic reaction coordinate (amu$^{1/2}$ Å)"
ENERGY_LABEL = "Energy relative to the TS (kcal mol⁻¹)"


def read(results: Results) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the path.

    Returns
    -------
    predicted
        Columns loss, model, structure, path_coordinate, energy, reference, error.
    reference
        The same structures at the level of theory, along the path; columns structure, path_coordinate,
        energy.
    """
    table = results.table(SINGLE_TS)
    reference = results.rows(SINGLE_TS, table, loss=REFERENCE)
    reference = reference[["structure", "path_coordinate", "energy"]].sort_values("path_coordinate")
    predicted = table[table["loss"] != REFERENCE].merge(
        reference[["structure", "energy"]].rename(columns={"energy": "reference"}), on="structure"
    )
    predicted["error"] = predicted["energy"] - predicted["reference"]
    return predicted, reference.reset_index(drop=True)


def nearest(reference: pd.DataFrame, count: int) -> pd.DataFrame:
    """The structures nearest the TS along the path, in path order."""
    closest = reference["path_coordinate"].abs().sort_values(kind="stable").index[:count]
    return reference.loc[closest].sort_values("path_coordinate")


def summarize(predicted: pd.DataFrame, loss: str) -> pd.DataFrame:
    """Mean and standard deviation over an ensemble, and its mean absolute error, along the path."""
    group = predicted[predicted["loss"] == loss].groupby("path_coordinate")
    return group.agg(
        mean=("energy", "mean"),
        spread=("energy", "std"),
        error=("error", lambda values: values.abs().mean()),
        models=("model", "nunique"),
    ).reset_index()


def draw_reference(
    axes: Axes, reference: pd.DataFrame, *, label: str = "reference", size: float = 2.6
) -> None:
    """Black circles: what the level of theory gives; the TS, the one training point, as an open star."""
    axes.plot(
        reference["path_coordinate"],
        reference["energy"],
        color="black",
        marker="o",
        ls="",
        ms=size,
        label=label,
        zorder=5,
    )
    at_ts = reference.iloc[int(reference["path_coordinate"].abs().argmin())]
    axes.plot(
        at_ts["path_coordinate"],
        at_ts["energy"],
        marker="*",
        ms=9,
        mfc="white",
        mec="black",
        mew=0.8,
        ls="",
        zorder=7,
        label="TS, the training point",
    )


def draw_ensemble(axes: Axes, predicted: pd.DataFrame, loss: str, *, every: int = 1) -> None:
    """Mean of an ensemble with markers, and its standard deviation as a band."""
    summary = summarize(predicted, loss)
    style = style_of(loss)
    s, mean, spread = (summary[name].to_numpy() for name in ("path_coordinate", "mean", "spread"))
    label = f"{loss} (mean ± SD of {summary['models'].max()})"
    axes.plot(
        s,
        mean,
        color=style.color,
        marker=style.marker,
        ls=style.line,
        markevery=every,
        ms=2.8,
        lw=1,
        label=label,
        zorder=4,
    )
    axes.fill_between(s, mean - spread, mean + spread, color=style.color, alpha=0.2, lw=0, zorder=2)


def draw_members(axes: Axes, predicted: pd.DataFrame, loss: str) -> int:
    """One thin line per model of an ensemble; returns their number."""
    lines = [
        model.sort_values("path_coordinate")[["path_coordinate", "energy"]].to_numpy()
        for _, model in predicted[predicted["loss"] == loss].groupby("model")
    ]
    axes.add_collection(
        LineCollection(lines, colors=style_of(loss).color, linewidths=0.4, alpha=0.35, rasterized=True)
    )
    return len(lines)


def draw_errors(axes: Axes, predicted: pd.DataFrame) -> None:
    """Mean absolute errors of the ensembles at each structure, at its place on the path and side by side."""
    for loss in in_order(predicted["loss"]):
        summary = summarize(predicted, loss)
        style = style_of(loss)
        axes.plot(
            summary["path_coordinate"],
            summary["error"],
            color=style.color,
            marker=style.marker,
            ls=style.line,
            ms=2.8,
            lw=1,
            label=loss,
        )


def shown_range(predicted: pd.DataFrame, reference: pd.DataFrame, *, members: bool) -> tuple[float, float]:
    """Energy axis that shows the reference and all models, or their means and standard deviations, whole."""
    parts = [reference["energy"].to_numpy()]
    for loss in in_order(predicted["loss"]):
        summary = summarize(predicted, loss)
        parts += [(summary["mean"] + sign * summary["spread"]).dropna().to_numpy() for sign in (-1, 1)]
    if members:
        parts.append(predicted["energy"].to_numpy())
    values = np.concatenate(parts)
    room = 0.05 * np.ptp(values)
    return float(values.min() - room), float(values.max() + room)


def limits(reference: pd.DataFrame, below: float, above: float) -> tuple[float, float]:
    """Energy axis that shows the reference whole, with room in units of its range."""
    low, high = reference["energy"].min(), reference["energy"].max()
    return low - below * (high - low), high + above * (high - low)
