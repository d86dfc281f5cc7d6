"""The command line: `hessbench COMMAND`.

Each command lives in the module of its name beside this one; those of the experiments in
hessbench/experiments/<name>/run/command.py.
"""

import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from hessbench import __version__
from hessbench.config.base import PARAMS
from hessbench.errors import HessbenchError
from hessbench.experiments.registry import all_experiments, command_module
from hessbench.system.clone import clone_around, require_clone
from hessbench.system.stage_times import timed_stage

GROUPS = {
    "Settings and data": {
        "profile": "Show, validate or activate a profile (params.yaml).",
        "dataset": "Lay out the active data set.",
        "data": "Verify data files.",
        "fetch": "Download and verify the published data set.",
        "convert": "Bring a foreign data file into the one layout.",
        "inspect": "Say what is in a data file of any known format.",
        "generate": "Make data sets from reaction geometries.",
        "split": "Split the active data set into training, validation and test.",
        "provenance": "Record what the run is made from (results/run.json).",
    },
    "Training": {
        "compile": "Compile the kernels of the profile's model before their first use.",
        "train": "Train an ensemble with one of the losses.",
        "tune": "Search for the settings that train a loss best.",
        "benchmark": "Time derivatives, or a calculator, side by side.",
    },
    "Experiments": {
        **{experiment.command: experiment.help for experiment in all_experiments().values()},
        "variants": "Do weights, robustness and cost, all their models in one queue.",
    },
    "Leaderboard": {
        "score": "Score stored predictions anew, without the model.",
        "leaderboard": "Write the leaderboard, one page, from scores and cards.",
    },
    "Figures, tables, verdicts": {
        "figure": "Draw figures of the paper anew from stored results.",
        "table": "Regenerate one table of the paper from stored results.",
        "report": "Write the report, one page with figures, tables and verdicts.",
        "check": "Compare the tables with pinned and published values.",
        "pin": "Pin the present tables as expected values.",
        "archive": "Keep a run in one folder, and verify what was kept.",
    },
}
"""Subcommands with their one-line help. The modules are imported only when called, for a quick `--help`."""
COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}
ANYWHERE = {"benchmark", "convert", "data", "fetch", "inspect", "leaderboard"}
"""Subcommands that know no files but those named by the user; all others have theirs in one folder."""
EXPERIMENTS = {experiment.command: name for name, experiment in all_experiments().items()}


GENERATE = ("tblite", "sella", "distributed", "dask", "dask_jobqueue", "cryptography")
"""Modules of the extra `generate`; those of the others are asked for where they are used."""


def module_of(command: str) -> str:
    """Dotted name of the module that holds a subcommand."""
    if command in EXPERIMENTS:
        return command_module(EXPERIMENTS[command])
    return f"hessbench.cli.{command.replace('-', '_')}"


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(module_of(cmd_name)).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name not in ANYWHERE and not {"-h", "--help"} & set(rest):
            check_folder(name or "")
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in COMMANDS)
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hessbench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Benchmark of Hessian-trained machine learning potentials."""


def check_folder(command: str) -> None:
    """Stop a command that is called where its files cannot be.

    Below the root of a clone that is everywhere, unless the folder has a params.yaml of its own.

    Raises
    ------
    ConfigurationError
        Says where to go.
    """
    here = Path.cwd()
    astray = clone_around(here) not in (None, here) and not PARAMS.exists()
    if astray or command in GROUPS["Figures, tables, verdicts"]:
        require_clone(f"`hessbench {command}`")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's error ends in one sentence and exit status 2."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Angstrom signs stops no computation
    try:
        with timed_stage():
            cli.main(args=list(arguments), prog_name="hessbench")
    except (HessbenchError, OSError, MemoryError, ModuleNotFoundError) as error:
        sentence = _sentence(error)
        if sentence is None or "--debug" in arguments:
            raise
        click.echo(f"hessbench: {sentence}", err=True)
        if isinstance(error, OSError) and error.errno in FULL:
            sys.stdout.flush()
            os._exit(2)  # at a usual exit HDF5 writes what it could not write, and crashes
        sys.exit(2)


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a disk that is full, a quota that is used up, and a file that may not grow."""


def _sentence(error: HessbenchError | OSError | MemoryError | ModuleNotFoundError) -> str | None:
    """What a user can do about an error; None if it is none of the user's."""
    if isinstance(error, HessbenchError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "this machine has too little memory for it: set fewer `processes` or a smaller `batch_size`, "
            "then give the same command; what is finished is kept."
        )
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        if error.errno in FULL:
            problem = os.strerror(error.errno).lower()
            return f"{place}{problem}; make room, then give the same command: what is finished is kept."
        return f"{place}{error.strerror}." if place and error.strerror else None
    module = (error.name or "").partition(".")[0]
    return (
        f"this needs {module}: python -m pip install 'hessbench[generate]'." if module in GENERATE else None
    )
