"""The ASE calculator."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule
from ase.optimize import BFGS

from hessbench.calculators.ase_calculator import HessbenchCalculator, predict
from hessbench.errors import HessbenchError
from hessbench.potential import Batch
from hessbench.potential.ani.reference import energies_of, pad
from hessbench.units import EV
from tests.molecules import TRANSITION_STATE, small_model


def torchani_energy_and_forces(model: torch.nn.Module, atoms: Atoms) -> tuple[float, np.ndarray]:
    batch = Batch.from_atoms([atoms])
    species, coordinates, position = pad(batch, model)
    coordinates.requires_grad_(True)
    energy = energies_of(model, species, coordinates).sum()
    (gradient,) = torch.autograd.grad(energy, coordinates)
    return energy.item() / EV, -gradient.view(-1, 3)[position].numpy() / EV


def test_values_in_ev() -> None:
    model = small_model()
    model.atomic_energies.copy_(torch.tensor([-10.0, -20.0, -30.0, -40.0]))
    atoms = TRANSITION_STATE.copy()
    atoms.calc = HessbenchCalculator(model)
    energy, forces = torchani_energy_and_forces(model, atoms)
    assert atoms.get_potential_energy() == pytest.approx(
        energy + (8 * -10 + 3 * -20 + 2 * -40) / EV, abs=1e-10
    )
    np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-10)
    hessian = atoms.calc.get_hessian(atoms)
    assert hessian.shape == (39, 39)
    expected = model.predict(Batch.from_atoms([atoms]), 2).hessians.detach().view(39, 39) / EV
    np.testing.assert_allclose(hessian, expected, atol=1e-10)


def test_moving_atoms_recomputes() -> None:
    atoms = molecule("H2O")
    atoms.calc = HessbenchCalculator(small_model())
    before, hessian = atoms.get_potential_energy(), atoms.calc.get_hessian(atoms)
    assert atoms.get_potential_energy() == before
    atoms.positions[0] += 0.1
    assert atoms.get_potential_energy() != before
    assert not np.allclose(atoms.calc.get_hessian(atoms), hessian)
    BFGS(atoms, logfile=None).run(fmax=0.5, steps=3)


def test_ensemble_mean_and_spread() -> None:
    models = [small_model(seed) for seed in range(3)]
    atoms = TRANSITION_STATE.copy()
    atoms.calc = HessbenchCalculator(models)
    atoms.get_potential_energy()
    atoms.calc.get_hessian(atoms)
    single = [predict(model, [atoms], 2) for model in models]
    energies = np.array([item.energies[0, 0] for item in single])
    forces = np.array([item.forces[0][0] for item in single])
    hessians = np.array([item.hessians[0][0] for item in single])
    results = atoms.calc.results
    assert results["energy"] == pytest.approx(energies.mean())
    assert results["energy_spread"] == pytest.approx(energies.std(ddof=1))
    np.testing.assert_allclose(results["forces"], forces.mean(0), atol=1e-12)
    np.testing.assert_allclose(results["forces_spread"], forces.std(0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(results["hessian_spread"], hessians.std(0, ddof=1), atol=1e-10)


def test_many_structures_at_once() -> None:
    model = small_model(dtype=torch.float32)
    structures = [molecule(name) for name in ("H2O", "CH4", "CO2")]
    members = predict(model, structures, 2)
    assert members.energies.shape == (1, 3)
    assert [item.shape for item in members.forces] == [(1, 3, 3), (1, 5, 3), (1, 3, 3)]
    assert [item.shape for item in members.hessians] == [(1, 9, 9), (1, 15, 15), (1, 9, 9)]
    for index, atoms in enumerate(structures):
        alone = predict(model, [atoms], 2)
        assert members.energies[0, index] == pytest.approx(alone.energies[0, 0], abs=1e-5)
        np.testing.assert_allclose(members.hessians[index], alone.hessians[0], atol=1e-3)
    assert predict(model, structures, 0).forces == []


def test_mixed_ensembles_are_refused() -> None:
    with pytest.raises(HessbenchError, match="one architecture"):
        predict([small_model(), small_model(cutoff="smooth")], [molecule("H2O")])
    with pytest.raises(HessbenchError, match="at least one model"):
        HessbenchCalculator([])
