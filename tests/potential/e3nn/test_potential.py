"""The message-passing potential of e3nn: derivatives, symmetries, files, training."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule
from safetensors.torch import load_file, save_file

from hessbench.errors import DataError, HessbenchError
from hessbench.potential import Batch, load, validate
from hessbench.potential.e3nn.network import neighbors, radial_functions
from hessbench.potential.e3nn.potential import E3nnPotential, build
from hessbench.potential.e3nn.settings import E3nnConfig
from hessbench.potential.files import read_notes
from hessbench.potential.probes import draw_probes, hessian_products
from hessbench.training.loop import train
from hessbench.training.preparation import examples
from tests.molecules import TRANSITION_STATE, ragged_batch
from tests.training.synthetic import loss_of, structures, training_config

EXACT = {"rtol": 1e-9, "atol": 1e-9}


def small(seed: int = 0, **settings: object) -> E3nnPotential:
    """A model whose convolutions count, which e3nn starts with none of."""
    made = E3nnConfig.model_validate({"channels": 4, "dtype": "float64", **settings})
    model = build(made, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".alpha." in name:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dtype": "float32"},
        pytest.param({"layers": 3, "degree": 2, "channels": 2}, marks=pytest.mark.slow),
    ],
)
def test_it_is_a_potential(settings: dict[str, object]) -> None:
    validate(small(**settings), physical=False)


def test_derivatives_are_central_differences_of_what_is_differentiated() -> None:
    atoms = molecule("CH3OH")
    atoms.rattle(0.05, seed=1)
    batch, step = Batch.from_atoms([atoms]), 2e-5
    moved = []
    for index, sign in np.ndindex(batch.coordinates.numel(), 2):
        copy = atoms.copy()
        copy.positions.ravel()[index] += step * (1 - 2 * sign)
        moved.append(copy)
    with torch.no_grad():
        model = small()
        found = model.predict(batch, 2)
        displaced = model.predict(Batch.from_atoms(moved), 1)
    energies = displaced.energies.view(-1, 2)
    gradient = (energies[:, 0] - energies[:, 1]) / (2 * step)
    forces = displaced.forces.view(len(energies), 2, -1)
    hessian = -(forces[:, 0] - forces[:, 1]) / (2 * step)
    assert found.forces.abs().max() > 0.1
    torch.testing.assert_close(found.forces.flatten(), -gradient, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.hessian(batch, 0), hessian, rtol=0, atol=1e-6)


def test_ragged_batches_and_probes() -> None:
    """3 to 23 atoms, one atom alone, neighbours beyond the cutoff: each molecule as if it were alone."""
    batch, model = ragged_batch(), small()
    probes = draw_probes(batch, 2, "gaussian", torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = model.predict(batch, 2, probes)
        for index, (start, stop) in enumerate(pairwise(batch.offsets.tolist())):
            alone = model.predict(batch.slice(index, index + 1), 2)
            torch.testing.assert_close(found.energies[index], alone.energies[0], **EXACT)
            torch.testing.assert_close(found.forces[start:stop], alone.forces, **EXACT)
            torch.testing.assert_close(found.hessian(batch, index).flatten(), alone.hessians, **EXACT)
        only = model.predict(batch, 0, probes)
    torch.testing.assert_close(found.products, hessian_products(found.hessians, batch, probes), **EXACT)
    torch.testing.assert_close(only.products, found.products, **EXACT)
    assert only.forces is None
    assert only.hessians is None


def test_turned_and_mirrored_molecules() -> None:
    batch, model = Batch.from_atoms([TRANSITION_STATE]), small(degree=2)
    matrix, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turn = torch.as_tensor(matrix * np.sign(np.linalg.det(matrix)))
    for operation in (turn, -turn):
        moved = Batch(batch.numbers, batch.coordinates @ operation.T, batch.counts)
        with torch.no_grad():
            before, after = model.predict(batch, 2), model.predict(moved, 2)
        whole = torch.block_diag(*[operation] * len(batch.numbers))
        torch.testing.assert_close(after.energies, before.energies, **EXACT)
        torch.testing.assert_close(after.forces, before.forces @ operation.T, **EXACT)
        expected = whole @ before.hessian(batch, 0) @ whole.T
        torch.testing.assert_close(after.hessian(moved, 0), expected, **EXACT)


def test_neighbors_are_those_within_the_cutoff_in_the_molecule() -> None:
    batch = ragged_batch()
    receiver, sender = neighbors(batch, 4.0)
    distances = torch.cdist(batch.coordinates, batch.coordinates)
    same = batch.molecule[:, None] == batch.molecule[None]
    expected = ((distances < 4.0) & same).fill_diagonal_(False).nonzero().T
    assert torch.equal(torch.stack([receiver, sender]), expected)


def test_radial_functions_end_smoothly_at_the_cutoff() -> None:
    distance = torch.tensor([5.0 - 1e-6], dtype=torch.float64, requires_grad=True)
    values = radial_functions(distance, 5.0)
    for column in values[0]:
        value = column
        for _ in range(2):
            (value,) = torch.autograd.grad(value.sum(), distance, create_graph=True)
        assert abs(column.item()) < 1e-15
        assert abs(value.item()) < 1e-2
    assert (radial_functions(torch.tensor([5.0, 6.0], dtype=torch.float64), 5.0) == 0).all()


def test_seed_alone_decides_the_parameters() -> None:
    torch.manual_seed(1)
    first, drawn = build(E3nnConfig(channels=4), 7), torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn)  # building draws nothing from the global generator
    second, third = build(E3nnConfig(channels=4), 7), build(E3nnConfig(channels=4), 8)
    pairs = zip(first.parameters(), second.parameters(), third.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert any(not torch.equal(a, c) for a, c in zip(first.parameters(), third.parameters(), strict=True))
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_saved_model_predicts_the_same(dtype: torch.dtype, tmp_path: Path) -> None:
    model = small(layers=3).to(dtype)
    model.prepare(structures(8))
    model.save(tmp_path / "model", {"loss": "ef"})
    restored, batch = load(tmp_path / "model"), ragged_batch(dtype)
    assert isinstance(restored, E3nnPotential)
    assert restored.dtype == dtype
    assert read_notes(tmp_path / "model") == {"loss": "ef"}
    torch.testing.assert_close(restored.atomic_energies, model.atomic_energies, rtol=0, atol=0)
    with torch.no_grad():
        found, expected = restored.predict(batch, 2), model.predict(batch, 2)
    # its constants are those of a model built anew; the other one's went through a conversion
    tolerance = {"rtol": 1e-5, "atol": 1e-4 * float(expected.hessians.abs().max())}
    torch.testing.assert_close(found.energies, expected.energies, **tolerance)
    torch.testing.assert_close(found.hessians, expected.hessians, **tolerance)
    restored.save(tmp_path / "again", {"loss": "ef"})
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    small().save(path)
    tensors = load_file(path)
    description = {"format": "hessbench e3nn 1", "settings": {"kind": "e3nn", "channels": 5}}
    save_file(tensors, path, metadata={"hessbench": json.dumps(description)})
    with pytest.raises(DataError, match="its tensors do not fit its description; write it again"):
        load(path)
    description["settings"] = {"kind": "e3nn", "channels": -1}
    save_file(tensors, path, metadata={"hessbench": json.dumps(description)})
    with pytest.raises(DataError, match="its description of the model cannot be read"):
        load(path)


def test_an_unknown_element_is_named() -> None:
    with pytest.raises(HessbenchError, match=r"Atomic numbers \[10\] are unknown to this model"):
        small().predict(Batch.from_atoms([Atoms("Ne")]), 0)


LOSSES = {
    "e": loss_of(1),
    "ef": loss_of(1, 1),
    "efh": loss_of(1, 1, 1),
    "efhvp": loss_of(1, 1, 1, estimator="rademacher", count=1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_few_steps_lower_each_loss(name: str) -> None:
    data, model = structures(4, 2), build(E3nnConfig(channels=4), 0)
    model.prepare(data)
    before = {key: item.clone() for key, item in model.named_parameters()}
    config = training_config(epochs=6, optimizer={"kind": "adam", "learning_rate": 0.02})
    rows = train(model, examples(model, data), None, LOSSES[name], config)
    assert rows[-1]["training_loss"] < 0.95 * rows[0]["training_loss"]
    assert all(not torch.equal(before[key], item) for key, item in model.named_parameters())


def test_the_extra_is_named_where_the_library_is_absent(tmp_path: Path) -> None:
    blocked = (
        "import sys; sys.modules['e3nn'] = None\n"
        "from hessbench.potential import build\n"
        "from hessbench.potential.e3nn.settings import E3nnConfig\n"
        "from hessbench.errors import HessbenchError\n"
        "try:\n    build(E3nnConfig(), 0)\n"
        "except HessbenchError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "models of kind e3nn need the library e3nn: python -m pip install 'hessbench[e3nn]'.\n"
    )
