"""The clone: the folder with dvc.yaml and reproduce/ where the paper's results are regenerated.

What is installed as a package has neither; all commands work on files in the folder where they are called.
"""

from pathlib import Path

from hessbench.errors import ConfigurationError

MARKS = (Path("dvc.yaml"), Path("reproduce/published.yaml"))
"""What tells the root of a clone from any other project with a dvc.yaml."""


def clone_around(folder: Path) -> Path | None:
    """Root of the clone in which a folder lies, which may be that root; None if it lies in no clone."""
    around = (folder, *folder.parents)
    return next((root for root in around if all((root / mark).is_file() for mark in MARKS)), None)


def require_clone(what: str) -> None:
    """Make sure that one works in the root of a clone.

    Parameters
    ----------
    what
        Names what needs it, to begin the sentence with.

    Raises
    ------
    ConfigurationError
        Says where to go.
    """
    here = Path.cwd()
    root = clone_around(here)
    if root is None:
        raise ConfigurationError(
            f"{what} needs a clone of hessbench's repository (dvc.yaml, reproduce/), which the installed "
            f"package does not bring; {here} lies in none."
        )
    if root != here:
        raise ConfigurationError(f"{what} works in the root of a clone: call it in {root}.")
