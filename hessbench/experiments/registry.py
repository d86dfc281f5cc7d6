"""The experiments: every package in this folder that has an `EXPERIMENT`.

The command line, the sections of a profile and the claims follow from what is found here, and a test sees
that dvc.yaml has a stage for each, or one for several. An experiment is a folder with the same few modules:

run/command.py
    The command line that computes the results, a click command called `command`.
run/settings.py
    Its section of a profile, if it has settings.
run/tables.py
    Its results tables with their columns, and `STAGE`: what they are made from.
run/
    All else that the results depend on; the stage of dvc.yaml depends on this folder.
claims.py
    `STATISTICS`: claim of published.yaml to the function that gives its findings, if the paper makes claims.
plot.py
    Panels that the figures of reproduce/ put together.
"""

import importlib
import importlib.util
import pkgutil
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from hessbench import experiments
from hessbench.config.inputs import Stage


@dataclass(frozen=True)
class Experiment:
    """What the rest of the program needs to know of an experiment before it imports any of it.

    Attributes
    ----------
    command
        Its name on the command line.
    help
        One line of `hessbench --help`.
    section
        Its section of a profile; None without settings.
    settings
        Name of the class in run/settings.py that validates the section; None without settings.
    """

    command: str
    help: str
    section: str | None = None
    settings: str | None = None


@cache
def all_experiments() -> dict[str, Experiment]:
    """Find the experiments: name of the folder to what it declares, in alphabetical order."""
    found = {}
    for item in pkgutil.iter_modules(experiments.__path__):
        if item.ispkg:
            module = importlib.import_module(f"{experiments.__name__}.{item.name}")
            found[item.name] = module.EXPERIMENT
    return found


def command_module(name: str) -> str:
    """Dotted name of the module that computes an experiment's results."""
    return f"{experiments.__name__}.{name}.run.command"


def settings_of(name: str) -> Any | None:
    """Class that validates an experiment's section of a profile; None without settings."""
    experiment = all_experiments()[name]
    if experiment.settings is None:
        return None
    return getattr(_import(name, "run.settings"), experiment.settings)


def stage_of(name: str) -> Stage:
    """The stage that computes an experiment's results, with what these are made from."""
    stage: Stage = _import(name, "run.tables").STAGE
    return stage


def claims_of(name: str) -> dict[str, Any]:
    """Claims of the paper that an experiment speaks to, each with its statistic; there may be none."""
    place = f"{experiments.__name__}.{name}.claims"
    if importlib.util.find_spec(place) is None:
        return {}
    statistics: dict[str, Any] = importlib.import_module(place).STATISTICS
    return statistics


def _import(name: str, part: str) -> ModuleType:
    return importlib.import_module(f"{experiments.__name__}.{name}.{part}")
