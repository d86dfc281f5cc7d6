"""Cost of derivatives against the size of molecules: table files and a small figure."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd


def write_benchmark(table: pd.DataFrame, folder: Path) -> None:
    """Write derivatives.csv and derivatives.json, and growth.png if more than one size was timed.

    Parameters
    ----------
    table
        Rows of `hessbench benchmark derivatives`: atoms, batch, way, median, low, high and so on.
    folder
        Made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "derivatives.csv", index=False)
    table.to_json(folder / "derivatives.json", orient="records", indent=1)
    if len(set(table["atoms"])) > 1:
        draw_growth(table, folder / "growth.png")


def draw_growth(table: pd.DataFrame, path: Path) -> None:
    """Draw time per molecule against atoms, one curve a way, quartiles as bands, both axes logarithmic."""
    largest = table["batch"].max()
    figure, axes = plt.subplots(figsize=(4.5, 3.6), layout="constrained")
    for way, part in table[table["batch"] == largest].groupby("way", sort=False):
        part = part.sort_values("atoms")
        (line,) = axes.plot(part["atoms"], part["median"], marker="o", markersize=3, linewidth=1, label=way)
        axes.fill_between(part["atoms"], part["low"], part["high"], alpha=0.2, color=line.get_color())
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted(table["atoms"].unique())
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("Atoms")
    axes.set_ylabel("Time of a step (ms per molecule)")
    axes.legend(fontsize=6, frameon=False)
    figure.savefig(path, dpi=200)
    plt.close(figure)
