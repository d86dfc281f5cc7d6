"""`hessbench cost`: errors against processor time of training, by how Hessians enter the loss."""

from pathlib import Path

import click

from hessbench.config.options import results_option
from hessbench.experiments.cost.run.settings import CostConfig
from hessbench.experiments.cost.run.tables import COST, STAGE
from hessbench.experiments.cost.run.trainings import train_and_test, trainings
from hessbench.experiments.errors.variants.study import begin
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results


@click.command()
@results_option
@alone_in_results("cost")
def command(results: Path) -> None:
    """Train E-F, E-F-H and estimates of it on the largest share of the data, and measure what they cost.

    Writes results/cost.parquet: errors on held-out stationary points beside the processor time of the
    training. Interrupted, it goes on with the models that are not finished.
    """
    study = begin(STAGE, CostConfig)
    todo = trainings(study)
    data = study.data(results, ("rtp",))
    table = train_and_test(todo, data.share(), study.training.processes)
    table = table.sort_values(["loss", "length", "seed"], kind="stable", ignore_index=True)
    write_table(results, COST, table, study.provenance(data))
    shown = table.pivot_table(index=["loss", "epochs", "cpu_seconds"], columns="quantity", values="rmse")
    click.echo("RMSE on held-out stationary points; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
    click.echo(shown.to_string(float_format=lambda value: f"{value:.4g}"))
