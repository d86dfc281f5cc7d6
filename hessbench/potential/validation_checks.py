"""The checks of `hessbench.potential.validate`, one function each; every one raises at the first fault."""

from itertools import pairwise

import numpy as np
import torch
from ase.data import chemical_symbols
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import as_array
from hessbench.potential.interface import Derivatives, Potential
from hessbench.potential.validation_remedies import explain
from hessbench.potential.validation_subject import (
    TOLERANCES,
    InvalidPotentialError,
    Subject,
    Values,
    require_equal,
    require_same,
)

LARGEST_ENERGY = 1e4
"""Energies beyond this have too few digits in float32, kcal/mol."""
TRANSLATION = (1.3, -0.7, 2.1)
"""Angstrom."""
ROTATION = Rotation.from_euler("xyz", (40.0, 110.0, -70.0), degrees=True).as_matrix()


def check_description(potential: Potential) -> None:
    """Elements, atomic energies and dtype are of the right types."""
    elements, energies = potential.elements, potential.atomic_energies
    if not isinstance(elements, tuple) or not elements or not set(elements) <= set(chemical_symbols[1:]):
        raise InvalidPotentialError(
            f"elements is {elements!r}; expected a tuple of chemical symbols such as ('H', 'C')."
        )
    _require_tensor("atomic_energies", energies, (len(elements),), torch.float64)
    if potential.dtype not in TOLERANCES:
        raise InvalidPotentialError(
            f"dtype is {potential.dtype}; expected {' or '.join(map(str, TOLERANCES))}."
        )


def check_shapes(subject: Subject) -> None:
    """Everything that is asked for is there, of the right shape and dtype, finite, and without a graph."""
    batch, probes = subject.batch, subject.probes
    shapes = {
        "energies": (len(batch),),
        "forces": (len(batch.numbers), 3),
        "hessians": (int(batch.hessian_offsets[-1]),),
    }
    before = batch.coordinates.clone()
    asked: list[tuple[Derivatives, Tensor | None]] = [
        (0, None),
        (1, None),
        (2, None),
        (0, probes),
        (2, probes),
    ]
    for derivatives, vectors in asked:
        call = f"predict(batch, {derivatives}{'' if vectors is None else ', probes'})"
        try:
            prediction = subject.predict(batch, derivatives, vectors)
        except RuntimeError as error:
            raise InvalidPotentialError(
                f"{call} fails within torch.no_grad ({error}); if the potential differentiates "
                "automatically, let it enable gradients itself, by torch.enable_grad."
            ) from error
        wanted = dict(list(shapes.items())[: derivatives + 1])
        if vectors is not None:
            wanted["products"] = tuple(vectors.shape)
        for name, shape in wanted.items():
            _check_tensor(f"the {name} of {call}", getattr(prediction, name), shape, batch.coordinates.dtype)
    if not torch.equal(before, batch.coordinates):
        raise InvalidPotentialError("predict changes the coordinates of its batch; let it work on a copy.")


def check_single_molecules(subject: Subject, together: list[Values]) -> None:
    """A molecule in a batch is predicted as it is alone."""
    alone = [
        subject.predict_all(subject.batch.slice(index, index + 1), probes)[0]
        for index, probes in enumerate(subject.probes.split(subject.batch.counts.tolist()))
    ]
    energies = np.array([item.energy for item in together])
    order = np.abs(energies[None] - np.array([item.energy for item in alone])[:, None]).argmin(1)
    remedy = "no molecule may depend on the others of its batch"
    if sorted(order) == list(range(len(alone))) and (order != range(len(alone))).any():
        remedy = (
            f"give molecules in the order of the batch; now number {order[0]} stands where the first should"
        )
    for index, (found, expected) in enumerate(zip(together, alone, strict=True)):
        require_same(subject, index, found, expected, ("in a batch", "alone"), remedy)


def check_derivatives(subject: Subject, together: list[Values]) -> None:
    """Forces are the derivative of the energies, and Hessians that of the forces."""
    step = subject.tolerances.step
    for index, values in enumerate(together):
        size = values.forces.size
        shifts = step * torch.eye(size, dtype=torch.float64).view(size, -1, 3)
        steps = torch.cat([factor * shifts for factor in (-2, -1, 1, 2)])
        prediction = subject.predict(_displaced(subject, index, steps), 1)
        energies = as_array(prediction.energies).reshape(4, size)
        assert prediction.forces is not None
        forces = as_array(prediction.forces).reshape(4, size, size)
        slopes = np.array([1, -8, 8, -1]) / (12 * step)  # of the five-point rule
        expected = -np.tensordot(slopes, energies, 1).reshape(-1, 3)
        rounding = 20 * torch.finfo(subject.potential.dtype).eps * np.abs(energies).max() / step
        tolerance = subject.tolerances.difference * np.abs(expected).max() + rounding
        ways = "as predicted", "by differences of energies"
        if np.abs(values.forces - expected).max() > tolerance:
            remedy = explain(values.forces, expected, tolerance, 1)
            require_equal(subject, index, "force", values.forces, expected, tolerance, ways, remedy)
        expected = -np.tensordot(slopes, forces, 1)
        tolerance = subject.tolerances.difference * np.abs(expected).max()
        ways = "as predicted", "by differences of forces"
        if np.abs(values.hessian - expected).max() > tolerance:
            remedy = explain(values.hessian, expected, tolerance, 2)
            require_equal(subject, index, "Hessian", values.hessian, expected, tolerance, ways, remedy)


def check_symmetry(subject: Subject, together: list[Values]) -> None:
    """Hessians are symmetric, and products are theirs."""
    for index, (values, probes) in enumerate(
        zip(together, subject.probes.split(subject.batch.counts.tolist()), strict=True)
    ):
        hessian, tolerance = values.hessian, subject.tolerances.symmetry * np.abs(values.hessian).max()
        remedy = "take the mean of the Hessian and its transpose if both are approximate"
        ways = "as predicted", "in the transpose"
        require_equal(subject, index, "Hessian", hessian, hessian.T, tolerance, ways, remedy)
        vectors = as_array(probes).reshape(len(hessian), -1)
        expected = (hessian @ vectors).reshape(values.products.shape)
        tolerance = subject.tolerances.repeated * np.abs(expected).max()
        remedy = "products[:, :, i] must be the Hessian times probes[:, :, i]"
        ways = "as predicted", "by the Hessian"
        require_equal(subject, index, "product", values.products, expected, tolerance, ways, remedy)


def check_invariances(subject: Subject, together: list[Values]) -> None:
    """Moving, turning and renumbering a molecule moves, turns and renumbers what is predicted."""
    batch = subject.batch
    translation = batch.coordinates.new_tensor(TRANSLATION)
    moved = Batch(batch.numbers, batch.coordinates + translation, batch.counts)
    ways, remedy = ("after a translation", "before"), "only differences of coordinates may matter"
    for index, values in enumerate(subject.predict_all(moved, subject.probes)):
        require_same(subject, index, values, together[index], ways, remedy)

    rotation = torch.as_tensor(ROTATION).to(batch.coordinates)
    turned = Batch(batch.numbers, batch.coordinates @ rotation.T, batch.counts)
    probes = torch.einsum("xy,ayk->axk", rotation, subject.probes)
    ways, remedy = ("turned back after a rotation", "before"), "the potential must not depend on the axes"
    for index, values in enumerate(subject.predict_all(turned, probes)):
        back = np.kron(np.eye(len(values.forces)), ROTATION)
        restored = Values(
            values.energy,
            values.forces @ ROTATION,
            back.T @ values.hessian @ back,
            np.einsum("yx,ayk->axk", ROTATION, values.products),
        )
        require_same(subject, index, restored, together[index], ways, remedy)

    offsets = batch.offsets.tolist()
    places = torch.cat([torch.arange(last - 1, first - 1, -1) for first, last in pairwise(offsets)])
    places = places.to(batch.numbers.device)
    renumbered = Batch(batch.numbers[places], batch.coordinates[places], batch.counts)
    ways, remedy = (
        ("with its atoms in reversed order", "before"),
        "results must follow the order of the atoms",
    )
    for index, values in enumerate(subject.predict_all(renumbered, subject.probes[places])):
        atoms = len(values.forces)
        order = np.arange(3 * atoms).reshape(atoms, 3)[::-1].ravel()
        restored = Values(
            values.energy, values.forces[::-1], values.hessian[np.ix_(order, order)], values.products[::-1]
        )
        require_same(subject, index, restored, together[index], ways, remedy)


def check_reverse_pass(subject: Subject) -> None:
    """What a trainable potential predicts can be differentiated with respect to its parameters."""
    if not isinstance(subject.potential, nn.Module):
        return
    parameters = [item for item in subject.potential.parameters() if item.requires_grad]
    if not parameters:
        return
    with torch.enable_grad():
        prediction = subject.potential.predict(subject.batch, 2, subject.probes)
        for name in ("energies", "forces", "hessians", "products"):
            values = getattr(prediction, name)
            found: list[Tensor] = []
            if values.requires_grad:
                gradients = torch.autograd.grad(
                    values.sum(), parameters, retain_graph=True, allow_unused=True
                )
                found = [item for item in gradients if item is not None]
            if not found or not all(item.isfinite().all() for item in found):
                problem = "have a gradient that is not finite" if found else "have no gradient"
                raise InvalidPotentialError(
                    f"{name} {problem} with respect to the trainable parameters, of which there are "
                    f"{sum(item.numel() for item in parameters)}; keep the graph (create_graph=True) outside "
                    "torch.no_grad, or freeze them with requires_grad_(False)."
                )


def _check_tensor(what: str, values: object, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    _require_tensor(what, values, shape, dtype)
    assert isinstance(values, Tensor)
    if values.requires_grad:
        raise InvalidPotentialError(
            f"{what} require a gradient though gradients are disabled; detach them within torch.no_grad."
        )
    if not values.isfinite().all():
        raise InvalidPotentialError(f"{what} are infinite or not a number.")
    largest = float(values.abs().max())
    if "energies" in what and dtype == torch.float32 and largest > LARGEST_ENERGY:
        raise InvalidPotentialError(
            f"{what} reach {largest:.6g} kcal/mol, for which {dtype} has too few digits; keep them below "
            f"{LARGEST_ENERGY:g} by giving the energies of the free atoms as atomic_energies."
        )


def _require_tensor(what: str, values: object, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    if not isinstance(values, Tensor) or tuple(values.shape) != shape or values.dtype != dtype:
        found = f"{values.dtype} {tuple(values.shape)}" if isinstance(values, Tensor) else repr(values)
        raise InvalidPotentialError(f"{what}: {found}; expected a tensor {dtype} {shape}.")


def _displaced(subject: Subject, index: int, steps: Tensor) -> Batch:
    """Copies of a molecule, each with its displacement (copies, N, 3)."""
    own = subject.batch.slice(index, index + 1)
    coordinates = own.coordinates.double() + steps.to(own.coordinates.device)
    return Batch(
        own.numbers.repeat(len(steps)),
        coordinates.reshape(-1, 3).to(own.coordinates.dtype),
        own.counts.repeat(len(steps)),
    )
