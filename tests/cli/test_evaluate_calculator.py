"""`hessbench evaluate --calculator` and `neb --calculator`: errors of users."""

import pytest
from click.testing import CliRunner

from hessbench.experiments.errors.run.command import command as evaluate
from hessbench.experiments.neb.run.command import command as neb


@pytest.mark.parametrize("arguments", [[], ["--loss", "e", "--calculator", "mine.py"]])
def test_either_an_ensemble_or_a_calculator(arguments):
    result = CliRunner().invoke(evaluate, ["--percent", "80", *arguments])
    assert result.exit_code == 2
    assert "either --loss or --calculator" in result.output


def test_help_says_what_the_file_must_hold():
    for command in (evaluate, neb):
        assert "ASE calculator" in CliRunner().invoke(command, ["--help"]).output
