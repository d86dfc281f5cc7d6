"""A loss that only params.yaml knows, through training, evaluation, tables and figures."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hessbench.cli import cli
from hessbench.data.layout import write_reactions
from hessbench.experiments.errors.ensembles import ensembles
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.tables import ensembles_table
from hessbench.plotting import history
from hessbench.results.reader import Results
from hessbench.results.run import Run, write_run
from hessbench.results.store.provenance import Provenance
from hessbench.results.store.tables import read_provenance, read_table
from tests.command import hessbench
from tests.training.synthetic import METADATA, MODEL, loss_of, reactions, training_config

OWN = loss_of(0.5, 0, 0.3, estimator="rows", count=2).model_copy(update={"label": "E-H (rows)"})


def use(loss: object) -> None:
    training = training_config(losses={"e": loss_of(), "own-1": loss}, seeds=1, epochs=1)
    params = {
        "profile": "tiny",
        "split": {"training_percents": [40]},
        "model": MODEL.model_dump(mode="json"),
        "training": training.model_dump(mode="json"),
        "evaluation": EvaluationConfig(batch_size=4, processes=1).model_dump(mode="json"),
    }
    Path("params.yaml").write_text(json.dumps(params))


def evaluated() -> Provenance:
    """Train and evaluate the loss; what its errors are made from."""
    hessbench("train", "--loss", "own-1", "--percent", "40")
    hessbench("evaluate", "--loss", "own-1", "--percent", "40")
    return read_provenance(Path("results/errors/own-1-40.parquet"))


def test_an_own_loss_from_params_yaml_to_tables_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/active").mkdir(parents=True)
    for seed, name in enumerate(("rtp", "irc", "nms")):
        write_reactions(f"data/active/{name}.h5", reactions(20 if name == "rtp" else 2, 2, seed), METADATA)
    use(OWN)
    hessbench("split")
    made = evaluated()
    run = Run(profile="tiny", **{key: dict(value) for key, value in vars(made.inputs).items()})
    write_run(Path("results"), run)
    results = Results(Path("results"))
    assert ensembles(results) == {("own-1", 40): "own-1-40"}
    table = ensembles_table(results)
    assert set(table["loss"]) == {"E-H (rows)"}
    assert set(table["quantity"]) == {"energy", "force", "hessian"}
    curves = history.read(results)
    assert list(curves) == ["E-H (rows)"]
    labels = [text.get_text() for text in history.draw(curves).legends[0].get_texts()]
    assert labels == ["E-H (rows), 40 % of the data, 1 models"]

    model = Path("models/40/own-1/seed-0.safetensors").read_bytes()
    use(OWN.model_copy(update={"label": "mine"}))
    evaluated()
    assert Path("models/40/own-1/seed-0.safetensors").read_bytes() == model  # another label trains nothing
    taken = CliRunner().invoke(
        cli, ["evaluate", "--calculator", "calculator.py", "--name", "mine", "--percent", "40"]
    )
    assert "cannot be the name" in str(taken.exception)
    assert set(read_table(Path("results"), ERRORS, part="own-1-40")["loss"]) == {"mine"}
