"""Reaction paths from nudged elastic bands (sections 2.5 and 3.6)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import BARRIERS
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SUMMARY
from hessbench.plotting.figure import new_figure, published_handle, published_marker
from hessbench.plotting.molecule import common_view, draw_molecule, extent
from hessbench.plotting.style import DOUBLE, PAPER_LEVEL, WARNING, in_order, style_of
from hessbench.results.reader import Results
from hessbench.results.store.tables import ResultsError

CONVERGED = "converged"
ROOM_FOR_BAND = 20.0
"""Height of the axis in kcal/mol up to which the band of +-1 kcal/mol is wide enough to be named."""
CHEMICAL_ACCURACY = 1.0
"""kcal/mol."""
PATH_LABEL = "Intrinsic coordinate, distance from the highest image (Å)"
ENERGY_LABEL = "Energy relative to the reactant (kcal mol⁻¹)"


def read(results: Results, kind: str) -> tuple[str, pd.DataFrame, pd.DataFrame]:
    """Read the path of the one reaction of a kind.

    Returns
    -------
    reaction, paths, summary
        Its name, its images, and how each band ended.
    """
    paths = results.rows(PATHS, results.table(PATHS), kind=kind)
    summary = results.rows(SUMMARY, results.table(SUMMARY), kind=kind)
    reaction = str(paths["reaction"].iloc[0])
    paths = results.rows(PATHS, paths, reaction=reaction)
    results.rows(PATHS, paths, loss=REFERENCE)
    return reaction, paths, results.rows(SUMMARY, summary, reaction=reaction)


def draw_paths(axes: Axes, paths: pd.DataFrame, summary: pd.DataFrame, barrier: float) -> None:
    """Reference as black dots, converged paths as marks of their loss, others as faint dots: no results.

    Marks are open, and the legend says how far off, where the barrier is not the reference's within
    `CHEMICAL_ACCURACY`.
    """
    reference = paths[paths["loss"] == REFERENCE].sort_values("image")
    status = summary.set_index(["loss", "seed"])["status"]
    ended = status.get((REFERENCE, reference["seed"].iloc[0]), CONVERGED)
    axes.plot(
        reference["path_coordinate"],
        reference["energy"],
        color="black",
        marker="o",
        ms=3,
        lw=0.6,
        label="reference" if ended == CONVERGED else f"reference, {ended}",
        zorder=4,
    )
    losses = in_order(paths["loss"])
    top = reference["energy"].max()
    drawn: set[str] = set()
    for loss in losses:
        style = style_of(loss, losses)
        for seed, path in paths[paths["loss"] == loss].groupby("seed"):
            ended = status.get((loss, seed), "unknown")
            path = path.sort_values("image")
            label = loss if ended == CONVERGED else f"{loss}, {ended}: no result"
            wrong = False
            if ended == CONVERGED:
                top = max(top, path["energy"].max())
                off = path["energy"].max() - reference["energy"].max()
                wrong = bool(abs(off) > CHEMICAL_ACCURACY)
                if wrong:
                    signed = f"{off:+.1f}".replace("-", "−")
                    label = f"{loss}, barrier {signed} kcal mol⁻¹"
            look: dict[str, Any] = (
                {"marker": style.marker, "ms": 2.6, "lw": 0.5, "zorder": 5, "mfc": "white" if wrong else None}
                if ended == CONVERGED
                else {"lw": 0.8, "ls": (0, (1, 2.5)), "alpha": 0.5, "zorder": 2}
            )
            axes.plot(
                path["path_coordinate"],
                path["energy"],
                color=style.color,
                label=label if label not in drawn else None,
                **look,
            )
            drawn.add(label)
    low = min(0.0, reference["energy"].min())
    axes.set_ylim(low - 0.12 * (top - low), max(top, barrier) + 0.1 * (top - low))
    reach = reference["path_coordinate"].abs().max() * 1.12
    axes.set_xlim(
        reference["path_coordinate"].min() - 0.06 * reach, reference["path_coordinate"].max() + 0.06 * reach
    )
    axes.axvline(0, color="#D0103A", ls="--", lw=0.8, zorder=1)
    axes.set_xlabel(PATH_LABEL)
    axes.set_ylabel(ENERGY_LABEL)


def draw_published(axes: Axes, reference: float, predicted: float) -> None:
    """The paper's barriers as diamonds at the TS, each with a short level line to its side."""
    low, high = axes.get_xlim()
    for energy, loss, end in (
        (reference, REFERENCE, low),
        (predicted, "E-F-H", high),
    ):
        color = style_of(loss).color
        axes.plot([0, 0.3 * end], [energy, energy], color=color, ls=(0, (2, 1.5)), lw=0.8, zorder=5)
        axes.plot(0.3 * end, energy, ls="", **published_marker(color))


def describe(summary: pd.DataFrame, published_reference: float, published: float) -> str:
    """What became of every band, in words: barriers beside the paper's (kcal/mol), and what failed."""
    reference = summary["barrier_reference"].dropna()
    lines = []
    if len(reference):
        lines.append(f"reference {reference.iloc[0]:.2f} (paper {published_reference:.2f})")
    bands = summary[summary["loss"] == REFERENCE]
    for ended in bands.loc[bands["status"] != CONVERGED, "status"]:
        lines.append(f"reference band: {ended}")
    for loss in in_order(summary["loss"]):
        rows = summary[summary["loss"] == loss]
        good = rows.loc[rows["status"] == CONVERGED, "barrier"]
        text = f"{loss}: {len(good)} of {len(rows)} converged"
        if len(good):
            text += f", {good.mean():.2f}" + (f" ± {good.std():.2f}" if len(good) > 1 else "")
        failed = rows.loc[rows["status"] != CONVERGED, "status"].value_counts()
        if len(failed):
            text += " (" + ", ".join(f"{count} {status}" for status, count in failed.items()) + ")"
        if loss == "E-F-H":
            text += f" (paper {published:.2f})"
        elif loss in ("E", "E-F"):
            text += " (paper: did not converge)"
        lines.append(text)
    return "Barrier in kcal mol⁻¹\n" + "\n".join(lines)


def draw_stations(
    axes: tuple[Axes, Axes, Axes], results: Results, reaction: str, paths: pd.DataFrame
) -> None:
    """Reactant, highest image and product of the reference path.

    Raises
    ------
    ResultsError
        The geometry table has no such path, or other images than the path.
    """
    geometry = results.rows(GEOMETRY, results.table(GEOMETRY), reaction=reaction)
    geometry = results.rows(GEOMETRY, geometry, loss=REFERENCE)
    reference = paths[paths["loss"] == REFERENCE].sort_values("image")
    images = [
        int(reference["image"].iloc[0]),
        int(reference["image"].iloc[int(reference["energy"].argmax())]),
        int(reference["image"].iloc[-1]),
    ]
    structures = [geometry[geometry["image"] == image].sort_values("atom") for image in images]
    if any(structure.empty for structure in structures):
        raise ResultsError(results.path(GEOMETRY), f"lacks images of {reaction}.", "image")
    numbers = structures[1]["number"].to_numpy(dtype=int)
    # the TS turns the view: it shows the atoms that move
    ts, reactant, product = common_view([structures[k][["x", "y", "z"]].to_numpy() for k in (1, 0, 2)])
    width = extent(np.stack([reactant, ts, product]))
    for ax, xyz, title in zip(axes, (reactant, ts, product), ("Reactant", "TS", "Product"), strict=True):
        draw_molecule(ax, numbers, xyz, title, width=width)


def draw_held_out(axes: Axes, results: Results) -> None:
    """Barrier errors of converged held-out reactions by loss, and the share that converged."""
    summary = results.rows(SUMMARY, results.table(SUMMARY), kind="held-out")
    models = in_order(summary["loss"])
    losses = [REFERENCE, *models] if (summary["loss"] == REFERENCE).any() else models
    for place, loss in enumerate(losses):
        style = style_of(loss, models)
        rows = summary[summary["loss"] == loss]
        good = rows[rows["status"] == CONVERGED]
        errors = (good["barrier"] - good["barrier_reference"]).to_numpy()
        spread = (np.arange(len(errors)) % 7 - 3) / 3 * 0.22
        axes.plot(
            place + spread, errors, ls="", marker=style.marker, ms=2.6, mfc="none", mec=style.color, mew=0.7
        )
        share = f"{len(good)} of {len(rows)}\nconverged"
        if len(good):
            share += f"\nMAE {np.abs(errors).mean():.2f}"
        axes.annotate(
            share,
            (place, 1),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=5.5,
            color="black" if len(good) else WARNING,
        )
    axes.axhline(0, color="black", lw=0.7)
    axes.axhspan(-1, 1, color="0.9", lw=0, zorder=0)
    axes.set_xticks(range(len(losses)), losses)
    axes.set_xlim(-0.5, len(losses) - 0.5)
    axes.set_ylabel("Barrier error (kcal mol⁻¹)")
    if np.ptp(axes.get_ylim()) < ROOM_FOR_BAND:
        axes.text(-0.48, 1, "±1 kcal mol⁻¹", va="bottom", fontsize=5.5, color="0.35")


def draw_reaction(results: Results, kind: str, *, held_out: bool = False) -> Figure:
    """Figure of one reaction: three structures above the path, and if wanted all held-out barriers below."""
    reaction, paths, summary = read(results, kind)
    published = BARRIERS[kind], results.published.neb[kind].barrier
    figure = new_figure(0.8 * DOUBLE, 7.1 if held_out else 5.2)
    rows = [0.95, 0.62, 2.4, 1.3] if held_out else [0.95, 0.62, 2.4]
    grid = figure.add_gridspec(len(rows), 6, height_ratios=rows)
    left, middle, right = (figure.add_subplot(grid[0, 2 * k : 2 * k + 2]) for k in range(3))
    draw_stations((left, middle, right), results, reaction, paths)
    axes = figure.add_subplot(grid[2, :])
    draw_paths(axes, paths, summary, BARRIERS[kind])
    draw_published(axes, *published)
    words = figure.add_subplot(grid[1, :])
    words.axis("off")
    words.text(0, 1, describe(summary, *published), transform=words.transAxes, va="top", linespacing=1.35)
    entries, labels = axes.get_legend_handles_labels()
    words.legend([*entries, published_handle()], [*labels, PAPER_LEVEL], loc="upper right", borderaxespad=0)
    axes.set_title(f"{reaction}, {kind}", loc="left")
    if held_out:
        draw_held_out(figure.add_subplot(grid[3, :]), results)
    return figure
