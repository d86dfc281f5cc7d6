"""Pinned values: what earlier runs of a profile gave, with tolerances; reproduce/pinned/<profile>.csv.

The rule of the tolerances. A rerun on the same machine gives the same numbers. Another machine (BLAS,
instruction set) rounds differently, and training amplifies that, in the worst case until its models are as
different from ours as those of other seeds. The mean over m models then differs from ours by a standard error
of ``s sqrt(2 / m)``, s being the spread over the models; and one run's mean from that of k runs by
``r sqrt(1 + 1 / k)``, r being the spread over runs. The tolerance is four times the larger of the two, plus
one percent of the value for what a few models, close to each other by chance, do not show::

    atol = 4 max(s sqrt(2 / m), r sqrt(1 + 1 / k))    rtol = 0.01

Beyond it lie changes of the method, and those are to be pinned anew on purpose. A user's model is not trained
here and is one: its s is 0.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.errors import HessbenchError
from hessbench.experiments.errors.tables import (
    TABLES,
    USER_MODELS,
    data_of,
    read_tables,
    tables_of_other_results,
)
from hessbench.results.reader import Results
from hessbench.results.run import Run, read_run
from hessbench.results.table_files import read_csv, to_csv
from hessbench.system.files import write_text
from hessbench.verification.comparison import KEYS

PINNED = Path("reproduce/pinned")
TEST_SETS = TABLES | USER_MODELS
STANDARD_ERRORS = 4.0
RTOL = 0.01
TEXT = ["profile", "data", *KEYS, "unit"]
NUMBERS = ["rmse", "rtol", "atol", "models", "runs"]
COLUMNS = [*TEXT, *NUMBERS]


def pinned_path(profile: str) -> Path:
    """Where the values of a profile are pinned."""
    return PINNED / f"{profile}.csv"


def pin(runs: list[Path]) -> pd.DataFrame:
    """Make pinned values, columns `COLUMNS`, from one or several runs of the same profile on the same data.

    Parameters
    ----------
    runs
        Project directories, each with tables/ and results/run.json.

    Raises
    ------
    HessbenchError
        A table is missing or not what the results beside it give, the runs are not of one profile and data
        set, hold different rows, or give no spread (a single run of a single model).
    """
    made_from = [read_run(run / "results") for run in runs]
    first_run = made_from[0]
    for run, found in zip(runs[1:], made_from[1:], strict=True):
        if (found.profile, found.data) != (first_run.profile, first_run.data):
            raise HessbenchError(
                f"{run} is a run of profile {found.profile} on other data or settings than {runs[0]} "
                f"(profile {first_run.profile}); pin runs of one profile and one data set together."
            )
    frames = [read_tables(run / "tables") for run in runs]
    for run in runs:
        stale = tables_of_other_results(Results(run / "results"), run / "tables")
        if stale:
            raise HessbenchError(f"{stale[0]} Nothing is pinned.")
    for run, frame in zip(runs[1:], frames[1:], strict=True):
        if not frame[[*KEYS, "unit", "models"]].equals(frames[0][[*KEYS, "unit", "models"]]):
            raise HessbenchError(
                f"{run} has other rows, units or numbers of models than {runs[0]}; run both anew."
            )
    first = frames[0]
    values = np.array([frame["rmse"] for frame in frames])  # (k, rows)
    models = first["models"].to_numpy()
    if len(runs) == 1 and (models[first["table"].isin(TABLES)] == 1).any():
        raise HessbenchError(
            "one run of one model has no spread to take tolerances from; train two models or more, or give "
            "several runs with --from."
        )
    variance = np.mean([frame["spread"].fillna(0.0) ** 2 for frame in frames], axis=0)
    candidates = np.sqrt(variance * 2 / models)
    if len(runs) > 1:
        candidates = np.maximum(candidates, values.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(runs)))
    return first.assign(
        profile=first_run.profile,
        data=[data_of(first_run, TEST_SETS[table], table) for table in first["table"]],
        rmse=values.mean(axis=0),
        rtol=RTOL,
        atol=STANDARD_ERRORS * candidates,
        runs=len(runs),
    )[COLUMNS]


def write_pinned(frame: pd.DataFrame) -> Path:
    """Write pinned values to the file of their profile and give its path."""
    path = pinned_path(frame["profile"].iloc[0])
    write_text(path, to_csv(frame))
    return path


class OtherDataError(HessbenchError):
    """The pinned values are of other data than the run."""


def read_pinned(run: Run) -> pd.DataFrame:
    """Read the values pinned for a run's profile and make sure that they are of the same data.

    Raises
    ------
    HessbenchError
        The file is missing, lacks a column, or was pinned for another profile.
    OtherDataError
        It was pinned on other data.
    """
    path = pinned_path(run.profile)
    if not path.exists():
        raise HessbenchError(
            f"{path} does not exist: nothing is pinned for profile {run.profile}; `hessbench pin` "
            "writes it from the present tables."
        )
    frame = read_csv(path, "`hessbench pin` writes it anew", text=TEXT, numbers=NUMBERS)
    for profile in frame["profile"].unique():
        if profile != run.profile:
            raise HessbenchError(
                f"{path}, column profile: {profile} where {run.profile} belongs; `hessbench pin`."
            )
    for table, data in frame[["table", "data"]].drop_duplicates().itertuples(index=False):
        if table in TEST_SETS and data != (present := data_of(run, TEST_SETS[table], table)):
            raise OtherDataError(
                f"{path} was pinned on the data {data}, but {table} shows {present}; "
                "run on the pinned data, or accept the new ones with `hessbench pin`."
            )
    return frame
