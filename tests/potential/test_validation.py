"""The public validator: right potentials pass, every wrong adapter is told what is wrong with it."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.emt import EMT
from tblite.ase import TBLite
from torch.autograd.functional import hessian

from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.chemistry.level_potential import LevelPotential
from hessbench.potential import Prediction, TrainablePotential, validate
from hessbench.potential.probes import hessian_products
from hessbench.potential.validation import example_structures
from hessbench.potential.validation_subject import InvalidPotentialError
from hessbench.units import BOHR, EV, HARTREE
from tests.molecules import small_model


class Pairs(TrainablePotential):
    """Morse curves between all atoms by automatic differentiation, as stiff as an O-H bond."""

    def __init__(self, dtype: torch.dtype = torch.float64) -> None:
        super().__init__(("H", "C", "N", "O"))
        self.depth = torch.nn.Parameter(torch.tensor(120.0, dtype=dtype))

    def energy(self, coordinates):
        first, second = torch.triu_indices(len(coordinates), len(coordinates), 1)
        length = (coordinates[first] - coordinates[second]).norm(dim=1)
        return (self.depth * (1 - torch.exp(-2.2 * (length - 0.96))) ** 2).sum()

    def predict(self, batch, derivatives, probes=None):
        keep, counts = torch.is_grad_enabled(), batch.counts.tolist()
        with torch.enable_grad():
            coordinates = batch.coordinates.clone().requires_grad_()
            energies = torch.stack([self.energy(part) for part in coordinates.split(counts)])
            (gradient,) = torch.autograd.grad(energies.sum(), coordinates, create_graph=True)
            found = {"energies": energies, "forces": -gradient}
            if derivatives > 1 or probes is not None:
                hessians = [
                    hessian(self.energy, part, create_graph=True).flatten()
                    for part in batch.coordinates.split(counts)
                ]
                found["hessians"] = torch.cat(hessians)
            if probes is not None:
                found["products"] = hessian_products(found["hessians"], batch, probes)
        return Prediction(**{name: item if keep else item.detach() for name, item in found.items()})


class Changed(Pairs):
    """`Pairs` whose prediction is changed by a function of it and the batch."""

    def __init__(self, change, **keywords) -> None:
        super().__init__(**keywords)
        self.change = change

    def predict(self, batch, derivatives, probes=None):
        return self.change(super().predict(batch, derivatives, probes), batch)


def scaled(prediction, batch, energies=1.0, forces=1.0, hessians=1.0, products=None):
    factors = {"energies": energies, "forces": forces, "hessians": hessians, "products": products or hessians}
    values = {name: getattr(prediction, name) for name in factors}
    return Prediction(
        **{name: None if item is None else item * factors[name] for name, item in values.items()}
    )


def by_molecule(prediction, batch, arrange):
    """Rearrange each Hessian (3 N, 3 N)."""
    if prediction.hessians is None:
        return prediction
    hessians = [arrange(prediction.hessian(batch, index)).flatten() for index in range(len(batch))]
    return replace(prediction, hessians=torch.cat(hessians))


def axes_first(prediction, batch):
    """Hessians whose rows run over the x of all atoms first."""

    def arrange(hessian):
        atoms = len(hessian) // 3
        index = torch.arange(3 * atoms).view(atoms, 3).T.flatten()
        return hessian[index][:, index]

    return by_molecule(prediction, batch, arrange)


def flat_forces_by_axis(prediction, batch):
    """Forces as an array (3, N) of each molecule, reshaped instead of transposed."""
    parts = prediction.forces.split(batch.counts.tolist())
    return replace(prediction, forces=torch.cat([part.T.reshape(-1, 3) for part in parts]))


def sorted_by_element(prediction, batch):
    """Forces with the atoms of each molecule sorted, as some programs do."""
    parts, first = [], 0
    for count in batch.counts.tolist():
        order = torch.argsort(batch.numbers[first : first + count], stable=True)
        parts.append(prediction.forces[first : first + count][order])
        first += count
    return replace(prediction, forces=torch.cat(parts))


def other_molecules_first(prediction, batch):
    return replace(prediction, energies=prediction.energies.flip(0))


def shared_between_molecules(prediction, batch):
    return replace(prediction, energies=prediction.energies + len(batch))


def a_term_of_the_energies_alone(prediction, batch):
    parts = batch.coordinates.detach().split(batch.counts.tolist())
    terms = torch.stack([20 * (part[0] - part[1]).square().sum() for part in parts])
    return replace(prediction, energies=prediction.energies + terms)


def not_symmetric(prediction, batch):
    return by_molecule(prediction, batch, lambda hessian: hessian + 1e-3 * hessian.triu(1))


def in_unit(factor):
    """All values of a potential that forgets one conversion."""
    return partial(scaled, energies=factor, forces=factor, hessians=factor)


def changed(**changes):
    """One part of the prediction replaced by a function of all of it."""
    return lambda prediction, batch: replace(
        prediction, **{name: change(prediction) for name, change in changes.items()}
    )


WRONG = {
    "energies in eV": (
        partial(scaled, energies=1 / EV),
        r"force of H2O, . of atom \d is .* by differences of energies: .*the energies by 23\.06\d, from eV",
    ),
    "forces in eV": (partial(scaled, forces=1 / EV), r"the forces by 23\.06\d, from eV/Angstrom"),
    "forces in hartree": (partial(scaled, forces=BOHR / HARTREE), r"forces by 1185\.8, from hartree/bohr"),
    "gradients for forces": (partial(scaled, forces=-1), r"if you change their sign\."),
    "gradients in hartree": (
        partial(scaled, forces=-BOHR / HARTREE),
        r"change their sign and multiply the forces by 1185\.8",
    ),
    "Hessians in hartree": (
        partial(scaled, hessians=BOHR**2 / HARTREE),
        r"Hessian of H2O by . of atom \d and .* the Hessians by 2240\.9, from hartree/bohr\^2",
    ),
    "Hessians of the wrong sign": (partial(scaled, hessians=-1), r"Hessians and forces .*change their sign"),
    "Hessians half as large": (partial(scaled, hessians=0.5), r"Hessians by 2, which is no factor"),
    "a term of the energies alone": (a_term_of_the_energies_alone, r"no unit, sign or order of the forces"),
    "Hessians with axes first": (axes_first, r"let coordinates run over x, y, z of an atom first"),
    "forces with axes first": (flat_forces_by_axis, r"let coordinates run over x, y, z of an atom first"),
    "atoms sorted by element": (sorted_by_element, r"put the atoms in the order \["),
    "molecules reversed": (
        other_molecules_first,
        r"energy of H2O is .* kcal/mol in a batch, .* alone: give molecules in the order of the batch",
    ),
    "molecules not independent": (shared_between_molecules, r"no molecule may depend on the others"),
    "products of the wrong sign": (
        partial(scaled, products=-1),
        r"product of H2O, .*the Hessian times probes",
    ),
    "Hessians not symmetric": (not_symmetric, r"Hessian of H2O by .* in the transpose: take the mean"),
    "all in eV": (in_unit(1 / EV), r"Hessian of H2O .*seem to be in eV: multiply energies, .* by 23\.06"),
    "all in hartree": (in_unit(1 / HARTREE), r"in hartree: multiply .* by 627\.5"),
    "all in kJ/mol": (in_unit(4.184), r"in kJ/mol: multiply .* by 0\.239"),
    "energies by atom": (
        changed(energies=lambda prediction: prediction.forces[:, 0]),
        r"energies of predict\(batch, 0\): torch\.float64 \(13,\); expected a tensor torch\.float64 \(3,\)",
    ),
    "forces left out": (
        changed(forces=lambda prediction: None),
        r"forces of predict\(batch, 1\): None; expected",
    ),
    "another dtype": (
        changed(energies=lambda prediction: prediction.energies.float()),
        r"torch\.float32 \(3,\); expected a tensor torch\.float64",
    ),
    "not a number": (
        changed(energies=lambda prediction: prediction.energies * np.nan),
        r"infinite or not a number",
    ),
    "forces without a gradient": (
        changed(forces=lambda prediction: prediction.forces.detach()),
        r"forces have no gradient with respect to the trainable parameters",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_adapter_is_told_what_is_wrong(fault):
    change, message = WRONG[fault]
    with pytest.raises(InvalidPotentialError, match=message):
        validate(Changed(change))


class Tethered(Pairs):
    """The atoms are drawn to the origin."""

    def energy(self, coordinates):
        return super().energy(coordinates) + 5 * coordinates.square().sum()


class Anisotropic(Pairs):
    """Molecules like to lie in the plane x = 0."""

    def energy(self, coordinates):
        return super().energy(coordinates) + 5 * (coordinates[:, 0] - coordinates[:, 0].mean()).square().sum()


class Numbered(Pairs):
    """The first two atoms attract each other, whichever they are."""

    def energy(self, coordinates):
        return super().energy(coordinates) + 5 * (coordinates[0] - coordinates[1]).square().sum()


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        (Tethered, "energy of H2O is .* after a translation, .* before: only differences of coordinates"),
        (Anisotropic, "turned back after a rotation, .*must not depend on the axes"),
        (Numbered, "atoms in reversed order, .*must follow the order of the atoms"),
    ],
)
def test_what_is_not_invariant_is_named(potential, message):
    with pytest.raises(InvalidPotentialError, match=message):
        validate(potential())


class NeedsGradients(Pairs):
    """Differentiates automatically without enabling gradients."""

    def predict(self, batch, derivatives, probes=None):
        coordinates = batch.coordinates.clone().requires_grad_()
        energies = torch.stack([self.energy(part) for part in coordinates.split(batch.counts.tolist())])
        (gradient,) = torch.autograd.grad(energies.sum(), coordinates)
        return Prediction(energies, -gradient)


class KeepsGraph(Pairs):
    """Leaves a graph behind though nobody asked for it."""

    def predict(self, batch, derivatives, probes=None):
        with torch.enable_grad():
            return super().predict(batch, derivatives, probes)


class Shifts(Pairs):
    """Works on the coordinates that it is given."""

    def predict(self, batch, derivatives, probes=None):
        batch.coordinates.sub_(batch.coordinates.mean(0))
        return super().predict(batch, derivatives, probes)


class TotalEnergies(Pairs):
    """Total energies in float32."""

    def energy(self, coordinates):
        return super().energy(coordinates) - 24_000 * len(coordinates)


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        (NeedsGradients(), "fails within torch.no_grad .*torch.enable_grad"),
        (KeepsGraph(), "require a gradient though gradients are disabled; detach"),
        (Shifts(), "changes the coordinates of its batch"),
        (TotalEnergies(torch.float32), "too few digits; .*atomic_energies"),
        (Pairs(torch.float16), "dtype is torch.float16; expected torch.float64 or torch.float32"),
    ],
)
def test_what_breaks_the_contract_is_named(potential, message):
    with pytest.raises(InvalidPotentialError, match=message):
        validate(potential)


def test_description():
    potential = Pairs()
    potential.atomic_energies = torch.zeros(4)
    with pytest.raises(
        InvalidPotentialError,
        match=r"atomic_energies: torch\.float32 .*torch\.float64",
    ):
        validate(potential)
    potential = Pairs()
    potential.elements = ("H", "Xx")
    with pytest.raises(InvalidPotentialError, match="tuple of chemical symbols"):
        validate(potential)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_right_potentials_pass(dtype):
    validate(Pairs(dtype))
    validate(small_model(dtype=dtype), physical=False)


def test_a_potential_of_few_elements_passes():
    validate(small_model(elements=("H", "O")), physical=False)


def test_the_way_of_the_paper_passes_too():
    model = small_model()
    model.predict = model.reference_predict
    validate(model, physical=False)


def test_a_level_of_theory_and_a_calculator_pass():
    validate(LevelPotential("GFN2-xTB"))
    validate(CalculatorPotential(TBLite(method="GFN2-xTB", verbosity=0, accuracy=0.1)))


def test_a_calculator_of_other_elements_and_own_structures():
    copper = [
        Atoms("Cu3", [[0, 0, 0], [2.5, 0, 0], [1.2, 2.1, 0.1]]),
        Atoms("AlCu", [[0, 0, 0], [2.4, 0.1, 0]]),
    ]
    validate(CalculatorPotential(EMT()), copper, physical=False)


def test_what_describes_no_molecules_is_named_unless_it_is_meant_to():
    soft = Pairs()
    with torch.no_grad():
        soft.depth.fill_(30.0)
    with pytest.raises(InvalidPotentialError, match="pass physical=False"):
        validate(soft)
    validate(soft, physical=False)


def test_examples_are_of_the_elements_that_are_known():
    assert [item.get_chemical_formula() for item in example_structures(("H", "O"))] == ["H2O", "H2"]
    assert [item.get_chemical_formula() for item in example_structures(("Cu", "Ag"))] == ["AgCu2"]
