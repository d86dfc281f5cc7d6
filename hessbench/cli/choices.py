"""Options that pick what of a data file is read, where it holds several things that could be meant."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from hessbench.formats.readers.source import Choice

HELP = {
    "energy_key": "Name of the energies in extended XYZ, if there are several.",
    "forces_key": "Name of the forces.",
    "hessian_key": "Name of the Hessians, or none.",
    "one_level": "Level of theory to read, of an output that holds several.",
    "drop_cell": "Take periodic structures for molecules.",
}


def choices(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options, which reach the command as `choice`."""

    @wraps(function)
    def with_choice(**options: Any) -> None:
        choice = Choice(**{key: options.pop(key) for key in HELP})
        function(choice=choice, **options)

    command: Callable[..., None] = with_choice
    for key, text in reversed(HELP.items()):
        name, is_flag = f"--{key.replace('_', '-')}", key == "drop_cell"
        command = click.option(name, key, help=text, is_flag=is_flag)(command)
    return command
