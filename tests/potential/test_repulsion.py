"""The repulsion of close nuclei: against automatic differentiation, published values and its own limits."""

import ase.build
import numpy as np
import pytest
import torch
from ase.data import atomic_numbers, covalent_radii
from torch import Tensor

from hessbench.errors import HessbenchError
from hessbench.potential import load
from hessbench.potential.ani.potential import ANIPotential, build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.batch import Batch
from hessbench.potential.repulsion import COULOMB, REACH, repulsion, repulsion_energies


def squeezed(scale: float) -> Batch:
    """Three molecules of different sizes with all distances multiplied."""
    molecules = [ase.build.molecule(name) for name in ("CH3OH", "H2O", "C2H4")]
    return Batch.from_molecules([(item.numbers, scale * item.positions) for item in molecules])


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.7])
def test_derivatives_are_those_of_the_energy(scale: float) -> None:
    batch = squeezed(scale)
    probes = torch.randn(len(batch.numbers), 3, 2, dtype=torch.float64)
    found = repulsion(batch, 2, probes)
    torch.testing.assert_close(found.energies, repulsion_energies(batch, batch.coordinates))
    for index in range(len(batch)):
        one = batch.slice(index, index + 1)
        start, stop = batch.offsets[index : index + 2].tolist()

        def energy(x: Tensor, one: Batch = one) -> Tensor:
            return repulsion_energies(one, x.view(-1, 3)).sum()

        flat = one.coordinates.flatten()
        gradient = torch.func.grad(energy)(flat)
        hessian = torch.func.jacrev(torch.func.grad(energy))(flat)
        assert gradient.abs().max() > 1
        torch.testing.assert_close(found.forces[start:stop].flatten(), -gradient)
        torch.testing.assert_close(found.hessian(batch, index), hessian)
        expected = hessian @ probes[start:stop].flatten(0, 1)
        torch.testing.assert_close(found.products[start:stop].flatten(0, 1), expected)


def test_ziegler_biersack_littmark_at_short_distance() -> None:
    # Coulomb's law times a screening function that is 1 at zero distance; 0.8854 a0 / (Z^0.23 + Z'^0.23)
    distance = 1e-4
    batch = Batch.from_molecules([([6, 8], [[0.0, 0, 0], [0, 0, distance]])])
    energy = float(repulsion_energies(batch, batch.coordinates))
    assert pytest.approx(332.0637, abs=1e-3) == COULOMB  # kcal/mol Angstrom
    length = 0.8854 * 0.529177 / (6**0.23 + 8**0.23)
    slope = 0.18175 * 3.1998 + 0.50986 * 0.94229 + 0.28022 * 0.4029 + 0.028171 * 0.20162
    assert energy == pytest.approx(COULOMB * 48 / distance * (1 - slope * distance / length), rel=1e-5)


@pytest.mark.parametrize("pair", ["HH", "CH", "CO", "NN"])
def test_ends_smoothly(pair: str) -> None:
    numbers = [atomic_numbers[symbol] for symbol in pair]
    end = REACH * float(covalent_radii[numbers].sum())
    for distance, bound in ((end, 1e-9), (end + 1.0, 1e-9), ((1 - 1e-6) * end, 1.0)):
        batch = Batch.from_molecules([(numbers, [[0.0, 0, 0], [0, 0, distance]])])
        probes = torch.ones(2, 3, 1, dtype=torch.float64)
        found = repulsion(batch, 2, probes)
        assert float(found.energies.abs().max()) <= 1e-6 * bound
        assert float(found.forces.abs().max()) <= 1e-3 * bound
        assert float(found.hessians.abs().max()) <= bound
    grid = np.linspace(0.2, 1.0, 50) * end
    batch = Batch.from_molecules([(numbers, [[0.0, 0, 0], [0, 0, float(r)]]) for r in grid])
    assert (torch.diff(repulsion_energies(batch, batch.coordinates)) < 0).all()


@pytest.mark.parametrize("name", ["H2", "N2", "CO", "HCN", "C2H2", "C2H4", "H2O", "CH4", "NH3", "CO2"])
def test_molecules_at_rest_do_not_feel_it(name: str) -> None:
    atoms = ase.build.molecule(name)
    batch = Batch.from_molecules([(atoms.numbers, atoms.positions)])
    assert float(repulsion_energies(batch, batch.coordinates).sum()) == 0.0


def test_a_model_file_keeps_it(tmp_path) -> None:
    batch = squeezed(0.6)
    settings = {"hidden": (8,), "dtype": "float64"}
    plain = build(ANIConfig(**settings), seed=3)
    repelled = build(ANIConfig(repulsion="zbl", **settings), seed=3)
    repelled.save(tmp_path / "model.safetensors")
    found = load(tmp_path / "model.safetensors")
    difference = found.predict(batch, 0).energies - plain.predict(batch, 0).energies
    torch.testing.assert_close(difference.detach(), repulsion_energies(batch, batch.coordinates))


def test_a_single_structure_is_learned_without() -> None:
    model = build(ANIConfig(hidden=(8,), repulsion="zbl"), seed=0)
    with pytest.raises(HessbenchError, match=r"single_ts\.model\.repulsion"):
        ANIPotential.stacked([model], np.array([1, 1]), np.zeros((2, 3)), 1.0)
