"""Tables of errors: the paper's Tables 2-4 beside the published values, and one of all ensembles of a run."""

from collections import Counter
from pathlib import Path

import pandas as pd

from hessbench.calculators.card import level_mark
from hessbench.config.loss_labels import LABELS, PAPER_LOSSES
from hessbench.errors import HessbenchError
from hessbench.experiments.baselines.errors import zero_rmse
from hessbench.experiments.errors.ensembles import ensemble_results, ensembles, errors_of, main_percent
from hessbench.experiments.errors.run.tables import ERRORS, FAILURES
from hessbench.experiments.errors.statistics import EnsembleErrors, estimate, mae, rmse, spread
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.run import Run
from hessbench.results.store.names import QUANTITIES, SETS, UNITS
from hessbench.results.table_files import (
    QUANTITY_NAMES,
    escape,
    markdown,
    quantity_cells,
    read_csv,
    same_cells,
    to_csv,
    with_spread,
)
from hessbench.system.files import write_text

TABLES = {"table-2": "rtp", "table-3": "irc", "table-4": "nms"}
"""Table of the paper to the test set it is about."""
USER_MODELS = {f"ensembles-{test_set}": test_set for test_set in SETS}
"""How the gate names the rows of ensembles.csv of users' models, to the test set they are about."""
TEXT = ("loss", "quantity", "unit")
NUMBERS = ("rmse", "models")
INTERVAL = ("spread", "ci_low", "ci_high")
PUBLISHED = ("published", "published_spread")
ZERO = "zero_rmse"
"""Error of what predicts nothing (`hessbench.experiments.baselines`); empty if it was not scored."""
COLUMNS = (*TEXT, "rmse", *INTERVAL, "structures", "reactions", "models", *PUBLISHED, ZERO)
NOTHING = "nothing"
"""Name of its rows for people."""
WORSE = " †"
"""Marks an error that is larger."""
OTHER_LEVEL = " ‡"
"""Marks a user's model of another level of theory than that of the data, or of an unknown one."""
LATEX_UNITS = {
    "energy": "kcal mol$^{-1}$",
    "force": "kcal mol$^{-1}$ \\AA$^{-1}$",
    "hessian": "kcal mol$^{-1}$ \\AA$^{-2}$",
}


def rmse_table(results: Results, test_set: str) -> pd.DataFrame:
    """RMSEs of the paper's three losses on one test set, beside the published ones; columns are `COLUMNS`.

    ``rmse`` is the mean over the models, ``spread`` their sample standard deviation (empty for one),
    ``ci_low`` and ``ci_high`` bound the 95 % interval of ``rmse`` by bootstrap over reactions and models.
    ``zero_rmse`` is the error of atomic energies alone, of zero forces and of zero Hessians.

    Raises
    ------
    HessbenchError
        An errors table is missing or cannot be used.
    """
    rows = []
    percent = main_percent(results)
    zero = zero_rmse(results)
    for loss in PAPER_LOSSES:
        for quantity in QUANTITIES:
            ensemble = errors_of(results, loss, percent, test_set, quantity)
            cell = results.published.cell(test_set, loss, quantity)
            rows.append(
                {"loss": LABELS[loss], "quantity": quantity, "unit": UNITS[quantity]}
                | _rmse_cells(ensemble)
                | _sizes(ensemble)
                | {"published": cell.rmse, "published_spread": cell.spread}
                | {ZERO: zero.get((test_set, quantity))}
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def ensembles_table(results: Results) -> pd.DataFrame:
    """RMSE and MAE of every ensemble of a run on every test set: all losses and percents, users' models.

    What the paper's tables do not have stands here: mean absolute errors, E-F-HVP, smaller percents.
    ``failed`` counts the structures for which a user's model fails, which are in no error; ``level`` is the
    level of theory that it states; ``level_mark`` says what follows if the data are of another one. All three
    are empty for ensembles that were trained on the data.

    Raises
    ------
    MissingResultsError
        This run has no errors of any ensemble.
    """
    rows = []
    for part in ensembles(results).values():
        found = ensemble_results(results, part)
        failed, level, mark = _brought(results, part)
        for test_set in SETS:
            for quantity in QUANTITIES:
                if (test_set, quantity) not in found.errors:
                    continue  # a model may know no Hessians
                ensemble = found.errors[test_set, quantity]
                absolute = mae(ensemble)
                rows.append(
                    {
                        "set": test_set,
                        "loss": found.label,
                        "percent": found.percent,
                        "quantity": quantity,
                        "unit": UNITS[quantity],
                    }
                    | _rmse_cells(ensemble)
                    | {"mae": absolute.mean(), "mae_spread": spread(absolute)}
                    | _sizes(ensemble)
                    | {"failed": None if failed is None else failed[test_set]}
                    | {"level": level, "level_mark": mark}
                )
    if not rows:
        raise MissingResultsError(
            f"{results.folder}: this run has no errors of any ensemble; `dvc repro` makes them."
        )
    return pd.DataFrame(rows)


def _brought(results: Results, part: str) -> tuple[Counter[str] | None, str, str]:
    """Failures of a user's model by test set, its level of theory, and what follows from that.

    Of an ensemble that was trained here None and empty texts.
    """
    provenance = results.provenance(ERRORS, part)
    if part not in results.parts(FAILURES):
        return None, "", ""
    failures = results.table(FAILURES, ["set"], part)
    level = str(provenance.notes.get("level", ""))
    return Counter(failures["set"]), level, level_mark(level, provenance.level)


def write_rmse_table(name: str, title: str, *, results: Results, tables: Path) -> list[Path]:
    """Write one of Tables 2-4 as tables/<name>.{csv,md,tex} and give the paths.

    Parameters
    ----------
    name
        A key of `TABLES`.
    title
        What the table shows.
    results
        Results of the run.
    tables
        The folder to write to.

    Raises
    ------
    HessbenchError
        A file is missing or cannot be used; nothing is written then.
    """
    frame = rmse_table(results, TABLES[name])
    footer = (
        f"Trained on {main_percent(results)} % of the data. Mean over the models ± their sample standard "
        f"deviation; interval: bootstrap over reactions and models. {_about_zero(frame)} {results.run.footer}"
    )
    contents = {
        "csv": _rmse_csv(frame, results.run, name),
        "md": markdown(title, _readable(frame), footer),
        "tex": _latex(frame, title, footer, label=name),
    }
    return [_write(tables / f"{name}.{suffix}", content) for suffix, content in contents.items()]


def write_ensembles_table(*, results: Results, tables: Path) -> list[Path]:
    """Write tables/ensembles.{csv,md} (`ensembles_table`) and give the paths."""
    frame = ensembles_table(results)
    marked = frame["level_mark"] != ""
    shown = pd.DataFrame(
        {
            "Set": frame["set"].str.upper(),
            "Loss": frame["loss"] + marked.map({True: OTHER_LEVEL, False: ""}),
            "Data (%)": frame["percent"],
            "Quantity": quantity_cells(frame),
            "RMSE": with_spread(frame["rmse"], frame["spread"]),
            "95 % interval": _interval(frame),
            "MAE": with_spread(frame["mae"], frame["mae_spread"]),
            "Reactions": frame["reactions"],
            "Failed": frame["failed"].map(lambda count: "" if pd.isna(count) else f"{count:.0f}"),
            "Models": frame["models"],
        }
    )
    title = "Errors of every ensemble on every test set"
    marks = frame[marked].drop_duplicates("loss")
    footer = " ".join(
        [
            *(f"{row.loss}{OTHER_LEVEL}: {row.level_mark}." for row in marks.itertuples()),
            "Failed: structures without a prediction, in no error.",
            results.run.footer,
        ]
    )
    contents = {"csv": _ensembles_csv(frame, results.run), "md": markdown(title, shown, footer)}
    return [_write(tables / f"ensembles.{suffix}", content) for suffix, content in contents.items()]


def read_tables(folder: Path) -> pd.DataFrame:
    """Read tables/table-{2,3,4}.csv into one frame, with the column ``table`` in front.

    The rows of users' models (`hessbench evaluate --calculator`) follow from ensembles.csv, each with its
    largest percent, under the tables `USER_MODELS` and without published values.

    Raises
    ------
    HessbenchError
        A table is missing, lacks a column, or holds no number where one belongs.
    """
    frames = []
    for name in TABLES:
        remedy = f"`hessbench table {name.removeprefix('table-')}` writes it"
        numbers = [*NUMBERS, "structures", "reactions", "published"]
        optional = [*INTERVAL, "published_spread", ZERO]
        frame = read_csv(folder / f"{name}.csv", remedy, text=TEXT, numbers=numbers, optional=optional)
        frames.append(frame.assign(table=name))
    beside = folder / "ensembles.csv"
    if beside.exists():
        numbers = ["percent", *NUMBERS, "structures", "reactions"]
        remedy = "`hessbench table ensembles` writes it"
        frame = read_csv(beside, remedy, text=("set", *TEXT), numbers=numbers, optional=INTERVAL)
        frame = frame[~frame["loss"].isin(LABELS.values())]
        largest = frame.groupby("loss")["percent"].transform("max")
        frame = frame[frame["percent"] == largest]
        if not frame.empty:
            frames.append(frame.assign(table="ensembles-" + frame["set"]))
    return pd.concat(frames, ignore_index=True)[["table", *COLUMNS]]


def tables_of_other_results(results: Results, tables: Path) -> list[str]:
    """Which of the tables that `read_tables` reads are not what the results give, each as a sentence.

    Numbers may differ in the last digits, as the machine that wrote the table may round in another way.
    """
    problems = []
    for name in [*TABLES, "ensembles"]:
        path = tables / f"{name}.csv"
        if not path.exists():
            continue  # of users' models; the others have been read
        try:
            if name in TABLES:
                expected = _rmse_csv(rmse_table(results, TABLES[name]), results.run, name)
            else:
                expected = _ensembles_csv(ensembles_table(results), results.run)
        except MissingResultsError as error:
            problems.append(f"{path} cannot be of these results: {error}")
            continue
        if not same_cells(path.read_text(encoding="utf-8"), expected):
            command = f"hessbench table {name.removeprefix('table-')}"
            problems.append(f"{path} is not what {results.folder} gives; `{command}` writes it anew.")
    return problems


def data_of(run: Run, test_set: str, table: str) -> str:
    """Name, version, level of theory and checksum of the data of a test set that a table shows.

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


def _rmse_csv(frame: pd.DataFrame, run: Run, name: str) -> str:
    return to_csv(frame.assign(data=data_of(run, TABLES[name], name)))


def _ensembles_csv(frame: pd.DataFrame, run: Run) -> str:
    data = {test_set: data_of(run, test_set, "ensembles") for test_set in frame["set"].unique()}
    return to_csv(frame.assign(data=frame["set"].map(data)))


def _write(path: Path, content: str) -> Path:
    write_text(path, content)
    return path


def _rmse_cells(ensemble: EnsembleErrors) -> dict[str, object]:
    found = estimate(lambda value: value, ensemble)
    return {"rmse": found.value, "spread": spread(rmse(ensemble)), "ci_low": found.low, "ci_high": found.high}


def _sizes(ensemble: EnsembleErrors) -> dict[str, object]:
    return {
        "structures": int(ensemble.structures.sum()),
        "reactions": len(ensemble.reactions),
        "models": ensemble.models,
    }


def _about_zero(frame: pd.DataFrame) -> str:
    """What the rows of the baseline and the mark mean, for the foot of a table."""
    if frame[ZERO].isna().any():
        return "What predicts nothing was not scored (`hessbench baselines`)."
    return f"{NOTHING}: zero forces and Hessians, energies of the composition alone;{WORSE} worse than that."


def _with_zero(shown: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Add a row for what predicts nothing in front, one a quantity, if it was scored."""
    first = frame["loss"] == frame["loss"].iloc[0]
    if frame[ZERO].isna().any():
        return shown
    rows = shown[first].assign(Loss=NOTHING, RMSE=[f"{value:.2f}" for value in frame.loc[first, ZERO]])
    rows[["95 % interval", "Published", "Difference", "Models"]] = ""
    return pd.concat([rows, shown], ignore_index=True)


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Ours beside published, as text."""
    worse = (frame["rmse"] > frame[ZERO].astype(float)).map({True: WORSE, False: ""})
    shown = pd.DataFrame(
        {
            "Loss": frame["loss"],
            "Quantity": quantity_cells(frame),
            "RMSE": with_spread(frame["rmse"], frame["spread"]) + worse,
            "95 % interval": _interval(frame),
            "Published": with_spread(frame["published"], frame["published_spread"]),
            "Difference": _difference(frame),
            "Structures": frame["structures"],
            "Reactions": frame["reactions"],
            "Models": frame["models"].astype(str),
        }
    )
    return _with_zero(shown, frame)


def _latex(frame: pd.DataFrame, title: str, footer: str, *, label: str) -> str:
    shown = _readable(frame).drop(columns=["Structures", "Reactions", "Models"])
    units = dict(zip(quantity_cells(frame), frame["quantity"], strict=True))
    shown["Quantity"] = [
        f"{QUANTITY_NAMES[units[text]]} ({LATEX_UNITS[units[text]]})" for text in shown["Quantity"]
    ]
    for column in ("Loss", "RMSE", "Published"):
        shown[column] = shown[column].map(escape)
    percent = shown["Difference"].str.replace(" %", r"\,\%")
    shown["Difference"] = ("$" + percent + "$").where(percent != "", "")
    shown = shown.rename(columns={"95 % interval": r"95\,\% interval"})
    sizes = f"{frame['structures'].iloc[0]} structures of {frame['reactions'].iloc[0]} reactions"
    text: str = shown.to_latex(
        index=False,
        escape=False,
        column_format="llrrrr",
        position="htbp",
        caption=escape(f"{title}; {sizes}. {footer}"),
        label=f"tab:{label}",
    )
    return text


def _interval(frame: pd.DataFrame) -> pd.Series:
    return pd.Series([f"[{a:.2f}, {b:.2f}]" for a, b in zip(frame["ci_low"], frame["ci_high"], strict=True)])


def _difference(frame: pd.DataFrame) -> pd.Series:
    pairs = zip(frame["rmse"], frame["published"], strict=True)
    return pd.Series([f"{ours - theirs:+.2f} ({100 * (ours / theirs - 1):+.0f} %)" for ours, theirs in pairs])
