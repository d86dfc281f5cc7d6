"""`hessbench profile`: show, validate and activate profiles."""

from pathlib import Path

import click

from hessbench.profiles.schema import PARAMS, activate, available, load_profile
from hessbench.system.files import write_text


@click.group(name="profile")
def command() -> None:
    """Profiles are the settings of a whole run: data, model, training, evaluation."""


@command.command(name="list")
def list_() -> None:
    """List the profiles, the active one marked."""
    active = load_profile(PARAMS).profile if PARAMS.exists() else None
    for name in available():
        click.echo(f"{'*' if name == active else ' '} {name}")


@command.command()
@click.argument("file", type=click.Path(path_type=Path), default=PARAMS)
@click.option(
    "--record", type=click.Path(path_type=Path), help="File to write if it is valid, always the same."
)
def validate(file: Path, record: Path | None) -> None:
    """Check FILE (default params.yaml) against the schema."""
    click.echo(f"{file}: valid, profile {load_profile(file).profile}")
    if record is not None:
        write_text(record, "valid\n")


@command.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Overwrite a params.yaml that was edited by hand.")
def use(name: str, force: bool) -> None:
    """Make NAME the active profile: write it to params.yaml."""
    click.echo(activate(name, force=force))
