"""`hessbench tune`: search for the settings that train a loss best, by validation structures alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from hessbench.config.base import PARAMS, read_yaml, validate
from hessbench.config.options import LossChoice, split_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.results.table_files import to_csv
from hessbench.system.alone import alone
from hessbench.system.files import write_text
from hessbench.tuning.search import Task, Trial, search
from hessbench.tuning.settings import TuningConfig

FOLDER = Path("tuning")


@click.command(name="tune")
@click.option(
    "--loss", type=LossChoice(), required=True, help="Name of a loss of params.yaml (training.losses)."
)
@click.option(
    "--search",
    "search_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=Path("reproduce/tuning.yaml"),
    show_default=True,
    help="What is tried: candidates, rounds, and the settings to choose from.",
)
@click.option(
    "--processes", type=click.IntRange(min=1), default=2, show_default=True, help="At the same time."
)
@split_option
@click.option("--output", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="Folder.")
def command(loss: str, search_file: Path, processes: int, split_file: Path, output: Path) -> None:
    """Search for the settings that train one loss best on the active data: tuning/LOSS.csv.

    Candidates are the profile as it is and random choices from the search file. All are trained for a few
    epochs, the better ones anew for longer, and so on (successive halving). What counts is the geometric mean
    of the root-mean-square errors of energies, Hessians and displaced forces of the validation structures
    (hessbench/tuning/search.py, score_of); the test structures are not looked at. Interrupted, it goes on
    with the trials that are missing.
    """
    config = validate(TuningConfig, read_yaml(search_file), source=search_file)
    path = active_file("rtp")
    with ReactionFile(path) as file:
        identifier = file.identifier
    task = Task(
        read_yaml(PARAMS), loss, config, search_file, read_split(split_file, identifier), output / loss
    )
    trials = sum(rung.candidates * rung.seeds for rung in config.rungs)
    lock = output / f"{loss}.lock"
    with alone(lock), tqdm(total=trials, desc=f"tune {loss}", unit="trial") as bar:

        def show(trial: Trial, found: Mapping[str, Any]) -> None:
            bar.set_postfix(round=trial.rung + 1, candidate=trial.candidate.number, refresh=False)
            bar.update()

        frame = search(task, load_structures(path), processes, show)
    table = output / f"{loss}.csv"
    write_text(table, to_csv(frame))
    click.echo(table)
    for column, value in frame.iloc[0].dropna().items():
        click.echo(f"  {column}: {value}")
