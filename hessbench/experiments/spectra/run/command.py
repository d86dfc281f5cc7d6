"""`hessbench spectra`: frequencies along a reaction path."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before a numerical library is loaded: CPU times of one thread

import time
from pathlib import Path

import click
import pandas as pd
import torch

from hessbench.calculators.brought import bring, calculators_option
from hessbench.calculators.card import level_mark
from hessbench.comparison.potentials import brought_potential, level_potential, trained_potentials
from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.experiments.neb.run.tables import PATHS
from hessbench.experiments.spectra.run.frequencies import frequency_rows, summarize
from hessbench.experiments.spectra.run.potentials import keeping_hessians, measure_all
from hessbench.experiments.spectra.run.reference_path import read_reference_path
from hessbench.experiments.spectra.run.settings import SpectraConfig
from hessbench.experiments.spectra.run.tables import COST, SPECTRA, STAGE, SUMMARY
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import read_provenance, write_table
from hessbench.system.alone import alone_in_results
from hessbench.system.denormals import flushed_denormals

KIND = "single hydrogen transfer"


@click.command()
@results_option
@calculators_option
@flushed_denormals()
@alone_in_results("spectra")
def command(results: Path, calculators: tuple[str, ...]) -> None:
    """Compare frequencies of models with the reference's along the reference path of `hessbench neb`.

    Writes results/spectra.parquet, spectra_summary.parquet and spectra_cost.parquet. Interrupted, it goes on:
    what was computed of a potential is not computed again.
    """
    begin = time.perf_counter()
    torch.set_num_threads(1)
    config = load_section(SpectraConfig, "spectra")
    source = read_provenance(PATHS.path(results))
    path = read_reference_path(results, KIND)
    members, trained = trained_potentials(config.losses, config.percent, config.seeds)
    potentials = [level_potential(source.level), *members]
    brought = [bring(source) for source in calculators]  # what cannot be used is better known before
    potentials += [brought_potential(item) for item in brought]
    inputs = STAGE.inputs({}, {"spectra": config}).joined(source.inputs, *trained)
    keeping = keeping_hessians(results / "checkpoints" / "spectra", path)
    rows, summaries, costs = [], [], []
    reference: list = []
    for (loss, seed, *_), measured in zip(potentials, measure_all(potentials, path, keeping), strict=True):
        if isinstance(measured, str):
            failed = {"reaction": path.reaction, "loss": loss, "seed": seed, "reason": measured}
            summaries.append(dict.fromkeys(SUMMARY.columns) | failed)
            continue
        reference = reference or measured.hessians
        rows.append(frequency_rows(path, loss, seed, measured.hessians, reference))
        summaries.append(summarize(path, loss, seed, measured.hessians, reference) | {"reason": ""})
        costs.append({"source": loss, "seed": seed, "images": len(path.coordinates), "cpu_s": measured.cpu_s})
    provenance = made_here(
        inputs,
        level=source.level,
        models=config.seeds,
        seconds=time.perf_counter() - begin,
        notes={
            "geometries": f"reference path of {path.reaction}",
            "projected_out": "translations, rotations",
        },
    )
    summary, cost = pd.DataFrame(summaries), pd.DataFrame(costs)
    write_table(results, SPECTRA, pd.concat(rows), provenance)
    write_table(results, SUMMARY, summary, provenance)
    write_table(results, COST, cost, provenance)
    keeping.remove()
    click.echo(for_people(summary, cost))
    for item in brought:
        if mark := level_mark(item.level, source.level):
            click.echo(f"{item.name}: {mark}")


def for_people(summary: pd.DataFrame, cost: pd.DataFrame) -> str:
    """Rows of the tables spectra_summary and spectra_cost as text, with what they are and their units."""
    return "\n".join(
        [
            "frequencies: columns ..._cm1 in cm-1; ...softest_at: where the reaction mode is softest, in "
            "Angstrom along the path",
            summary.drop(columns="reaction").to_string(index=False, float_format="%.1f"),
            "CPU time of all Hessians of the path in s",
            cost.rename(columns={"cpu_s": "CPU time, s"}).to_string(index=False, float_format="%.3f"),
        ]
    )
