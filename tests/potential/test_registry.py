"""Architectures are found by their folders, a profile by its kind, a model file by its header."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import hessbench.potential
from hessbench.config.base import validate
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split
from hessbench.errors import ConfigurationError, DataError
from hessbench.potential import ModelConfig, load, registry
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.batch import Batch
from hessbench.potential.ensembles import load_ensemble, model_file
from hessbench.potential.evaluation import predict_each, total_energies
from hessbench.potential.files import read_notes
from hessbench.profiles.schema import load_profile
from hessbench.training.ensemble import train_ensemble
from tests.training.synthetic import structures, training_config

SECOND = '''
from typing import Literal

import torch

from hessbench.potential.batch import Prediction, element_indices
from hessbench.potential.diagram import AtomicNetworks
from hessbench.potential.files import read_header, read_tensors, write_model
from hessbench.potential.interface import TrainablePotential
from hessbench.potential.registry import Architecture, ModelConfig


class Settings(ModelConfig):
    kind: Literal["constant"]
    elements: tuple[str, ...] = ("H", "O")


class Constant(TrainablePotential):
    """Every atom has its energy."""

    def __init__(self, elements, seed):
        super().__init__(elements)
        generator = torch.Generator().manual_seed(seed)
        self.values = torch.nn.Parameter(torch.randn(len(elements), generator=generator))

    def predict(self, batch, derivatives, probes=None):
        atoms = self.values[element_indices(self.elements, batch.numbers)]
        energies = atoms.new_zeros(len(batch)).index_add(0, batch.molecule, atoms)
        zeros = atoms.new_zeros(int(batch.hessian_offsets[-1]))
        return Prediction(energies, torch.zeros_like(batch.coordinates), zeros)

    def save(self, path, notes=None):
        tensors = {"values": self.values, "atomic_energies": self.atomic_energies}
        write_model(path, ARCHITECTURE.format, {"elements": self.elements}, tensors, notes)


def build(settings, seed):
    return Constant(settings.elements, seed)


def load(path):
    found = Constant(tuple(read_header(path)["elements"]), 0)
    found.load_state_dict(read_tensors(path))
    return found


def diagram(header):
    widths = {element: () for element in header["elements"]}
    return AtomicNetworks(tuple(widths), 0, 0, widths, "none", False, ())


ARCHITECTURE = Architecture(format="constant 1", settings=Settings, module=__name__, diagram=__name__)
'''
"""A second architecture in one file of its own; no other file of the package is edited."""


@pytest.fixture
def constant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package `constant` beside `ani`, for as long as a test runs."""
    folder = Path(registry.__file__).parent
    package = tmp_path / "constant"
    package.mkdir()
    (package / "__init__.py").write_text(SECOND)
    monkeypatch.setattr(hessbench.potential, "__path__", [str(folder), str(tmp_path)])
    registry.architectures.cache_clear()
    yield
    registry.architectures.cache_clear()
    sys.modules.pop("hessbench.potential.constant", None)


def test_the_kind_of_an_architecture_is_the_name_of_its_folder() -> None:
    packages = Path(registry.__file__).parent.glob("*/__init__.py")
    declared = {path.parent.name for path in packages if "\nARCHITECTURE = " in path.read_text()}
    assert declared >= {"ani", "e3nn"}
    assert set(registry.architectures()) == declared
    for kind, architecture in registry.architectures().items():
        assert architecture.settings.model_fields["kind"].annotation.__args__ == (kind,)


def test_a_second_architecture_needs_no_other_file(constant: None, tmp_path: Path) -> None:
    settings = validate(ModelConfig, {"kind": "constant"}, source="params.yaml", prefix="model")
    everything = structures(32)
    data = everything.select(np.flatnonzero(everything.reactions % 4 == 0))  # water
    split = make_split(data.reactions, "synthetic 1", SplitConfig(training_percents=(80,)))
    config = training_config(optimizer={"kind": "adam", "learning_rate": 0.1}, epochs=2)
    folder = train_ensemble(data, split, "e", 80, settings, config, tmp_path)
    first, second = load_ensemble(folder)
    assert not torch.equal(first.values, second.values)
    batch = Batch.from_structures(data, torch.float32)
    predictions = predict_each([first, second], batch, 1)
    for model, prediction in zip((first, second), predictions, strict=True):
        # one composition only, so the atomic energies have the mean of its energies
        error = total_energies(model, batch, prediction).detach().numpy() - data.energies
        assert np.abs(error).max() < 100
    assert read_notes(model_file(folder, 1))["training"] == "e-80"


def test_settings_are_those_of_the_kind_that_is_named(constant: None) -> None:
    with pytest.raises(ConfigurationError, match=r"model\.shape: unknown key; .* kind, elements$"):
        validate(ModelConfig, {"kind": "constant", "shape": 3}, source="params.yaml", prefix="model")
    with pytest.raises(ConfigurationError, match=r"model\.hide: unknown key; expected one of kind, .*hidden"):
        validate(ModelConfig, {"kind": "ani", "hide": 3}, source="params.yaml", prefix="model")
    known = ", ".join(registry.architectures())
    assert known.endswith(", constant")
    for wrong in ({"kind": "other"}, {"shape": "gelu"}, {}, 3, None):
        with pytest.raises(ConfigurationError, match=rf"model\.kind: .*there are {known} \(found"):
            validate(ModelConfig, wrong, source="params.yaml", prefix="model")
    assert isinstance(validate(ModelConfig, {"kind": "ani"}, source="params.yaml"), ANIConfig)


def test_settings_inside_a_profile_keep_what_their_kind_adds(tmp_path: Path) -> None:
    profile = load_profile(Path("reproduce/profiles/ci.yaml"))
    assert profile.single_ts.model_dump(mode="json")["model"]["hidden"] == [128, 96, 64]
    path = tmp_path / "params.yaml"
    path.write_text(json.dumps(profile.model_dump(mode="json")))
    assert load_profile(path) == profile
    content = profile.model_dump(mode="json")
    content["single_ts"]["model"]["width"] = 3
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match=r"single_ts\.model\.width: unknown key; .*hidden"):
        load_profile(path)


def test_a_file_of_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    header = json.dumps({"format": "constant 1"})
    save_file({"x": torch.zeros(1)}, tmp_path / "model", metadata={"hessbench": header})
    with pytest.raises(DataError, match=r"has format 'constant 1', this version reads hessbench ANI 1, "):
        load(tmp_path / "model")


PACKAGE = Path(hessbench.__file__).parent
KNOWS_ANI = ("potential/ani/", "benchmarks/", "cli/benchmark.py")
"""The architecture itself, and what times it."""


@pytest.mark.parametrize("folder", [PACKAGE, PACKAGE.parent / "reproduce"], ids=["hessbench", "reproduce"])
def test_nothing_but_ani_knows_ani(folder: Path) -> None:
    naming = re.compile(r"\bANI|\bani\b|import torchani|from torchani")
    found = [
        f"{path.relative_to(folder)}:{number}: {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        if not path.relative_to(folder).as_posix().startswith(KNOWS_ANI)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if naming.search(line)
    ]
    assert not found
