"""`hessbench split`: share out the active data set."""

from pathlib import Path

import click

from hessbench.config.base import load_section
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import active_file
from hessbench.data.settings import SplitConfig
from hessbench.data.split import families, make_split, write_split
from hessbench.data.structures import load_structures


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("results/split.json"),
    show_default=True,
    help="File to write.",
)
def command(output: Path) -> None:
    """Split the active stationary points into training, validation and test, with nested training sizes."""
    config = load_section(SplitConfig, "split")
    path = active_file("rtp")
    with ReactionFile(path) as file:
        identifier = file.identifier
    structures = load_structures(path)
    split = make_split(families(structures.reaction_names)[structures.reactions], identifier, config)
    write_split(split, output)
    sizes = ", ".join(f"{percent} %: {size}" for percent, size in split.sizes.items())
    click.echo(
        f"{output}: {split.structures} structures by {config.by}; training {sizes}; "
        f"validation {len(split.validation)}; test {len(split.test)}"
    )
