"""Errors against processor time: models as `hessbench train` makes them, kept, and what may not be asked."""

import json
from pathlib import Path

import numpy as np
import pytest

from hessbench.data.layout import write_reactions
from hessbench.errors import ConfigurationError
from hessbench.experiments.cost.run.settings import CostConfig
from hessbench.experiments.cost.run.tables import COST, STAGE
from hessbench.experiments.cost.run.trainings import of_length, trainings
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.study import Study
from hessbench.results.store.tables import read_table
from tests.command import hessbench
from tests.training.synthetic import METADATA, MODEL, reactions, training_config

ONE = {"estimators": [{"kind": "rademacher", "count": 1}, {"kind": "rows", "count": 2}], "lengths": [0.5, 1]}


def test_models_are_those_of_the_ensembles_and_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/active").mkdir(parents=True)
    for seed, (name, count) in enumerate({"rtp": 8, "irc": 1, "nms": 1}.items()):
        write_reactions(f"data/active/{name}.h5", reactions(count, 3, seed), METADATA)
    content = {
        "profile": "tiny",
        "split": {"training_percents": [80]},
        "model": MODEL.model_dump(mode="json"),
        "training": training_config(seeds=1).model_dump(mode="json"),
        "evaluation": EvaluationConfig(batch_size=4, processes=1).model_dump(mode="json"),
        "cost": ONE,
    }
    Path("params.yaml").write_text(json.dumps(content))
    hessbench("split")
    hessbench("cost")
    found = read_table(Path("results"), COST)
    assert found.groupby("loss").size().to_dict() == dict.fromkeys(
        ("E-F", "E-F-H", "E-F-HVP, 1 probe", "E-F-HVP, 2 rows"), 2 * 3
    )
    assert set(found["epochs"]) == {2, 4}
    assert (found["cpu_seconds"] > 0).all()
    for loss, label in (("efh", "E-F-H"), ("efhvp", "E-F-HVP, 1 probe")):
        hessbench("train", "--loss", loss, "--percent", "80")
        hessbench("evaluate", "--loss", loss, "--percent", "80")
        errors = summarize(read_table(Path("results"), ERRORS, part=f"{loss}-80"))
        wanted = errors[errors["set"] == "rtp"].set_index("quantity")["rmse"]
        rows = found[(found["loss"] == label) & (found["length"] == 1)].set_index("quantity")["rmse"]
        np.testing.assert_allclose(rows, wanted[rows.index], rtol=2e-5)
    hessbench("cost")
    assert read_table(Path("results"), COST).equals(found), "times too: nothing was trained again"


def test_a_shorter_training_takes_fewer_steps() -> None:
    config = training_config(epochs=10, minimum_steps=100)
    half = of_length(config, 0.5)
    assert (half.epochs, half.minimum_steps) == (5, 50)
    assert of_length(config, 0.01).epochs == 1


def test_what_is_compared_with_must_be_there_and_exact() -> None:
    config = training_config()
    labels = {item.variant.label for item in trainings(Study(STAGE, CostConfig(), MODEL, config))}
    assert "E-F-HVP, 4 probes" in labels
    only = config.model_copy(update={"losses": {"ef": config.losses["ef"]}})
    estimated = config.model_copy(update={"losses": config.losses | {"efh": config.losses["efhvp"]}})
    for wrong in (only, estimated):
        with pytest.raises(ConfigurationError, match="efh with an exact error of the Hessian"):
            trainings(Study(STAGE, CostConfig(), MODEL, wrong))
