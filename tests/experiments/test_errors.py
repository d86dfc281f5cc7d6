import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner

from hessbench.cli import cli
from hessbench.config.base import load_section
from hessbench.data.layout import write_reactions
from hessbench.data.structures import concatenate, load_structures
from hessbench.errors import DataError, HessbenchError
from hessbench.experiments.errors.run.ensemble import evaluate_ensemble
from hessbench.experiments.errors.run.predictions import (
    matrices,
    pack,
    predicted_from,
    read_predictions,
    unpack,
)
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.scoring import TestSet, error_rows, structure_errors
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS, FAILURES
from hessbench.potential import Batch
from hessbench.potential.ensembles import ensemble_inputs, load_ensemble, model_file, trained_seeds
from hessbench.potential.evaluation import total_energies
from hessbench.results.store.tables import read_provenance, read_table
from tests.formats import writers
from tests.training.synthetic import METADATA, MODEL, reactions, structures, training_config


def test_errors_of_structures_against_plain_loops():
    data = structures(3, 2)
    random = np.random.default_rng(0)
    energies = data.energies + random.normal(size=len(data))
    forces = data.forces + random.normal(size=data.forces.shape).astype(np.float32)
    hessians = data.hessians + random.normal(size=data.hessians.shape).astype(np.float32)
    errors = structure_errors(data, energies, forces, hessians)
    for index in range(len(data)):
        part = data.select([index])
        atoms = slice(*data.atom_offsets[index : index + 2])
        elements = slice(*data.hessian_offsets[index : index + 2])
        for quantity, difference in {
            "energy": energies[index] - part.energies,
            "force": forces[atoms] - part.forces,
            "hessian": hessians[elements] - part.hessians,
        }.items():
            squared, absolute, count = (column[index] for column in errors[quantity])
            assert squared == pytest.approx((difference**2).sum(), rel=1e-5)
            assert absolute == pytest.approx(np.abs(difference).sum(), rel=1e-5)
            assert count == difference.size


def test_summary_pools_elements_not_structures():
    errors = pd.DataFrame(
        {
            "loss": "E",
            "percent": 80,
            "seed": 0,
            "set": "rtp",
            "reaction": ["a", "b"],
            "structure": 0,
            "quantity": "force",
            "squared": [9.0, 91.0],
            "absolute": [3.0, 12.0],
            "count": [9, 16],
        }
    )
    (row,) = summarize(errors).to_dict("records")
    assert row["rmse"] == pytest.approx(2.0)
    assert row["mae"] == pytest.approx(0.6)


def test_triangles_round_trip():
    data = structures(4, 2)
    again = unpack(pack(data.hessians, data.counts), data.counts)
    for hessian, original in zip(again, matrices(data.hessians, data.counts), strict=True):
        np.testing.assert_allclose(hessian, original, atol=1e-4)
        np.testing.assert_array_equal(np.tril(hessian), np.tril(original))
        np.testing.assert_array_equal(hessian, hessian.T)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Split, train and evaluate a tiny ensemble through the command line."""
    folder = tmp_path_factory.mktemp("run")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.chdir(folder)
    for seed, (name, count) in enumerate({"rtp": 8, "irc": 3, "nms": 2}.items()):
        Path("data/active").mkdir(parents=True, exist_ok=True)
        write_reactions(f"data/active/{name}.h5", reactions(count, 3, seed), METADATA)
    params = {
        "profile": "tiny",
        "split": {"training_percents": [40, 80]},
        "model": MODEL.model_dump(mode="json"),
        "training": training_config().model_dump(mode="json"),
        "evaluation": EvaluationConfig(batch_size=4, processes=1).model_dump(mode="json"),
    }
    Path("params.yaml").write_text(json.dumps(params))
    for arguments in (
        ["split"],
        ["train", "--loss", "ef", "--percent", "80"],
        ["train", "--loss", "e", "--percent", "40"],
        ["evaluate", "--loss", "ef", "--percent", "80"],
        ["evaluate", "--loss", "e", "--percent", "40"],
    ):
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    yield folder
    monkeypatch.undo()


def test_errors_table_fits_its_contract(run):
    errors = read_table(run / "results", ERRORS, part="ef-80")
    assert set(errors["loss"]) == {"E-F"}
    assert set(errors["percent"]) == {80}
    per_set = errors.groupby(["seed", "quantity", "set"]).size()
    assert per_set.loc[0, "energy"].to_dict() == {"irc": 9, "nms": 6, "rtp": 2}
    assert per_set.loc[0].to_dict() == per_set.loc[1].to_dict()
    made = read_provenance(run / "results/errors/ef-80.parquet")
    assert (made.profile, made.level, made.models) == ("tiny", "Morse", 2)
    assert "nms: synthetic 1 Morse " in made.data


def test_results_say_what_their_models_were_made_from(run):
    made = read_provenance(run / "results/errors/e-40.parquet").inputs
    assert made == predicted_from(run / "results/predictions/e-40.h5")
    assert set(made.code) == {"train", "evaluate"}
    assert {"model", "training.losses.e", "training.epochs", "split.training_percents.40"} <= set(
        made.settings
    )
    assert "training.losses.ef" not in made.settings
    assert set(made.files) == {"split"}


def test_errors_follow_from_the_stored_predictions(run):
    errors = summarize(read_table(run / "results", ERRORS, part="ef-80"))
    errors = errors.set_index(["set", "quantity", "seed"])
    reference = reactions(3, 3, 1)
    predictions = read_predictions(run / "results/predictions/ef-80.h5", "irc", 1)
    assert predictions.reactions.tolist() == [item.name for item in reference for _ in range(3)]
    squares = {"energy": 0.0, "force": 0.0, "hessian": 0.0}
    counts = dict.fromkeys(squares, 0)
    offsets = np.concatenate([[0], np.cumsum(predictions.counts)])
    by_name = {item.name: item for item in reference}
    for index, (name, structure) in enumerate(
        zip(predictions.reactions, predictions.structures, strict=True)
    ):
        item = by_name[name]
        differences = {
            "energy": predictions.energies[index] - item.energies[structure],
            "force": predictions.forces[offsets[index] : offsets[index + 1]] - item.forces[structure],
            "hessian": predictions.hessians[index] - item.hessians[structure],
        }
        for quantity, difference in differences.items():
            squares[quantity] += float((difference**2).sum())
            counts[quantity] += difference.size
    for quantity in squares:
        expected = np.sqrt(squares[quantity] / counts[quantity])
        assert errors.loc[("irc", quantity, 1), "rmse"] == pytest.approx(expected, rel=1e-4)


def test_predictions_are_those_of_the_oracle(run):
    data = structures(2, 3, seed=2)
    model = load_ensemble(run / "models/80/ef")[1].double()
    batch = Batch.from_structures(data, model.dtype)
    oracle = model.reference_predict(batch, 2)
    stored = read_predictions(run / "results/predictions/ef-80.h5", "nms", 1)
    total = total_energies(model, batch, oracle)
    np.testing.assert_allclose(stored.energies, total.detach(), rtol=0, atol=1e-3)
    np.testing.assert_allclose(stored.forces, oracle.forces.detach(), rtol=1e-4, atol=1e-3)
    expected = matrices(oracle.hessians.detach().numpy(), data.counts)
    for hessian, wanted in zip(stored.hessians, expected, strict=True):
        np.testing.assert_allclose(hessian, wanted, rtol=1e-3, atol=1e-2)


def test_hessians_are_stored_for_chosen_sizes_only(run):
    assert read_predictions(run / "results/predictions/e-40.h5", "rtp", 0).hessians is None
    assert "hessian" in set(read_table(run / "results", ERRORS, part="e-40")["quantity"])


def test_nothing_but_results_is_left(run):
    assert sorted(path.name for path in (run / "results/predictions").iterdir()) == ["e-40.h5", "ef-80.h5"]
    assert sorted(path.name for path in (run / "results/errors").iterdir()) == [
        "e-40.parquet",
        "ef-80.parquet",
    ]


def test_finished_models_do_not_predict_again_after_an_interruption(run, tmp_path, monkeypatch, capsys):
    shutil.copytree(run, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    folder, results = Path("models/80/ef"), Path("results")
    seeds = trained_seeds(folder)
    sets = {"irc": TestSet.read(Path("data/active/irc.h5"))}
    config = load_section(EvaluationConfig, "evaluation").model_copy(update={"processes": 1})
    wanted = folder, "ef", 80, sets, config, results, ensemble_inputs(folder)
    expected = evaluate_ensemble(*wanted)
    files = [results / "predictions/ef-80.h5", results / "errors/ef-80.parquet"]
    before = [path.read_bytes() for path in files]
    last = model_file(folder, seeds[-1])
    model = last.read_bytes()
    last.write_bytes(model[:-1])
    with pytest.raises(DataError):
        evaluate_ensemble(*wanted)
    capsys.readouterr()
    last.write_bytes(model)
    pd.testing.assert_frame_equal(evaluate_ensemble(*wanted), expected)
    assert f"{len(seeds) - 1} of {len(seeds)} models are done already" in capsys.readouterr().out
    assert [path.read_bytes() for path in files] == before
    assert not list((results / "checkpoints/evaluate").iterdir())


def test_ensembles_evaluated_together_are_byte_by_byte_those_evaluated_one_by_one(run, tmp_path, monkeypatch):
    shutil.copytree(run, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    params = json.loads(Path("params.yaml").read_text())
    params["training"]["losses"] = {name: params["training"]["losses"][name] for name in ("e", "ef")}
    Path("params.yaml").write_text(json.dumps(params))

    def files() -> dict[str, bytes]:
        return {
            f"{folder}/{path.name}": path.read_bytes()
            for folder in ("predictions", "errors")
            for path in Path("results", folder).iterdir()
        }

    def called(*arguments: str) -> str:
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    called("train")
    for loss in ("e", "ef"):
        for percent in ("40", "80"):
            called("evaluate", "--loss", loss, "--percent", percent)
    one_by_one = files()
    shutil.rmtree("results/predictions")
    shutil.rmtree("results/errors")
    said = called("evaluate")
    assert len(one_by_one) == 8
    assert files() == one_by_one
    assert "RMSE, mean over models; energy in kcal/mol, force in kcal/mol/Angstrom" in said
    lines = said.splitlines()[-4:]
    assert [line.split()[0] for line in lines] == ["e-40", "ef-40", "e-80", "ef-80"]
    errors = summarize(read_table(Path("results"), ERRORS, part="ef-80"))
    shown = errors.groupby(["set", "quantity"], sort=False)["rmse"].mean()
    assert [float(cell) for cell in lines[3].split()[1:]] == pytest.approx(shown.tolist(), rel=1e-3)
    shutil.rmtree("results/errors")
    called("evaluate", "--percent", "40")
    assert sorted(path.name for path in Path("results/errors").iterdir()) == ["e-40.parquet", "ef-40.parquet"]


def test_an_ensemble_that_is_not_trained_is_named_before_any_is_evaluated(run, monkeypatch):
    monkeypatch.chdir(run)
    result = CliRunner().invoke(cli, ["evaluate"])
    assert isinstance(result.exception, DataError)
    assert "hessbench train --loss ef --percent 40" in str(result.exception)


def test_untrained_ensemble_names_the_command(run):
    result = CliRunner().invoke(cli, ["evaluate", "--loss", "efh", "--percent", "80"])
    assert isinstance(result.exception, DataError)
    assert "hessbench train --loss efh --percent 80" in str(result.exception)


def test_missing_seed_in_the_predictions(run):
    with pytest.raises(DataError, match="no predictions of seed 7"):
        read_predictions(run / "results/predictions/ef-80.h5", "irc", 7)


def test_truncated_predictions(run, tmp_path):
    content = (run / "results/predictions/ef-80.h5").read_bytes()
    (tmp_path / "short.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="hessbench evaluate"):
        read_predictions(tmp_path / "short.h5", "irc", 0)


def test_other_data_than_the_split_was_made_for(run):
    path = run / "data/active/rtp.h5"
    original = path.read_bytes()
    write_reactions(path, reactions(8, 3, 9), METADATA)
    try:
        result = CliRunner().invoke(cli, ["evaluate", "--loss", "ef", "--percent", "80"])
    finally:
        path.write_bytes(original)
    assert isinstance(result.exception, DataError)
    assert "hessbench split" in str(result.exception)


def test_predictions_file_names_its_data(run):
    with h5py.File(run / "results/predictions/ef-80.h5") as file:
        assert json.loads(file.attrs["hessbench"])["data"]["irc"].startswith("synthetic 1 Morse ")


def partly_labelled(count: int, without: tuple[int, ...], seed: int = 5):
    """Reactions of which those of these numbers have no Hessians."""
    return [
        replace(item, hessians=None) if index in without else item
        for index, item in enumerate(reactions(count, 3, seed))
    ]


def test_errors_of_partly_labelled_structures_are_those_of_the_labelled_ones():
    whole, data = structures(4, 3, 5), concatenate(partly_labelled(4, (0, 2)))
    random = np.random.default_rng(0)
    hessians = whole.hessians + random.normal(size=whole.hessians.shape).astype(np.float32)
    expected = structure_errors(whole, whole.energies, whole.forces, hessians)["hessian"]
    found = structure_errors(data, data.energies, data.forces, hessians)
    for one, other in zip(found["hessian"], expected, strict=True):
        np.testing.assert_array_equal(one, np.where(data.labelled, other, 0))
    rows = error_rows(0, "rtp", data, found)
    assert rows.groupby("quantity").size().to_dict() == {"energy": 12, "force": 12, "hessian": 6}
    none = replace(data, hessians=None, labelled=None)
    assert set(structure_errors(none, none.energies, none.forces, None)) == {"energy", "force"}


def scored(run, monkeypatch, *arguments: str) -> str:
    monkeypatch.chdir(run)
    result = CliRunner().invoke(cli, ["evaluate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_set_brought_by_file_is_scored_apart(run, monkeypatch, tmp_path):
    fluorine = replace(reactions(1, 3, 7)[0], name="rxn000009", numbers=np.array([9, 1, 1], dtype=np.uint8))
    path = tmp_path / "my set.h5"
    write_reactions(path, [*partly_labelled(4, (1,)), fluorine], METADATA)
    said = scored(run, monkeypatch, "--data", str(path), "--loss", "ef")
    assert "12 structures of synthetic 1 Morse" in said
    assert "9 with a Hessian" in said
    assert "3 structures left out: holds F; the models know H, C, N, O" in said
    assert "constants of the elements" not in said
    folder = run / "results/sets/my_set"
    errors = read_table(folder, ERRORS, part="ef-80")
    sizes = errors[errors["seed"] == 0].groupby("quantity").size()
    assert sizes.to_dict() == {"energy": 12, "force": 12, "hessian": 9}
    failures = read_table(folder, FAILURES, part="ef-80")
    assert failures["structure"].tolist() == [0, 1, 2] * 2
    assert set(failures["reason"]) == {"holds F; the models know H, C, N, O"}
    # the energies are those of the model, against the file's
    model = load_ensemble(run / "models/80/ef")[0]
    data = concatenate(partly_labelled(4, (1,)))
    batch = Batch.from_structures(data, model.dtype)
    with torch.no_grad():
        total = total_energies(model, batch, model.predict(batch, 0)).numpy()
    found = errors[(errors["seed"] == 0) & (errors["quantity"] == "energy")]
    np.testing.assert_allclose(np.sqrt(found["squared"]), np.abs(total - data.energies), rtol=1e-3, atol=1e-3)


def test_a_set_of_another_level_and_format_is_converted_and_its_zero_of_energy_taken_out(
    run, monkeypatch, tmp_path, computed
):
    writers.write_lmdb(tmp_path / "horm.lmdb", writers.horm_records(computed))
    said = scored(run, monkeypatch, "--data", str(tmp_path / "horm.lmdb"), "--loss", "ef")
    assert "level of theory: unknown, not known to be that of the models' data" in said
    folder = run / "results/sets/horm"
    errors = read_table(folder, ERRORS, part="ef-80")
    energies = errors[(errors["quantity"] == "energy") & (errors["seed"] == 1)]
    predicted = read_predictions(folder / "predictions/ef-80.h5", "horm", 1)
    data = load_structures(folder / "data.h5")
    difference = data.energies - predicted.energies
    counts = np.array(
        [np.bincount(data.numbers[a:b], minlength=9)[[1, 6, 8]] for a, b in pairwise(data.atom_offsets)]
    )
    left = difference - counts @ np.linalg.lstsq(counts.astype(float), difference, rcond=None)[0]
    ordered = energies.set_index(["reaction", "structure"])["squared"]
    names = np.array(data.reaction_names)[data.reactions]
    np.testing.assert_allclose(ordered.loc[list(zip(names, data.indices, strict=True))], left**2, atol=1e-6)


def test_what_cannot_be_scored_is_one_sentence(run, monkeypatch, tmp_path):
    monkeypatch.chdir(run)
    (tmp_path / "text.dat").write_text("nothing")
    write_reactions(
        tmp_path / "f.h5", [replace(reactions(1)[0], numbers=np.array([9, 1, 1], dtype=np.uint8))], METADATA
    )
    for name, problem in (
        ("none.h5", "there is no such file"),
        ("text.dat", "text.dat"),
        ("f.h5", "every structure holds F; the models know"),
    ):
        result = CliRunner().invoke(cli, ["evaluate", "--loss", "ef", "--data", str(tmp_path / name)])
        assert isinstance(result.exception, HessbenchError)
        assert problem in str(result.exception)
