"""Options that several commands have."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from hessbench.config.loss_labels import stated_labels
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
