"""The command line, called within the process of a test."""

from click.testing import CliRunner

from hessbench.cli import cli


def hessbench(*arguments: str) -> str:
    """Run a command, which must succeed; gives what it writes to its standard output."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout
