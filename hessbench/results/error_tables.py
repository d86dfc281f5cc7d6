"""Tables of errors: the paper's Tables 2-4 beside the published values, and one of every ensemble of a run.

Written as CSV (for programs), Markdown (for people) and LaTeX (for papers). Equal results give equal bytes:
numbers are rounded to six significant digits, and there is no date in them.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.errors import HessbenchError
from hessbench.results.published import PUBLISHED, Published, read_published
from hessbench.results.statistics import EnsembleErrors, estimate, mae, rmse, spread
from hessbench.results.store.runinfo import RunInfo
from hessbench.results.store.tables import LABELS, QUANTITIES, SETS, UNITS
from hessbench.results.stored import PAPER_LOSSES, StoredResults
from hessbench.system.files import write_text

TABLES = {"table-2": "rtp", "table-3": "irc", "table-4": "nms"}
"""Table of the paper to the test set it is about."""
BROUGHT = {f"ensembles-{test_set}": test_set for test_set in SETS}
"""How the gate names the rows of ensembles.csv of models that users bring, to the test set they are about."""
COLUMNS = (
    "training",
    "quantity",
    "unit",
    "rmse",
    "spread",
    "ci_low",
    "ci_high",
    "structures",
    "reactions",
    "models",
    "published",
    "published_spread",
)
NAMES = {"energy": "energy", "force": "force", "hessian": "Hessian"}
"""Quantities as people read them."""
LATEX_UNITS = {
    "energy": "kcal mol$^{-1}$",
    "force": "kcal mol$^{-1}$ \\AA$^{-1}$",
    "hessian": "kcal mol$^{-1}$ \\AA$^{-2}$",
}


def rmse_table(stored: StoredResults, published: Published, test_set: str) -> pd.DataFrame:
    """RMSEs of the paper's three losses on one test set, beside the published ones; columns are `COLUMNS`.

    ``rmse`` is the mean over the models, ``spread`` their sample standard deviation (empty for one),
    ``ci_low`` and ``ci_high`` bound the 95 % interval of ``rmse`` by bootstrap over reactions and models.

    Raises
    ------
    HessbenchError
        An errors table is missing or cannot be used.
    """
    rows = []
    for loss in PAPER_LOSSES:
        for quantity in QUANTITIES:
            ensemble = stored.errors(loss, stored.main_fraction, test_set, quantity)
            cell = published.cell(test_set, loss, quantity)
            rows.append(
                {"training": LABELS[loss], "quantity": quantity, "unit": UNITS[quantity]}
                | _rmse_cells(ensemble)
                | _sizes(ensemble)
                | {"published": cell.rmse, "published_spread": cell.spread}
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def ensembles_table(stored: StoredResults) -> pd.DataFrame:
    """RMSE and MAE of every ensemble of a run on every test set: all losses and fractions, models brought.

    What the paper's tables do not have stands here: mean absolute errors, E-F-HVP, smaller fractions.
    """
    rows = []
    for (loss, percent), path in stored.ensembles().items():
        frame = stored.error_rows(path)
        for test_set in SETS:
            for quantity in QUANTITIES:
                if not ((frame["set"] == test_set) & (frame["quantity"] == quantity)).any():
                    continue  # a model may know no Hessians
                ensemble = stored.errors(loss, percent, test_set, quantity)
                absolute = mae(ensemble)
                rows.append(
                    {
                        "set": test_set,
                        "training": frame["training"].iloc[0],
                        "fraction": frame["fraction"].iloc[0],
                        "quantity": quantity,
                        "unit": UNITS[quantity],
                    }
                    | _rmse_cells(ensemble)
                    | {"mae": absolute.mean(), "mae_spread": spread(absolute)}
                    | _sizes(ensemble)
                )
    return pd.DataFrame(rows)


def write_rmse_table(
    name: str, title: str, *, results: Path, tables: Path, published: Path = PUBLISHED
) -> list[Path]:
    """Write one of Tables 2-4 as tables/<name>.{csv,md,tex} and give the paths.

    Parameters
    ----------
    name
        A key of `TABLES`.
    title
        What the table shows.
    results, tables
        The results directory (read) and the tables directory (written).
    published
        The paper's numbers.

    Raises
    ------
    HessbenchError
        A file is missing or cannot be used; nothing is written then.
    """
    stored = StoredResults(results)
    frame = rmse_table(stored, read_published(published), TABLES[name])
    frame_with_data = frame.assign(data=data_identity(stored.run, TABLES[name], name))
    footer = (
        f"Trained on {stored.main_fraction} % of the data. Mean over the models ± their sample standard "
        f"deviation; interval: bootstrap over reactions and models. {stored.run.footer}"
    )
    csv, markdown, latex = (tables / f"{name}.{suffix}" for suffix in ("csv", "md", "tex"))
    write_text(csv, to_csv(frame_with_data))
    write_text(markdown, f"**{title}**\n\n{_readable(frame).to_markdown(index=False)}\n\n{footer}\n")
    write_text(latex, _latex(frame, title, footer, label=name))
    return [csv, markdown, latex]


def write_ensembles_table(*, results: Path, tables: Path) -> list[Path]:
    """Write tables/ensembles.{csv,md} (`ensembles_table`) and give the paths."""
    stored = StoredResults(results)
    frame = ensembles_table(stored)
    shown = pd.DataFrame(
        {
            "Set": frame["set"].str.upper(),
            "Training": frame["training"],
            "Data (%)": frame["fraction"],
            "Quantity": _quantity(frame),
            "RMSE": _with_spread(frame["rmse"], frame["spread"]),
            "95 % interval": _interval(frame),
            "MAE": _with_spread(frame["mae"], frame["mae_spread"]),
            "Reactions": frame["reactions"],
            "Models": frame["models"],
        }
    )
    csv, markdown = tables / "ensembles.csv", tables / "ensembles.md"
    identities = {name: data_identity(stored.run, name, "ensembles") for name in frame["set"].unique()}
    write_text(csv, to_csv(frame.assign(data=frame["set"].map(identities))))
    title = "**Errors of every ensemble on every test set**"
    write_text(markdown, f"{title}\n\n{shown.to_markdown(index=False)}\n\n{stored.run.footer}\n")
    return [csv, markdown]


def read_tables(folder: Path) -> pd.DataFrame:
    """Read tables/table-{2,3,4}.csv into one frame, with the column ``table`` in front.

    The rows of models that users brought (`hessbench evaluate --calculator`) follow from ensembles.csv, each
    with its largest fraction, under the tables `BROUGHT` and without published values.

    Raises
    ------
    HessbenchError
        A table is missing, lacks a column, or holds no number where one belongs.
    """
    frames = []
    for name in TABLES:
        frame = _read_csv(folder / f"{name}.csv", COLUMNS, ("rmse", "models", "published"))
        frames.append(frame.assign(table=name))
    beside = folder / "ensembles.csv"
    if beside.exists():
        own = [column for column in COLUMNS if not column.startswith("published")]
        frame = _read_csv(beside, ("set", "fraction", *own), ("fraction", "rmse", "models"))
        frame = frame[~frame["training"].isin(LABELS.values())]
        largest = frame.groupby("training")["fraction"].transform("max")
        frame = frame[frame["fraction"] == largest]
        if not frame.empty:
            frames.append(frame.assign(table="ensembles-" + frame["set"]))
    return pd.concat(frames, ignore_index=True)[["table", *COLUMNS]]


def _read_csv(path: Path, columns: Iterable[str], numbers: Iterable[str]) -> pd.DataFrame:
    """Read a table that was written here; some of its columns hold numbers in every row."""
    try:
        frame = pd.read_csv(path)
    except FileNotFoundError:
        raise HessbenchError(
            f"{path} does not exist; `hessbench table {path.stem.removeprefix('table-')}` writes it."
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise HessbenchError(f"{path} is no CSV table ({error}).") from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise HessbenchError(f"{path}: column {', '.join(missing)} is missing.")
    for column in numbers:
        values = pd.to_numeric(frame[column], errors="coerce")
        if not np.isfinite(values).all():
            raise HessbenchError(
                f"{path}, column {column}: not a number in row {int(np.argmin(np.isfinite(values))) + 1}."
            )
        frame[column] = values
    return frame


def data_identity(run: RunInfo, test_set: str, table: str) -> str:
    """Identity of the data of a test set that a table shows.

    Raises
    ------
    HessbenchError
        The run does not name its data for the test set.
    """
    if test_set not in run.data:
        raise HessbenchError(
            f"results/run.json, data: names no {test_set} data, which {table} shows; `make repro`."
        )
    return run.data[test_set]


def to_csv(frame: pd.DataFrame) -> str:
    """CSV text with six significant digits."""
    text: str = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text


def _rmse_cells(ensemble: EnsembleErrors) -> dict[str, object]:
    found = estimate(lambda value: value, ensemble)
    return {"rmse": found.value, "spread": spread(rmse(ensemble)), "ci_low": found.low, "ci_high": found.high}


def _sizes(ensemble: EnsembleErrors) -> dict[str, object]:
    return {
        "structures": int(ensemble.structures.sum()),
        "reactions": len(ensemble.reactions),
        "models": ensemble.models,
    }


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Ours beside published, as text."""
    return pd.DataFrame(
        {
            "Training": frame["training"],
            "Quantity": _quantity(frame),
            "RMSE": _with_spread(frame["rmse"], frame["spread"]),
            "95 % interval": _interval(frame),
            "Published": _with_spread(frame["published"], frame["published_spread"]),
            "Difference": _difference(frame),
            "Structures": frame["structures"],
            "Reactions": frame["reactions"],
            "Models": frame["models"],
        }
    )


def _latex(frame: pd.DataFrame, title: str, footer: str, *, label: str) -> str:
    shown = _readable(frame).drop(columns=["Structures", "Reactions", "Models"])
    shown["Quantity"] = [f"{NAMES[key]} ({LATEX_UNITS[key]})" for key in frame["quantity"]]
    for column in ("RMSE", "Published"):
        shown[column] = shown[column].str.replace("±", r"$\pm$")
    shown["Difference"] = "$" + shown["Difference"].str.replace(" %", r"\,\%") + "$"
    shown = shown.rename(columns={"95 % interval": r"95\,\% interval"})
    sizes = f"{frame['structures'].iloc[0]} structures of {frame['reactions'].iloc[0]} reactions"
    text: str = shown.to_latex(
        index=False,
        escape=False,
        column_format="llrrrr",
        position="htbp",
        caption=f"{title}; {sizes}. {_escape_latex(footer)}".replace("±", r"$\pm$"),
        label=f"tab:{label}",
    )
    return text


def _quantity(frame: pd.DataFrame) -> pd.Series:
    units = frame["unit"].str.replace("Angstrom", "Å").str.replace("^2", "²")
    return frame["quantity"].map(NAMES) + " (" + units + ")"


def _with_spread(values: pd.Series, spreads: pd.Series) -> pd.Series:
    pairs = zip(values, spreads, strict=True)
    return pd.Series([f"{value:.2f}" + ("" if pd.isna(s) else f" ± {s:.2f}") for value, s in pairs])


def _interval(frame: pd.DataFrame) -> pd.Series:
    return pd.Series([f"[{a:.2f}, {b:.2f}]" for a, b in zip(frame["ci_low"], frame["ci_high"], strict=True)])


def _difference(frame: pd.DataFrame) -> pd.Series:
    pairs = zip(frame["rmse"], frame["published"], strict=True)
    return pd.Series([f"{ours - theirs:+.2f} ({100 * (ours / theirs - 1):+.0f} %)" for ours, theirs in pairs])


def _escape_latex(text: str) -> str:
    special: dict[str, str | int | None] = {
        "\\": r"\textbackslash{}",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
    }
    special.update((character, f"\\{character}") for character in "&%$#_{}")
    return text.translate(str.maketrans(special))
