"""`hessbench weights`: errors of E-F and E-F-H against the weights of force and Hessian in the loss."""

from dataclasses import replace
from pathlib import Path

import click
import pandas as pd

from hessbench.config.options import results_option
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.study import begin
from hessbench.experiments.errors.variants.trained import train_and_test
from hessbench.experiments.weights.run.settings import WeightsConfig
from hessbench.experiments.weights.run.tables import OWN, STAGE, WEIGHTS
from hessbench.experiments.weights.run.variants import LOSSES, rows_of, variants
from hessbench.results.store.tables import read_provenance, read_table, write_table
from hessbench.system.alone import alone_in_results


@click.command()
@results_option
@alone_in_results("weights")
def command(results: Path) -> None:
    """Train E-F and E-F-H with other weights on the largest share of the data, and test them.

    Writes results/weights.parquet, with the errors that `hessbench evaluate` found for the profile's own
    weights. Interrupted, it goes on from its checkpoints; what is finished is not trained again.
    """
    study = begin(STAGE, WeightsConfig)
    todo = variants(study)
    data = study.data(results)
    rows, made_from = [], []
    for name in LOSSES:
        part = f"{name}-{data.percent}"
        rows.append(rows_of(read_table(results, ERRORS, part=part), OWN, study.training.losses[name]))
        made_from.append(read_provenance(ERRORS.path(results, part)).inputs)
    data = replace(data, inputs=data.inputs.joined(*made_from))
    models = [(item.variant, item.checkpoint) for item in todo]
    tested = train_and_test(models, data.share(), study.training.processes, "weights")
    for item, errors in zip(todo, tested, strict=True):
        rows.append(rows_of(errors.assign(percent=data.percent), item.weights, item.variant.loss))
    table = pd.concat(rows, ignore_index=True)
    table = table.sort_values(["loss", "force_weight", "seed"], kind="stable", ignore_index=True)
    write_table(results, WEIGHTS, table, study.provenance(data))
    columns = ["set", "quantity", "loss"]
    shown = table.pivot_table(index=columns, columns="weights", values="rmse", sort=False)
    click.echo("mean RMSE by weights of force / Hessian; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
    click.echo(shown.to_string(float_format=lambda value: f"{value:.4g}"))
