"""Training with other weights: the models of a profile with these weights, resumed and tested alike."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hessbench.config import paper
from hessbench.data.layout import write_reactions
from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.variants.study import Study
from hessbench.experiments.errors.variants.weights import Weights, reweighted
from hessbench.experiments.weights.run.settings import WeightsConfig
from hessbench.experiments.weights.run.tables import OWN, STAGE, WEIGHTS
from hessbench.experiments.weights.run.variants import variants, weights_of
from hessbench.profiles.schema import load_profile
from hessbench.results.reader import Results
from hessbench.results.store.tables import read_provenance, read_table
from tests.command import hessbench
from tests.training.synthetic import METADATA, MODEL, loss_of, reactions, training_config

ROOT = Path(__file__).parents[2]
PAIR = Weights(force=0.5, hessian=0.3)


def profile(force: float, hessian: float) -> dict[str, object]:
    losses = {"ef": loss_of(1, force), "efh": loss_of(1, force, hessian)}
    training = training_config(losses={name: loss.model_dump() for name, loss in losses.items()}, epochs=2)
    return {
        "profile": "tiny",
        "data": {"source": "embedded"},
        "split": {"training_percents": [20, 80]},
        "model": MODEL.model_dump(mode="json"),
        "training": training.model_dump(mode="json"),
        "evaluation": EvaluationConfig(batch_size=5, processes=1).model_dump(mode="json"),
        "weights": {"pairs": [PAIR.model_dump()], "seeds": 2},
        "single_ts": {"model": MODEL.model_dump(mode="json")},
    }


def weights() -> pd.DataFrame:
    hessbench("weights")
    return read_table(Path("results"), WEIGHTS)


Evaluate = Callable[[str, float, float], None]


@pytest.fixture
def evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Make a project whose profile has these weights, trained and evaluated, and go there."""

    def make(name: str, force: float, hessian: float) -> None:
        (tmp_path / name / "data/active").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        for seed, (set_, count) in enumerate({"rtp": 20, "irc": 3, "nms": 2}.items()):
            write_reactions(f"data/active/{set_}.h5", reactions(count, 2, seed), METADATA)
        Path("params.yaml").write_text(json.dumps(profile(force, hessian)))
        hessbench("split")
        for loss in ("ef", "efh"):
            hessbench("train", "--loss", loss, "--percent", "80")
            hessbench("evaluate", "--loss", loss, "--percent", "80")

    return make


@pytest.mark.slow
def test_errors_are_those_of_a_profile_with_the_same_weights(evaluated: Evaluate) -> None:
    evaluated("theirs", 0.08, 0.02)
    found = weights()
    assert len(found) == 2 * 2 * 2 * 9  # losses, choices of weights, seeds, sets and quantities
    assert not found.loc[found["loss"] == "E-F", "hessian_weight"].notna().any()
    evaluated("ours", PAIR.force, PAIR.hessian)
    back = {"weights": {"pairs": [{"force": 0.08, "hessian": 0.02}]}}
    Path("params.yaml").write_text(json.dumps(profile(PAIR.force, PAIR.hessian) | back))
    other = weights()
    key = ["loss", "force_weight", "seed", "set", "quantity"]
    both = found.merge(other, on=key, suffixes=("", "_other"))
    assert len(both) == len(found)
    assert ((both["weights"] == OWN) != (both["weights_other"] == OWN)).all()
    np.testing.assert_allclose(both["rmse"], both["rmse_other"], rtol=2e-5)
    different = found.pivot_table(index=["loss", "seed", "set", "quantity"], columns="weights", values="rmse")
    # each model is another one; one of its many errors may agree by chance
    changes = abs(different[OWN] / different[PAIR.text] - 1).groupby(["loss", "seed"]).max()
    assert len(changes) == 4
    assert (changes > 1e-2).all()


@pytest.mark.slow
def test_what_is_finished_is_not_trained_again_and_belongs_to_the_run(evaluated: Evaluate) -> None:
    evaluated("run", 0.08, 0.02)
    first = weights()
    hessbench("provenance")
    pd.testing.assert_frame_equal(Results().table(WEIGHTS), first)
    made = read_provenance(Path("results/weights.parquet")).inputs
    assert {"weights", "train", "evaluate"} <= set(made.code)
    files = sorted(Path("results/checkpoints/weights").rglob("*.pt"))
    assert len(files) == 4
    times = [path.stat().st_mtime_ns for path in files]
    files[0].unlink()  # as if this one had not been begun
    again = weights()
    assert [path.stat().st_mtime_ns for path in files[1:]] == times[1:]
    assert files[0].stat().st_mtime_ns != times[0]
    pd.testing.assert_frame_equal(again, first)


def test_only_weights_of_force_and_hessian_change() -> None:
    loss = loss_of(2, 0.08, 0.02, estimator="rademacher", count=3)
    changed = reweighted(loss, PAIR)
    assert [term.weight for term in changed.terms] == [2, PAIR.force, PAIR.hessian]
    assert changed.estimated is not None
    assert (changed.estimated.estimator, changed.estimated.count) == ("rademacher", 3)
    assert weights_of(reweighted(loss_of(1, 0.08), PAIR)) == {"force_weight": 0.5, "hessian_weight": None}
    assert weights_of(loss) == {"force_weight": 0.08, "hessian_weight": 0.02}


def test_seeds_are_those_of_the_profile() -> None:
    config = WeightsConfig(pairs=(PAIR,), seeds=2)
    found = variants(Study(STAGE, config, MODEL, training_config(first_seed=7)))
    trained = [(item.variant.label, item.variant.seed) for item in found]
    assert trained == [("E-F-H", 7), ("E-F-H", 8), ("E-F", 7), ("E-F", 8)]
    assert len({item.checkpoint for item in found}) == 4


def test_the_weights_of_the_profile_are_not_trained_again() -> None:
    config = WeightsConfig(pairs=(PAIR, Weights(force=0.08, hessian=1)))
    with pytest.raises(ConfigurationError, match=r"weights\.pairs: force weight 0\.08 is that of efh"):
        variants(Study(STAGE, config, MODEL, training_config()))


def test_a_profile_without_one_of_the_losses_is_refused() -> None:
    config = training_config(losses={"efh": loss_of(1, 1, 1).model_dump()})
    with pytest.raises(ConfigurationError, match="ef with a force term is missing"):
        variants(Study(STAGE, WeightsConfig(pairs=(PAIR,)), MODEL, config))


def test_a_force_weight_stands_once() -> None:
    with pytest.raises(ValueError, match=r"force weight 0\.5 stands twice"):
        WeightsConfig(pairs=(PAIR, Weights(force=0.5, hessian=1)))


@pytest.mark.parametrize("name", ["smoke", "ci", "desktop", "full", "paper"])
def test_every_profile_tries_the_weights_of_the_paper(name: str) -> None:
    content = load_profile(ROOT / f"reproduce/profiles/{name}.yaml")
    tried = {(pair.force, pair.hessian) for pair in content.weights.pairs}
    tried.add(tuple(weights_of(content.training.losses["efh"]).values()))
    assert (paper.FORCE_WEIGHT, paper.HESSIAN_WEIGHT) in tried
    assert variants(Study(STAGE, content.weights, content.model, content.training))
