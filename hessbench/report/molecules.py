"""Molecules in motion for the report: reaction paths and a trajectory, as plain data for its viewer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from ase.data import chemical_symbols, covalent_radii

from hessbench.config.loss_labels import REFERENCE
from hessbench.errors import HessbenchError
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SUMMARY
from hessbench.experiments.stability.run.tables import STABILITY, TRAJECTORY
from hessbench.plotting.molecule import CPK, OTHER, common_view
from hessbench.plotting.style import in_order
from hessbench.results.reader import Results

Movie = dict[str, Any]
ENDED = {"failed": "broken", "censored": "whole at the highest temperature"}
"""How a heated molecule ended, in words."""


def reaction_paths(results: Results) -> list[Movie]:
    """Bands of the named reactions, the reference first: a movie per reaction and loss (its first seed).

    Raises
    ------
    HessbenchError
        The NEB tables are missing or broken.
    """
    geometry = results.table(GEOMETRY)
    paths = results.table(PATHS)
    summary = results.table(SUMMARY, ["reaction", "loss", "seed", "status"])
    status = summary.set_index(["reaction", "loss", "seed"])["status"]
    movies = []
    for reaction, rows in geometry.groupby("reaction", sort=True):
        for loss in [REFERENCE, *in_order(rows["loss"])]:
            chosen = rows[rows["loss"] == loss]
            if chosen.empty:
                continue
            seed = chosen["seed"].min()
            energies = paths[
                (paths["reaction"] == reaction) & (paths["loss"] == loss) & (paths["seed"] == seed)
            ].set_index("image")
            movie = _movie(chosen[chosen["seed"] == seed], "image", f"{reaction}, {loss}")
            kinds = paths.loc[paths["reaction"] == reaction, "kind"]
            ended = str(status.get((reaction, loss, seed), "not in the summary"))
            movie["title"] = f"{reaction}" + (f" ({kinds.iloc[0]})" if len(kinds) else "") + f", {loss}"
            movie["title"] += "" if ended == "converged" else f": {ended}"
            known = energies.reindex(movie.pop("keys"))
            movie["plot"] = None
            if not known["energy"].isna().any():
                movie["plot"] = {
                    "x": _rounded(known["path_coordinate"]),
                    "y": _rounded(known["energy"]),
                    "x_label": "distance from the highest image (Å)",
                    "y_label": "energy (kcal/mol)",
                }
                movie["captions"] = [
                    f"image {image}: {energy:.1f} kcal/mol"
                    for image, energy in zip(known.index, known["energy"], strict=True)
                ]
            movies.append(movie)
    return movies


def trajectories(results: Results) -> list[Movie]:
    """Heated dynamics of the example that the run kept, with its temperature.

    Raises
    ------
    HessbenchError
        The table is missing or broken.
    """
    table = results.table(TRAJECTORY)
    runs = results.table(STABILITY, ["molecule", "loss", "seed", "replica", "status"])
    runs = runs[runs["replica"] == 0]  # whose frames are kept
    status = runs.set_index(["molecule", "loss", "seed"])["status"]
    movies = []
    for (molecule, loss, seed), rows in table.groupby(["molecule", "loss", "seed"], sort=True):
        title = f"{molecule}, {loss}, model {seed}"
        ended = str(status.get((molecule, loss, seed), ""))
        movie = _movie(rows, "frame", title + (f": {ENDED.get(ended, ended)}" if ended else ""))
        state = rows.drop_duplicates("frame").set_index("frame").loc[movie.pop("keys")]
        movie["plot"] = {
            "x": _rounded(state["time_fs"] / 1000),
            "y": _rounded(state["temperature_k"]),
            "x_label": "time (ps)",
            "y_label": "temperature (K)",
        }
        movie["captions"] = [
            f"{time / 1000:.2f} ps, {temperature:.0f} K"
            for time, temperature in zip(state["time_fs"], state["temperature_k"], strict=True)
        ]
        movies.append(movie)
    return sorted(movies, key=lambda movie: -len(movie["frames"]))  # what held longest first


def movies_or_reason(make: Callable[[Results], list[Movie]], results: Results) -> tuple[list[Movie], str]:
    """Movies, or none and why there are none."""
    try:
        return make(results), ""
    except HessbenchError as error:
        return [], str(error)


def elements() -> dict[str, dict[str, Any]]:
    """Symbol, covalent radius in Angstrom and CPK colour by atomic number, for the viewer."""
    return {
        str(number): {
            "symbol": chemical_symbols[number],
            "radius": round(float(covalent_radii[number]), 2),
            "color": CPK.get(number, OTHER),
        }
        for number in range(1, 36)
    }


def _movie(rows: pd.DataFrame, key: str, title: str) -> Movie:
    rows = rows.sort_values([key, "atom"])
    frames = [frame for _, frame in rows.groupby(key)]
    atoms = {len(frame) for frame in frames}
    if len(atoms) > 1:
        raise HessbenchError(f"{title}: frames of {sorted(atoms)} atoms; run `dvc repro` anew.")
    coordinates = common_view([frame[["x", "y", "z"]].to_numpy(float) for frame in frames])
    return {
        "title": title,
        "numbers": [int(number) for number in frames[0]["number"]],
        "frames": [np.round(frame, 3).ravel().tolist() for frame in coordinates],
        "keys": [frame[key].iloc[0] for frame in frames],
        "captions": [f"{key} {frame[key].iloc[0]}" for frame in frames],
    }


def _rounded(values: pd.Series) -> list[float]:
    return [round(float(value), 3) for value in values]
