"""`hessbench check`: the gate."""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from hessbench.config.options import results_option
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.tables import read_tables
from hessbench.results.reader import Results
from hessbench.results.store.tables import folders_of
from hessbench.verification.amounts import MORE, data_of_errors, of_errors, percents
from hessbench.verification.comparison import WITHIN, WORSE, compare
from hessbench.verification.making import stale_tables
from hessbench.verification.other_run import OtherRun, find_run
from hessbench.verification.paired import compare_runs
from hessbench.verification.pinned import OtherDataError, pinned_path, read_pinned
from hessbench.verification.report import Format, gate_report, paired_report
from hessbench.verification.verdicts import verdicts, write_verdicts


@click.command(name="check")
@click.option(
    "--against",
    help="Compare with another run instead, structure by structure and seed by seed: a folder of results, a "
    "clone, or a git revision whose results are in DVC's cache.",
)
@click.option(
    "--also",
    type=click.Choice(list(MORE)),
    multiple=True,
    help="With --against: what to compare besides test errors; may be repeated.",
)
@click.option("--profile", help="Profile that the results must be of; default: the one they are of.")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@results_option
@click.option("--tables", type=click.Path(path_type=Path), default=Path("tables"), show_default=True)
def command(
    against: str | None,
    also: tuple[str, ...],
    profile: str | None,
    form: Format,
    results: Path,
    tables: Path,
) -> None:
    """Compare the tables with reproduce/pinned/<profile>.csv, and with the paper's numbers and claims.

    A user's model (`hessbench evaluate --calculator`) is compared too, once tables/ensembles.csv has it.
    Writes tables/verdicts.{csv,md}. Exit status 1 when a value is out of tolerance, missing or extra, when a
    table is not what the results give, or when the pinned values are of other data; the paper's numbers and a
    claim that is not reproduced do not fail the gate. Exit status 2 when a file is missing or broken.

    With --against nothing pinned is looked at: exit status 1 when a value became significantly worse than in
    the other run, which shows at one or two percent; verdicts that flip are named.
    """
    if also and against is None:
        raise click.UsageError("--also belongs to --against.")
    found = Results(results)
    run = found.run
    if profile is not None and profile != run.profile:
        raise HessbenchError(
            f"{results} holds results of profile {run.profile}, not {profile}; "
            f"`make repro PROFILE={profile}` makes them."
        )
    if against is not None:
        _compare_with(against, also, found, form)
        return
    values = read_tables(tables)
    claims = verdicts(found)
    write_verdicts(claims, found, tables)
    problems = stale_tables(found, tables)
    try:
        comparison = compare(values, read_pinned(run))
    except OtherDataError as error:
        problems.append(str(error))
    else:
        click.echo(gate_report(comparison, values, claims, found.footer, form), nl=False)
        if (comparison["status"] != WITHIN).any():
            problems.append(f"values differ from {pinned_path(run.profile)}")
    for problem in problems:
        click.echo(f"hessbench: {problem}", err=True)
    if problems:
        sys.exit(1)


def _compare_with(against: str, also: Sequence[str], found: Results, form: Format) -> None:
    """Compare with another run; ends the program with status 1 when something became worse."""
    with TemporaryDirectory() as scratch:
        other = find_run(against, Path(scratch))
        _require_comparable(other, found)
        common = percents(found.folder) & percents(other.results)
        if not common:
            raise HessbenchError(f"{against} has no errors of models trained on as much data as those here.")
        percent = max(common)
        before, now = ([of_errors(folder, percent)] for folder in (other.results, found.folder))
        for name in also:
            before += MORE[name](other.results, other.models, percent)
            now += MORE[name](found.folder, found.models, percent)
        table, notes = compare_runs(before, now)
        report = paired_report(table, _flipped(other, found), notes, (against, str(found.folder)), form)
    click.echo(report, nl=False)
    worse = int((table["status"] == WORSE).sum())
    if worse:
        click.echo(f"hessbench: {worse} values became worse than in {against}", err=True)
        sys.exit(1)


def _require_comparable(other: OtherRun, found: Results) -> None:
    """Make sure that results here are of this run, and that both were tested on the same data."""
    for part, folder in folders_of(found.folder, ERRORS).items():
        path = ERRORS.path(folder, part)
        if difference := found.difference(path):
            ours = folder == found.folder
            remedy = "`dvc repro` makes it anew" if ours else "evaluate it again, or remove the file"
            raise HessbenchError(f"{path} {difference}; {remedy}.")
    for name, data in data_of_errors(other.results).items():
        mine = found.run.data.get(name, data)
        if mine != data:
            raise HessbenchError(
                f"{other.name} was tested on other data ({name}: {data}, here {mine}); only runs on the same "
                "data can be compared structure by structure."
            )


def _flipped(other: OtherRun, found: Results) -> list[str]:
    """Claims whose verdict is another than in the other run, a line each."""
    if not other.verdicts:
        return [f"not compared: {other.name} has no tables/verdicts.csv"]
    mine = verdicts(found).set_index("claim")["verdict"].to_dict()
    lines = [
        f"{claim}: {word} before, {mine[claim]} now"
        for claim, word in other.verdicts.items()
        if claim in mine and mine[claim] != word
    ]
    return lines or [f"none of {len(mine)} flipped"]
