"""`hessbench benchmark`: timings, side by side."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import click
import pandas as pd

from hessbench.benchmarks.memory import peak_memory
from hessbench.benchmarks.timing import LOOP, Case, available, time_steps
from hessbench.errors import HessbenchError
from hessbench.system.files import write_text
from hessbench.system.machine import hardware_line


@click.group()
def command() -> None:
    """Time parts of the package, side by side in one run."""


@command.command()
@click.option("--atoms", default="13", show_default=True, help="Atoms of a molecule; several by commas.")
@click.option("--batch", default="16", show_default=True, help="Molecules of a step; several by commas.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads of torch.")
@click.option("--dtype", default="float32", show_default=True, type=click.Choice(["float32", "float64"]))
@click.option("--device", default="cpu", show_default=True, help="Device of torch, for example cuda.")
@click.option(
    "--shape",
    default="gelu",
    show_default=True,
    type=click.Choice(["gelu", "ani1x", "authors"]),
    help="Networks.",
)
@click.option("--rounds", default=9, show_default=True, type=click.IntRange(3), help="Steps of each way.")
@click.option("--way", "ways", multiple=True, help="Time this way only; may be repeated. Default: all.")
@click.option(
    "--memory/--no-memory", default=True, help="Also measure peak memory, in processes of their own."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for the results: derivatives.csv, .json and growth.png.",
)
def derivatives(
    atoms: str,
    batch: str,
    threads: int,
    dtype: str,
    device: str,
    shape: str,
    rounds: int,
    ways: tuple[str, ...],
    memory: bool,
    as_json: bool,
    output: Path | None,
) -> None:
    """Time a training step (forward, loss of eq. 6, backward) by each way of getting derivatives.

    Times are in ms per molecule, medians with quartiles; "to E-F" is the ratio to torchani's own E-F step,
    "loop /" how many times faster than the autograd loop of the paper.
    """
    first = Case(threads=threads, dtype=dtype, device=device, shape=shape)
    tables = []
    for size in _numbers("--atoms", atoms):
        for molecules in _numbers("--batch", batch):
            case = replace(first, atoms=size, batch=molecules)
            table = time_steps(case, list(ways) or available(device), rounds)
            if memory:
                table["memory"] = [peak_memory(case, way) for way in table["way"]]
            for name, value in reversed(asdict(case).items()):
                table.insert(0, name, value)
            tables.append(table)
    result = pd.concat(tables, ignore_index=True)
    if output:
        from hessbench.plotting.growth import write_benchmark  # matplotlib only if asked for

        write_benchmark(result, output)
    if as_json:
        click.echo(json.dumps(json.loads(result.to_json(orient="records")), indent=1))
        return
    for (number, molecules_per_step), part in result.groupby(["atoms", "batch"], sort=False):
        click.echo(
            f"\n{number} atoms, batch {molecules_per_step}, {threads} thread(s), {dtype}, {device}, {shape}\n"
        )
        click.echo(_readable(part))


@command.command()
@click.argument("source", metavar="CALCULATOR")
@click.option("--carbons", default="1,2,4,8", show_default=True, help="Carbons of the alkanes, by commas.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Times for each number.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="For its libraries.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Folder for the table: speed-NAME.csv and .md."
)
def calculator(source: str, carbons: str, rounds: int, threads: int, output: Path | None) -> None:
    """Measure time and peak memory of a calculator's energies, forces and Hessians against size.

    CALCULATOR is a Python file, which is run as code, or package.module:name, as for `hessbench evaluate
    --calculator`. The molecules are alkanes: C4H10 has 14 atoms. What fails is a gap with its reason.
    """
    from hessbench.benchmarks.calculator import readable, time_calculator
    from hessbench.calculators.user_file import name_of
    from hessbench.results.table_files import markdown, to_csv

    table, own = time_calculator(source, _numbers("--carbons", carbons), rounds, threads)
    shown, notes = readable(table)
    footer = (
        f"Alkanes. Seconds by the clock for one molecule, median of {rounds}; {threads} thread(s), "
        f"{hardware_line()}. "
        f"Hessians: {'those of the calculator' if own else 'differences of its forces'}. Memory: what the "
        "process (not a GPU) holds at most, beyond what it held after methane."
    )
    text = markdown(f"Speed of {name_of(source)}", shown, "\n\n".join([footer, *notes]))
    if output:
        for suffix, content in (("csv", to_csv(table)), ("md", text)):
            write_text(output / f"speed-{name_of(source)}.{suffix}", content)
    click.echo(text)


def _readable(table: pd.DataFrame) -> str:
    """Lay out for people."""
    columns = {
        "way": table["way"],
        "ms/molecule": table["median"].map("{:.3g}".format),
        "quartiles": [
            f"{low:.3g} - {high:.3g}" for low, high in zip(table["low"], table["high"], strict=True)
        ],
        "to E-F": table["to_ef"].map("{:.2f}".format),
        "molecules/s": (1e3 / table["median"]).map("{:.0f}".format),
        "loop /": table["speedup"].map("{:.1f}".format),
    }
    if "memory" in table:
        columns["memory, MiB"] = table["memory"].map("{:.0f}".format)
    if LOOP not in set(table["way"]):
        del columns["loop /"]
    return pd.DataFrame(columns).to_markdown(index=False, disable_numparse=True)


def _numbers(option: str, text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise HessbenchError(
            f"{option} {text}: expected positive whole numbers separated by commas, such as 6,13,23."
        )
    return numbers
