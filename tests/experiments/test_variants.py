"""One queue of all variants: its tables are those of its experiments one by one; errors are told first."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from hessbench.cli import main
from hessbench.data.layout import write_reactions
from hessbench.experiments.cost.run.tables import COST
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.queue import Part, run_queue
from hessbench.experiments.errors.variants.trained import Share, Variant
from hessbench.experiments.robustness.run.tables import ROBUSTNESS
from hessbench.experiments.weights.run.tables import WEIGHTS
from hessbench.results.store.tables import read_provenance, read_table
from hessbench.system.processes import Report
from tests.command import hessbench
from tests.training.synthetic import METADATA, MODEL, loss_of, reactions, structures, training_config

COMMANDS = ("weights", "robustness", "cost")
OTHER_MODEL = MODEL.model_dump(mode="json") | {"hidden": [5, 4]}


def profile(**changes: object) -> dict[str, object]:
    return {
        "profile": "tiny",
        "data": {"source": "embedded"},
        "split": {"training_percents": [80]},
        "model": MODEL.model_dump(mode="json"),
        "training": training_config(seeds=1, epochs=2).model_dump(mode="json"),
        "evaluation": EvaluationConfig(batch_size=5, processes=1).model_dump(mode="json"),
        "weights": {"pairs": [{"force": 0.5, "hessian": 0.3}], "seeds": 1},
        "robustness": {"recipes": [{"name": "another network", "model": OTHER_MODEL}], "seeds": 1},
        "cost": {"estimators": [{"kind": "rademacher", "count": 1}], "lengths": [0.5, 1]},
    } | changes


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with data and their split, which is the working directory."""
    folder = tmp_path / "project"
    (folder / "data/active").mkdir(parents=True)
    monkeypatch.chdir(folder)
    for seed, (name, count) in enumerate({"rtp": 10, "irc": 2, "nms": 1}.items()):
        write_reactions(f"data/active/{name}.h5", reactions(count, 2, seed), METADATA)
    Path("params.yaml").write_text(json.dumps(profile()))
    hessbench("split")
    return folder


def written(results: Path) -> dict[str, pd.DataFrame]:
    """All tables of the three experiments, and with each what it was made from; times left out."""
    recipe = results / "robustness/another-network"
    losses = [f"{loss}-80" for loss in ("e", "ef", "efh")]
    assert sorted(path.stem for path in (results / "robustness").rglob("*.parquet")) == losses
    found = {
        "weights": (read_table(results, WEIGHTS), WEIGHTS.path(results)),
        "robustness": (read_table(results, ROBUSTNESS), ROBUSTNESS.path(results)),
        "cost": (read_table(results, COST).drop(columns="cpu_seconds"), COST.path(results)),
        **{part: (read_table(recipe, ERRORS, part=part), ERRORS.path(recipe, part)) for part in losses},
    }
    return {
        name: table.assign(made=repr(replace(read_provenance(path), seconds=None)))
        for name, (table, path) in found.items()
    }


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_tables_are_those_of_the_commands_one_by_one(project: Path, processes: int) -> None:
    for loss in ("ef", "efh"):
        hessbench("train", "--loss", loss, "--percent", "80")
        hessbench("evaluate", "--loss", loss, "--percent", "80")
    before = project.with_name("before")
    shutil.copytree(project, before)
    said = [hessbench(command) for command in COMMANDS]
    wanted = written(Path("results"))
    shutil.rmtree("results")
    shutil.copytree(before / "results", "results")
    training = training_config(seeds=1, epochs=2, processes=processes)
    Path("params.yaml").write_text(json.dumps(profile(training=training.model_dump(mode="json"))))
    assert hessbench("variants").startswith(said[0] + said[1])
    found = written(Path("results"))
    assert found.keys() == wanted.keys()
    for name, table in wanted.items():
        pd.testing.assert_frame_equal(found[name], table, obj=name)
    # the report adds the times of all tables, those of one queue once
    files = [Path(f"results/{command}.parquet") for command in COMMANDS]
    assert len({read_provenance(file).seconds for file in files}) == 1
    kept = [path for path in Path("results/checkpoints").rglob("*.*") if path.suffix in (".pt", ".json")]
    kept = sorted(path for path in kept if path.parts[2] in COMMANDS)
    assert len(kept) == 2 + 3 + 6
    gone = [next(path for path in kept if path.parts[2] == command) for command in COMMANDS]
    times = {path: path.stat().st_mtime_ns for path in kept}
    for path in gone:
        path.unlink()  # as if it had been interrupted before these
    hessbench("variants")
    assert {path for path in kept if path.stat().st_mtime_ns != times[path]} == set(gone)
    again = written(Path("results"))
    for name, table in wanted.items():
        pd.testing.assert_frame_equal(again[name], table, obj=name)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"weights": {"pairs": [{"force": 0.08, "hessian": 1}]}}, "force weight 0.08 is that of efh"),
        (
            {"robustness": {"recipes": [{"name": "same", "model": MODEL.model_dump(mode="json")}]}},
            "'same' is the recipe of the profile",
        ),
        ({"cost": {"lengths": [1, 1]}}, "1.0 stands twice"),
        (
            {"training": training_config(losses={"ef": loss_of(1, 1).model_dump()}).model_dump(mode="json")},
            "training.losses",
        ),
    ],
)
def test_a_wrong_section_is_refused_before_anything_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(json.dumps(profile(**changes)))
    with pytest.raises(SystemExit) as end:
        main(["variants"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_without_errors_of_the_profile_nothing_is_trained(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["variants"])
    assert end.value.code == 2
    assert "efh-80.parquet" in capsys.readouterr().err
    assert not list(project.glob("results/checkpoints/**/*.*"))


@dataclass(frozen=True)
class Trained:
    """A model with a name, of an experiment that notes what it trains."""

    name: str
    variant: Variant


def part_of(
    begun: list[str], rows: dict[str, list[str]], name: str, lengths: dict[tuple[int, ...], int]
) -> Part[Trained]:
    """Part with a model for each loss (its weights) and number of epochs; `rows` gets its results."""

    def train(model: Trained, share: Share, report: Report) -> pd.DataFrame:
        begun.append(model.name)
        report(model.variant.config.epochs)
        return pd.DataFrame({"name": [model.name]})

    def write(tested: list[pd.DataFrame], seconds: float) -> None:
        assert seconds > 0
        rows[name] = [table["name"].item() for table in tested]

    models = [
        Trained(
            f"{name} {weights} {epochs}",
            Variant("", loss_of(*weights), MODEL, training_config(epochs=epochs), 0),
        )
        for weights, epochs in lengths.items()
    ]
    some = structures(1)
    return Part(models, train, Share(some, some, ("", some.energies, some.energies), {}, 1), write)


def test_the_longest_are_begun_first_and_each_part_gets_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    begun: list[str] = []
    rows: dict[str, list[str]] = {}
    parts = [
        part_of(begun, rows, "a", {(1,): 4, (1, 1): 4, (1, 1, 1): 4}),
        part_of(begun, rows, "b", {}),
        part_of(begun, rows, "c", {(1, 1): 6, (1, 1, 1): 1}),
    ]
    run_queue("test", parts, 1)
    assert begun == ["a (1, 1, 1) 4", "c (1, 1) 6", "a (1, 1) 4", "a (1,) 4", "c (1, 1, 1) 1"]
    assert rows == {
        "a": ["a (1,) 4", "a (1, 1) 4", "a (1, 1, 1) 4"],
        "b": [],
        "c": ["c (1, 1) 6", "c (1, 1, 1) 1"],
    }
