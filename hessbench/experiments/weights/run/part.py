"""What `hessbench weights` has done, and the table that it makes of it."""

from pathlib import Path

import click
import pandas as pd

from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.queue import Part
from hessbench.experiments.errors.variants.study import Study, StudyData, begin
from hessbench.experiments.errors.variants.trained import train_and_test
from hessbench.experiments.weights.run.settings import WeightsConfig
from hessbench.experiments.weights.run.tables import OWN, STAGE, WEIGHTS
from hessbench.experiments.weights.run.variants import LOSSES, Reweighted, rows_of, variants
from hessbench.results.store.tables import read_provenance, read_table, write_table


def plan() -> tuple[Study[WeightsConfig], list[Reweighted]]:
    """Settings of params.yaml, and all models to train.

    Raises
    ------
    ConfigurationError
        A section is wrong, or does not go with another.
    """
    study = begin(STAGE, WeightsConfig)
    return study, variants(study)


def part_of(
    study: Study[WeightsConfig], todo: list[Reweighted], data: StudyData, results: Path
) -> Part[Reweighted]:
    """Part of the queue: `todo`, and results/weights.parquet with the errors of the profile's own weights.

    Raises
    ------
    HessbenchError
        The errors that `hessbench evaluate` found are missing, or of another run.
    """
    own, made_from = [], []
    for name in LOSSES:
        part = f"{name}-{data.percent}"
        own.append(rows_of(read_table(results, ERRORS, part=part), OWN, study.training.losses[name]))
        made_from.append(read_provenance(ERRORS.path(results, part)).inputs)
    inputs = study.inputs(data).joined(*made_from)

    def write(tested: list[pd.DataFrame], seconds: float) -> None:
        new = [
            rows_of(errors.assign(percent=data.percent), item.weights, item.variant.loss)
            for item, errors in zip(todo, tested, strict=True)
        ]
        table = pd.concat([*own, *new], ignore_index=True)
        table = table.sort_values(["loss", "force_weight", "seed"], kind="stable", ignore_index=True)
        write_table(results, WEIGHTS, table, study.provenance(data, inputs, seconds))
        columns = ["set", "quantity", "loss"]
        shown = table.pivot_table(index=columns, columns="weights", values="rmse", sort=False)
        click.echo(
            "mean RMSE by weights of force / Hessian; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2"
        )
        click.echo(shown.to_string(float_format=lambda value: f"{value:.4g}"))

    return Part(todo, train_and_test, data.share(), write)
