"""A figure as a whole: size, legend entries, footer, and files that are equal for equal results."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hessbench import __version__
from hessbench.plotting.style import PAPER_LEVEL, style_of
from hessbench.results.reader import Results
from hessbench.system.files import replacing

FOOTER_POINTS = 4.5
LEGEND_COLUMNS = 6
"""Most entries of a legend that fit beside each other above a figure."""


def new_figure(width: float, height: float) -> Figure:
    """Empty figure of this size in inches, laid out so that nothing overlaps."""
    return Figure(figsize=(width, height), layout="constrained")


def letter(axes: Axes, label: str, title: str = "") -> None:
    """Title of a panel, with its letter in bold at the left."""
    axes.set_title(rf"$\bf{{({label})}}$ {title}".strip(), loc="left")


def published_handle(label: str = PAPER_LEVEL, color: str = "0.2") -> Line2D:
    """Legend entry of the published values: an open diamond."""
    return Line2D([], [], linestyle="none", label=label, **published_marker(color))


def published_marker(color: str) -> dict[str, Any]:
    """Look of a published value: an open diamond in the colour of its training."""
    return {
        "marker": "D",
        "markersize": 4.5,
        "markerfacecolor": "white",
        "markeredgecolor": color,
        "markeredgewidth": 1.0,
        "zorder": 6,
    }


def loss_handles(losses: Sequence[str]) -> list[Line2D]:
    """Legend entries of losses, line and marker."""
    handles = []
    for loss in losses:
        style = style_of(loss, losses)
        handles.append(
            Line2D([], [], color=style.color, marker=style.marker, linestyle=style.line, label=loss)
        )
    return handles


def mean_legend(figure: Figure, entries: Sequence[Line2D], counts: Iterable[int], shown: str = "") -> None:
    """Legend above all panels; its title says what is shown, and of how many models the mean is."""
    title = f"{shown}; mean" if shown else "Mean"
    rows = -(-len(entries) // LEGEND_COLUMNS)
    figure.legend(
        handles=list(entries),
        loc="outside upper center",
        ncols=-(-len(entries) // rows),
        title=f"{title} ± SD of {count_text(counts)} models",
    )


def count_text(counts: Iterable[int]) -> str:
    """Number of models, or its range."""
    ascending = sorted(counts)
    low, high = ascending[0], ascending[-1]
    return str(low) if low == high else f"{low} to {high}"


def footer_of(results: Results) -> str:
    """Profile, data, models and notes of all results that were read; no date and no commit."""
    tables = list(results.read.values())
    data = "; ".join(dict.fromkeys(item for table in tables for item in table.inputs.data.values()))
    counts = sorted({table.models for table in tables if table.models is not None})
    notes = "; ".join(dict.fromkeys(str(table.notes["note"]) for table in tables if "note" in table.notes))
    *some, last = [str(count) for count in counts] or [""]
    models = f" · models per training: {', '.join(some)}{' or ' if some else ''}{last}" if counts else ""
    version = tables[0].versions["hessbench"]
    return f"hessbench {version} · profile {results.run.profile} · data: {data}{models}" + (
        f" · {notes}" if notes else ""
    )


def settle(figure: Figure) -> None:
    """End the layout of a figure, with positions rounded to a ten-millionth of its size.

    The solver of the layout orders its variables by their addresses in memory, so that the last bits of what
    it finds may differ from run to run, and then, once in hundreds of figures, the bytes of a file.
    """
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position(original=True).bounds
        axes.set_position((round(left, 7), round(bottom, 7), round(width, 7), round(height, 7)))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((round(float(x), 7), round(float(y), 7)))


def save(figure: Figure, stem: Path, title: str, footer: str) -> list[Path]:
    """Write a figure as PNG (300 dpi) and PDF, the footer in the picture and in the files' metadata.

    Nothing in the files depends on when, where or in which order they were written.

    Returns
    -------
    list of Path
        The two files.
    """
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(footer, width=int(width * 72 / (FOOTER_POINTS * 0.58)))
    band = (len(lines) + 0.9) * FOOTER_POINTS * 1.25 / 72 / height
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.set(rect=(0, band, 1, 1 - band))  # type: ignore[call-arg]
    figure.text(
        0.008,
        0.3 * FOOTER_POINTS / 72 / height,
        "\n".join(lines),
        fontsize=FOOTER_POINTS,
        color="0.4",
        va="bottom",
        linespacing=1.25,
    )
    figure.draw_without_rendering()  # lays out once for both files
    settle(figure)
    software = f"hessbench {__version__}"
    metadata = {
        "png": {"Title": title, "Description": footer, "Software": software},
        "pdf": {
            "Title": title,
            "Subject": footer,
            "Creator": software,
            "Producer": None,
            "CreationDate": None,
        },
    }
    written = []
    for kind, entries in metadata.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=entries)
        written.append(path)
    return written
