"""Pretrained ensembles: the mean of their members as a potential, their spread in ASE."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import molecule

import hessbench
from hessbench import pretrained
from hessbench.errors import HessbenchError
from hessbench.potential import Batch, ModelConfig, build, validate
from hessbench.potential.interface import TrainablePotential
from hessbench.pretrained import Ensemble
from hessbench.units import EV


def models(number: int, dtype: str = "float64") -> list[TrainablePotential]:
    settings = ModelConfig.model_validate({"kind": "ani", "hidden": [8], "dtype": dtype})
    return [build(settings, seed) for seed in range(number)]


def test_an_ensemble_is_a_potential() -> None:
    validate(Ensemble(models(3), "E-F-H"), physical=False)


def test_it_predicts_the_mean_of_its_members() -> None:
    members = models(3)
    members[1].atomic_energies += torch.tensor([3.0, 0.0, 0.0, 0.0])
    batch = Batch.from_atoms([molecule("CH3OH"), molecule("H2O")])
    found = Ensemble(members, "E-F-H").predict(batch, 2)
    single = [member.predict(batch, 2) for member in members]
    for name in ("energies", "forces", "hessians"):
        mean = torch.stack([getattr(item, name) for item in single]).mean(0)
        torch.testing.assert_close(getattr(found, name), mean)
    assert found.products is None
    assert Ensemble(members, "E-F-H").atomic_energies[0] == 1.0


def test_the_spread_of_its_members_is_in_the_results_of_ase() -> None:
    members = models(3)
    atoms = molecule("CH3CHO")
    atoms.calc = Ensemble(members, "E-F-H").calculator()
    energy = atoms.get_potential_energy()
    batch = Batch.from_atoms([atoms])
    single = np.array([float(member.predict(batch, 0).energies[0].detach()) / EV for member in members])
    assert energy == pytest.approx(single.mean())
    assert atoms.calc.results["energy_spread"] == pytest.approx(single.std(ddof=1))


@pytest.fixture
def archived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package's folder of models: two of E-F-H at 80 %, notes alone at 20 %."""
    monkeypatch.setattr(pretrained, "PACKAGED", tmp_path)
    for percent in (20, 80):
        folder = tmp_path / str(percent) / "efh"
        folder.mkdir(parents=True)
        content = {"seeds": {"0": {}, "1": {}}, "label": "E-F-H"}
        (folder / "training.json").write_text(json.dumps(content), encoding="utf-8")
    for seed, model in enumerate(models(2)):
        model.save(tmp_path / f"80/efh/seed-{seed}.safetensors")
    return tmp_path


def test_an_archived_ensemble_is_loaded_by_the_name_of_its_loss(archived: Path) -> None:
    ensemble = hessbench.load("efh")
    assert repr(ensemble) == "<Ensemble of 2 E-F-H models>"
    batch = Batch.from_atoms([molecule("H2O")])
    expected = torch.stack([member.predict(batch, 0).energies for member in models(2)]).mean(0)
    torch.testing.assert_close(ensemble.predict(batch, 0).energies, expected)


def test_an_unknown_loss_is_named_with_those_there_are(archived: Path) -> None:
    with pytest.raises(HessbenchError, match="no pretrained ensemble 'ef'; there are efh"):
        hessbench.load("ef")


def test_without_an_archive_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "PACKAGED", tmp_path)
    with pytest.raises(HessbenchError, match="no pretrained models yet"):
        hessbench.load("efh")


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, hessbench; sys.exit('torch' in sys.modules or not hessbench.__version__)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
