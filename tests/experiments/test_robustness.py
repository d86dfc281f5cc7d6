"""Other recipes: the models that `hessbench train` makes by them, their errors, verdicts by the one rule."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hessbench.config.loss_labels import PAPER_LOSSES
from hessbench.data.layout import write_reactions
from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.claims import OF_TABLES
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.study import Study
from hessbench.experiments.errors.variants.weights import Weights, reweighted
from hessbench.experiments.robustness.run.settings import RobustnessConfig
from hessbench.experiments.robustness.run.tables import ROBUSTNESS, STAGE
from hessbench.experiments.robustness.run.trainings import trainings
from hessbench.profiles.schema import load_profile
from hessbench.results.reader import Results
from hessbench.results.store.tables import read_table, write_table
from hessbench.verification.making import make_tables
from hessbench.verification.robustness import (
    recipes,
    under_all,
    verdicts_by_recipe,
    write_robustness_table,
)
from hessbench.verification.verdicts import verdicts
from tests.command import hessbench
from tests.made_up import provenance
from tests.synthetic_errors import PAPER, write_run
from tests.training.synthetic import METADATA, MODEL, reactions, training_config

ROOT = Path(__file__).parents[2]
ADAM = {"kind": "adam", "learning_rate": 0.01}
WEIGHTS = {"force": 0.5, "hessian": 0.3}
OTHER_MODEL = MODEL.model_dump(mode="json") | {"hidden": [5, 4], "features": "raw"}
RECIPES = (
    {"name": "another network", "model": OTHER_MODEL},
    {"name": "Adam's, 1", "optimizer": ADAM, "weights": WEIGHTS},
)


def config(*chosen: dict, seeds: int = 1) -> RobustnessConfig:
    return RobustnessConfig.model_validate({"recipes": chosen, "seeds": seeds})


def profile(chosen: tuple[dict, ...], **changes: object) -> dict[str, object]:
    return {
        "profile": "tiny",
        "data": {"source": "embedded"},
        "split": {"training_percents": [80]},
        "model": MODEL.model_dump(mode="json"),
        "training": training_config(seeds=1, epochs=2).model_dump(mode="json"),
        "evaluation": {"batch_size": 5, "processes": 1},
        "robustness": {"recipes": chosen, "seeds": 1},
        "single_ts": {"model": MODEL.model_dump(mode="json")},
    } | changes


Start = Callable[..., None]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Go to a new folder with data, their split, and a profile."""
    shared = tmp_path / "active"
    shared.mkdir()
    for seed, (name, count) in enumerate({"rtp": 20, "irc": 2, "nms": 2}.items()):
        write_reactions(shared / f"{name}.h5", reactions(count, 2, seed), METADATA)

    def make(name: str, chosen: tuple[dict, ...], **changes: object) -> None:
        shutil.copytree(shared, tmp_path / name / "data/active")
        monkeypatch.chdir(tmp_path / name)
        Path("params.yaml").write_text(json.dumps(profile(chosen, **changes)))
        hessbench("split")

    return make


@pytest.mark.slow
def test_errors_are_those_of_a_profile_with_the_recipe(start: Start, tmp_path: Path) -> None:
    start("others", RECIPES)
    hessbench("robustness")
    index = read_table(Path("results"), ROBUSTNESS)
    assert index["folder"].tolist() == ["another-network", "adams-1"]
    files = sorted(Path("results/checkpoints/robustness").rglob("*.pt"))
    assert len(files) == 6
    times = [path.stat().st_mtime_ns for path in files]
    hessbench("robustness")
    assert [path.stat().st_mtime_ns for path in files] == times, "what is finished is not trained again"
    own = training_config(seeds=1, epochs=2)
    losses = {name: reweighted(own.losses[name], Weights(**WEIGHTS)) for name in PAPER_LOSSES}
    same = {
        "another-network": {"model": OTHER_MODEL},
        "adams-1": {
            "training": own.model_dump(mode="json")
            | {"optimizer": ADAM, "losses": {name: loss.model_dump() for name, loss in losses.items()}}
        },
    }
    for folder, changes in same.items():
        start(folder, (), **changes)
        for loss in PAPER_LOSSES:
            hessbench("train", "--loss", loss, "--percent", "80")
            hessbench("evaluate", "--loss", loss, "--percent", "80")
            wanted = read_table(Path("results"), ERRORS, part=f"{loss}-80")
            found = read_table(tmp_path / "others/results/robustness" / folder, ERRORS, part=f"{loss}-80")
            assert wanted.drop(columns=["squared", "absolute"]).equals(
                found.drop(columns=["squared", "absolute"])
            )
            np.testing.assert_allclose(found["squared"], wanted["squared"], rtol=1e-3, atol=1e-3)


def test_without_recipes_nothing_is_trained_and_there_is_no_table(start: Start) -> None:
    start("none", ())
    assert "is empty" in hessbench("robustness")
    hessbench("provenance")
    assert read_table(Path("results"), ROBUSTNESS).empty
    assert not Path("models").exists()
    assert list(make_tables(Results(), Path("tables"), ["robustness"])) == []
    assert not Path("tables").exists()


def test_a_recipe_changes_what_it_names_and_nothing_else() -> None:
    training = training_config(first_seed=3)
    found = trainings(Study(STAGE, config(*RECIPES, seeds=2), MODEL, training))
    assert len(found) == 2 * 3 * 2 == len({item.checkpoint for item in found})
    assert {item.variant.seed for item in found} == {3, 4}
    assert [item.loss for item in found] == ["efh"] * 4 + ["ef"] * 4 + ["e"] * 4
    for item in found:
        variant, own = item.variant, training.losses[item.loss]
        if item.recipe.model is not None:
            assert (variant.model.hidden, variant.model.features) == ((5, 4), "raw")
            assert (variant.loss, variant.config) == (own, training)
        else:
            assert variant.model == MODEL
            assert variant.config.optimizer.kind == "adam"
            weights = {term.quantity: term.weight for term in variant.loss.terms}
            assert weights == {k: v for k, v in ({"energy": 1} | WEIGHTS).items() if k in weights}


def test_the_recipe_of_the_profile_is_refused() -> None:
    recipe = {"name": "the same", "model": MODEL.model_dump(mode="json")}
    with pytest.raises(ConfigurationError, match="'the same' is the recipe of the profile"):
        trainings(Study(STAGE, config(recipe), MODEL, training_config()))


def test_all_losses_of_the_paper_are_needed() -> None:
    training = training_config()
    without = training.model_copy(update={"losses": {"e": training.losses["e"], "ef": training.losses["ef"]}})
    with pytest.raises(ConfigurationError, match="efh is missing"):
        trainings(Study(STAGE, config(), MODEL, without))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (({"name": "a"},), "a recipe changes weights, model or optimizer"),
        (({"name": "a b", "optimizer": ADAM}, {"name": "A-b", "weights": WEIGHTS}), "'a b' stands twice"),
        (({"name": "a", "model": {"kind": "ani", "widths": 3}},), "widths"),
        (({"name": "../a", "optimizer": ADAM},), "name"),
    ],
)
def test_settings_that_mean_nothing_are_refused(chosen: tuple[dict, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(*chosen)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Results of a run with another recipe, and those of a run with that recipe's errors as its own."""
    scaled = {key: value * (1.4 if key[1] == "efh" else 1.0) for key, value in PAPER.items()}
    alone = write_run(tmp_path / "alone", scaled, reactions=20)
    run = write_run(tmp_path / "run", PAPER, reactions=20)
    index = pd.DataFrame([("worse", "worse", 3)], columns=list(ROBUSTNESS.columns))
    write_table(run, ROBUSTNESS, index, provenance(notes={"percent": 80}))
    shutil.copytree(alone / "errors", run / "robustness/worse/errors")
    return run, alone


def test_verdicts_are_those_of_a_run_with_the_same_errors(two: tuple[Path, Path]) -> None:
    run, alone = two
    found = verdicts_by_recipe(Results(run))
    assert list(recipes(Results(run))) == ["profile ci", "worse"]
    claims = [statistic.__name__ for statistic in OF_TABLES]
    for name, folder in (("profile ci", run), ("worse", alone)):
        rows = found[found["recipe"] == name].drop(columns="recipe").reset_index(drop=True)
        wanted = verdicts(Results(folder)).set_index("claim", drop=False).loc[claims].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, wanted, check_dtype=False)
    assert set(found.loc[found["claim"] == "nms_energy_gain_vs_ef", "verdict"]) > {"reproduced"}


def test_the_table_has_errors_and_verdicts_of_every_recipe(two: tuple[Path, Path], tmp_path: Path) -> None:
    paths = write_robustness_table(results=Results(two[0]), tables=tmp_path / "tables")
    assert [path.name for path in paths] == [f"table-robustness.{kind}" for kind in ("csv", "md", "tex")]
    frame = pd.read_csv(paths[0])
    errors, claims = frame[frame["claim"].isna()], frame[frame["claim"].notna()]
    assert len(errors) == 2 * 27
    assert len(claims) == 2 * len(OF_TABLES)
    rmse = errors.pivot_table(index=["set", "loss", "quantity"], columns="recipe", values="rmse")
    ratio = (rmse["worse"] / rmse["profile ci"]).groupby("loss").agg(["min", "max"])
    np.testing.assert_allclose(ratio.loc["E-F-H"], 1.4, rtol=1e-5)
    np.testing.assert_allclose(ratio.loc[["E", "E-F"]], 1.0, rtol=1e-5)
    lines = paths[1].read_text().splitlines()
    row = next(line for line in lines if line.startswith("| IRC energy (kcal/mol)"))
    means = rmse.loc["irc"].xs("energy", level="quantity")["worse"]
    assert " / ".join(f"{means[loss]:.3g}" for loss in ("E", "E-F", "E-F-H")) in row
    row = next(line for line in lines if "IRC force RMSE of E-F-H" in line)
    assert "reproduced: 1" in row
    assert "not reproduced: -" in row
    assert "1 of 2, 1 opposite" in row


def test_under_all() -> None:
    assert under_all(pd.Series(["reproduced", "reproduced"])) == "all"
    assert under_all(pd.Series(["reproduced", "undecided", "opposite"])) == "1 of 3, 1 opposite"
    assert under_all(pd.Series(["undecided", "undecided"])) == "0 of 2"


@pytest.mark.parametrize("name", ["smoke", "ci", "desktop", "full", "paper"])
def test_recipes_of_every_profile_can_be_trained(name: str) -> None:
    content = load_profile(ROOT / f"reproduce/profiles/{name}.yaml")
    found = trainings(Study(STAGE, content.robustness, content.model, content.training))
    assert len(found) == len(content.robustness.recipes) * 3 * content.robustness.seeds
    assert bool(found) == (name == "smoke")
