"""Options that several commands have."""

from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from hessbench.config.loss_labels import PAPER_LOSSES, stated_labels
from hessbench.config.paper import TRAINING_PERCENTS
from hessbench.errors import HessbenchError


class LossChoice(click.ParamType):
    """Name of a loss in training.losses of params.yaml."""

    name = "loss"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a name that params.yaml does not have."""
        losses = stated_labels()
        if value not in losses:
            self.fail(f"no loss {value!r} in params.yaml, training.losses; there are {', '.join(losses)}.")
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names that begin as what is typed."""
        try:
            losses = stated_labels()
        except HessbenchError:  # nothing to offer; the command itself will say why
            return []
        return [CompletionItem(name) for name in losses if name.startswith(incomplete)]


def ensembles_options(purpose: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options of a command that reads stored predictions of ensembles: `losses` and `percent`.

    Parameters
    ----------
    purpose
        What it does with them, for the help: "Ensembles to bin".
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        function = click.option(
            "--percent",
            type=int,
            default=TRAINING_PERCENTS[-1],
            show_default=True,
            help="Training set size of these ensembles.",
        )(function)
        return click.option(
            "--loss",
            "losses",
            type=LossChoice(),
            multiple=True,
            default=PAPER_LOSSES,
            show_default=True,
            help=f"{purpose}: names of params.yaml (training.losses).",
        )(function)

    return decorate


results_option = click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the results, with split.json.",
)
split_option = click.option(
    "--split",
    "split_file",
    type=click.Path(path_type=Path),
    default=Path("results/split.json"),
    show_default=True,
    help="What `hessbench split` wrote.",
)
