"""Hessians of all potentials along the path, one potential after the other; each is kept at once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hessbench.comparison.kept import Content, Keeping
from hessbench.comparison.potentials import NamedPotential
from hessbench.config.loss_labels import REFERENCE
from hessbench.errors import PotentialError
from hessbench.experiments.spectra.run.frequencies import PathGeometries, PathHessians, measure_hessians
from hessbench.experiments.spectra.run.tables import STAGE
from hessbench.system.processes import Report, run_tasks
from hessbench.system.sources import code_digest


def keeping_hessians(folder: Path, path: PathGeometries) -> Keeping:
    """Workers of `measure_all` that keep the Hessians of each potential along this path in a folder.

    There is one process, so that CPU times are not those of two that share a memory.
    """

    def made_from(potential: NamedPotential) -> object:
        return path, potential.loss, potential.seed, potential.digest

    return Keeping(1, folder, "potentials", code_digest(STAGE.package), made_from, _packed, _measured)


def measure_all(
    potentials: Sequence[NamedPotential], path: PathGeometries, keeping: Keeping
) -> list[PathHessians | str]:
    """Measure the Hessians of each potential; of a user's that fails, give the reason.

    Raises
    ------
    PotentialError
        The level of theory of the reference fails.
    """
    done = keeping.finished(potentials)
    with tqdm(total=len(potentials), initial=done, desc="spectra", unit="path") as bar:

        def show(done: int) -> None:
            bar.update(done)

        return run_tasks(_measure, potentials, path, keeping, show)


def _measure(potential: NamedPotential, path: PathGeometries, report: Report) -> PathHessians | str:
    measured: PathHessians | str
    try:
        measured = measure_hessians(path, potential.load())
    except PotentialError as error:
        if potential.loss == REFERENCE:
            raise
        measured = str(error)
    report(1)
    return measured


def _packed(measured: PathHessians | str) -> Content | None:
    """What is kept of a potential; one that failed is tried again."""
    if isinstance(measured, str):
        return None
    return {"hessians": np.stack(measured.hessians), "cpu_s": measured.cpu_s}


def _measured(content: Content) -> PathHessians:
    return PathHessians(list(content["hessians"]), content["cpu_s"])
