"""Draw figures anew from results; one that fails does not keep the others from being drawn."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import matplotlib.style

from hessbench.errors import HessbenchError
from hessbench.plotting.figure import footer_of, save
from hessbench.results import reproduce
from hessbench.results.reader import Results

STYLE = reproduce.FOLDER / "style.mplstyle"


def redraw(name: str, root: Path, figures: Path) -> list[Path]:
    """Draw one figure.

    Parameters
    ----------
    name
        Name of the figure, "3" or "s3".
    root
        Folder that holds results/ and models/.
    figures
        Folder to write figure-<name>.png and figure-<name>.pdf to.

    Raises
    ------
    HessbenchError
        There is no such figure, or its results are missing or broken; the message names file and column.
    """
    module = reproduce.load("figure", name)
    results = Results(root / "results")
    with matplotlib.rc_context():
        matplotlib.style.use(STYLE)
        figure = module.draw(results)
        title = f"Figure {reproduce.designation(name)}. {module.TITLE}"
        return save(figure, figures / f"figure-{name.lower()}", title, footer_of(results))


def redraw_all(
    names: Sequence[str], root: Path, figures: Path, *, processes: int = 2
) -> Iterator[tuple[str, list[Path] | HessbenchError]]:
    """Draw several figures side by side; gives each name with its files, or with what stopped it."""
    context = multiprocessing.get_context("spawn")  # threads of numerical libraries do not survive a fork
    with ProcessPoolExecutor(min(processes, len(names)), context) as pool:
        jobs = {name: pool.submit(redraw, name, root, figures) for name in names}
        for name, job in jobs.items():
            try:
                yield name, job.result()
            except HessbenchError as error:
                yield name, error
