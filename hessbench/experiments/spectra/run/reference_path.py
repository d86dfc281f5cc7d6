"""The reference path of a reaction, as `hessbench neb` stored it."""

from pathlib import Path

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS
from hessbench.experiments.spectra.run.frequencies import PathGeometries
from hessbench.results.store.tables import ResultsError, read_table


def read_reference_path(results: Path, kind: str) -> PathGeometries:
    """Read the path that the level of theory gave for the reaction of this kind.

    Raises
    ------
    ResultsError
        The tables are missing or hold no such path.
    """
    paths = read_table(results, PATHS)
    paths = paths[(paths["kind"] == kind) & (paths["loss"] == REFERENCE)].sort_values("image")
    if paths.empty:
        raise ResultsError(PATHS.path(results), f"no reference path of a {kind}; run `hessbench neb`.")
    reaction = str(paths["reaction"].iloc[0])
    geometry = read_table(results, GEOMETRY)
    geometry = geometry[(geometry["reaction"] == reaction) & (geometry["loss"] == REFERENCE)]
    geometry = geometry.sort_values(["image", "atom"])
    atoms = geometry["atom"].nunique()
    if len(geometry) != atoms * len(paths):
        raise ResultsError(
            GEOMETRY.path(results),
            f"lacks images of {reaction}; run `hessbench neb` again.",
            "image",
        )
    return PathGeometries(
        reaction,
        geometry["number"].to_numpy(int)[:atoms],
        geometry[["x", "y", "z"]].to_numpy(float).reshape(len(paths), atoms, 3),
        paths["path_coordinate"].to_numpy(float),
    )
