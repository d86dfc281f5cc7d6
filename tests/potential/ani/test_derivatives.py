"""Exact derivatives against automatic differentiation, finite differences and invariances."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule
from torch import Tensor

from hessbench.potential.ani.evaluation import evaluate
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.potential import build
from hessbench.potential.ani.reference import evaluate_by_autograd, oracle
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.batch import Batch, Prediction
from tests.molecules import TRANSITION_STATE, ragged_batch, small_model

BACKENDS = ["torch", "native"]
QUANTITIES = ["energies", "forces", "hessians", "products"]
MODELS = {
    "gelu": {},
    "gelu with biases": {"biases": True},
    "celu": {"activation": "celu", "biases": True},
    "smooth cutoff": {"cutoff": "smooth"},
    "celu, smooth cutoff": {"activation": "celu", "cutoff": "smooth"},
    "one layer": {"hidden": (24,)},
    "five layers, by element": {
        "hidden": {"H": (20, 30, 10, 12, 8), "C": (32, 8), "N": (12,), "O": (9, 20, 7)},
        "biases": True,
    },
    "repulsion": {"repulsion": "zbl"},
    "elements in another order": {"elements": ("O", "N", "H", "C")},
}


def relative(value: Tensor, expected: Tensor) -> float:
    return float((value - expected).abs().max() / expected.abs().max())


def loss_of(prediction: Prediction) -> Tensor:
    """Eq. 6 with targets that depend on nothing, and products if there are any."""
    weights = {"energies": 1.0, "forces": 0.08, "hessians": 0.02, "products": 0.02}
    total = prediction.energies.new_zeros(())
    for name, weight in weights.items():
        values = getattr(prediction, name)
        if values is not None:
            target = torch.linspace(-1, 1, values.numel(), dtype=values.dtype).view_as(values)
            total = total + weight * (values - target).square().mean().sqrt()
    return total


def gradients(model: ANI, prediction: Prediction) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss_of(prediction), list(model.networks.parameters()))


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS.keys())
def test_equal_to_automatic_differentiation(settings: dict) -> None:
    batch = ragged_batch()
    model = small_model(**settings)
    probes = torch.randn(
        len(batch.numbers), 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    exact = oracle(model)
    expected = evaluate_by_autograd(exact, batch, 2, probes)
    expected_gradients = gradients(exact, expected)
    for backend in BACKENDS:
        result = evaluate(model, batch, 2, probes, backend=backend)
        for name in QUANTITIES:
            assert relative(getattr(result, name), getattr(expected, name)) < 1e-10, (backend, name)
        for value, reference in zip(gradients(model, result), expected_gradients, strict=True):
            assert relative(value, reference) < 1e-8, backend


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("derivatives", "with_probes"), [(0, False), (1, False), (0, True), (1, True)])
def test_only_what_is_asked_for(backend: str, derivatives: int, with_probes: bool) -> None:
    batch = ragged_batch()
    model = small_model(activation="celu", biases=True)
    probes = torch.ones(len(batch.numbers), 3, 1, dtype=torch.float64) if with_probes else None
    result = evaluate(model, batch, derivatives, probes, backend=backend)
    assert (result.forces is not None, result.hessians is not None) == (derivatives > 0, False)
    assert (result.products is not None) == with_probes
    exact = oracle(model)
    expected = evaluate_by_autograd(exact, batch, derivatives, probes)
    for value, reference in zip(gradients(model, result), gradients(exact, expected), strict=True):
        assert relative(value, reference) < 1e-8


@pytest.mark.parametrize("backend", BACKENDS)
def test_loss_on_a_part_of_the_results(backend: str) -> None:
    batch, model = ragged_batch(), small_model()
    exact = oracle(model)
    for name in ("energies", "forces", "hessians"):
        parts = []
        for owner, result in (
            (model, evaluate(model, batch, 2, backend=backend)),
            (exact, evaluate_by_autograd(exact, batch, 2)),
        ):
            value = getattr(result, name).square().sum()
            # last biases and, for forces, none at all do not reach a part of the results
            parts.append(
                torch.autograd.grad(value, list(owner.networks.parameters()), materialize_grads=True)
            )
        for value, reference in zip(*parts, strict=True):
            assert float((value - reference).abs().max()) <= 1e-9 * float(reference.abs().max()) + 1e-12


@pytest.mark.parametrize("shape", ["ani1x", "authors", "gelu"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_published_shapes_in_float32(shape: str, backend: str) -> None:
    model = build(ANIConfig(shape=shape), 3)
    batch = ragged_batch()
    expected = evaluate_by_autograd(
        oracle(build(ANIConfig(shape=shape), 3).double()), batch, 2, create_graph=False
    )
    result = evaluate(model, batch.to(dtype=torch.float32), 2, backend=backend)
    assert relative(result.energies.double(), expected.energies) < 1e-5
    assert relative(result.forces.double(), expected.forces) < 1e-4
    assert relative(result.hessians.double(), expected.hessians) < 1e-4


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("settings", [{}, {"cutoff": "smooth"}], ids=["cosine", "smooth"])
def test_central_differences(backend: str, settings: dict) -> None:
    model = small_model(**settings)
    batch = Batch.from_atoms([TRANSITION_STATE])

    def at(coordinates: Tensor) -> Prediction:
        with torch.no_grad():
            return evaluate(model, Batch(batch.numbers, coordinates, batch.counts), 1, backend=backend)

    step = 1e-4
    forces, rows = [], []
    for atom in range(3):
        for direction in range(3):
            shift = torch.zeros_like(batch.coordinates)
            shift[atom, direction] = step
            above, below = at(batch.coordinates + shift), at(batch.coordinates - shift)
            forces.append(-(above.energies - below.energies) / (2 * step))
            rows.append(-(above.forces - below.forces).flatten() / (2 * step))
    result = evaluate(model, batch, 2, backend=backend)
    assert torch.allclose(torch.cat(forces), result.forces[:3].flatten(), rtol=1e-5, atol=1e-6)
    assert torch.allclose(torch.stack(rows), result.hessian(batch, 0)[:9], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_translation_and_rotation(backend: str) -> None:
    model, batch = small_model(), Batch.from_atoms([TRANSITION_STATE])
    rotation = torch.from_numpy(np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0])
    turned = Batch(batch.numbers, batch.coordinates @ rotation.T + 3.0, batch.counts)
    result, other = evaluate(model, batch, 2, backend=backend), evaluate(model, turned, 2, backend=backend)
    assert torch.allclose(other.energies, result.energies, rtol=1e-11)
    assert torch.allclose(other.forces, result.forces @ rotation.T, atol=1e-10)
    whole = torch.block_diag(*[rotation] * 13)
    hessian = result.hessian(batch, 0)
    assert torch.allclose(other.hessian(batch, 0), whole @ hessian @ whole.T, atol=1e-9)
    assert torch.allclose(hessian, hessian.T, atol=1e-10)
    assert float(hessian.view(39, 13, 3).sum(1).abs().max()) < 1e-10
    # a rotation turns the forces: H (n x x) = -(n x F)
    for axis in torch.eye(3, dtype=torch.float64):
        spin = torch.linalg.cross(axis.expand(13, 3), batch.coordinates).flatten()
        moment = -torch.linalg.cross(axis.expand(13, 3), result.forces).flatten()
        assert torch.allclose(hessian @ spin, moment, atol=1e-9)


def linear(distance: float) -> Atoms:
    return Atoms("OCCO", [(0, 0, 0), (0, 0, distance), (0, 0, 2 * distance), (0, 0, 3 * distance)])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("cutoff", ["cosine", "smooth"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "structure",
    [
        molecule("CO2"),
        molecule("HCN"),
        molecule("N2"),
        linear(1.2),
        Atoms("HOH", [(3.5, 0, 0), (0, 0, 0), (0, 3.5, 0)]),  # at the angular cutoff
        Atoms("HOH", [(5.2, 0, 0), (0, 0, 0), (0, 3.4999999, 0)]),  # at and just within the cutoffs
        Atoms("HOH", [(5.1999998, 0, 0), (0, 0, 0), (0, 5.2, 0)]),
    ],
    ids=["CO2", "HCN", "N2", "OCCO", "at 3.5", "at 5.2", "just within"],
)
def test_special_geometries_are_finite_and_right(
    backend: str, cutoff: str, dtype: torch.dtype, structure: Atoms
) -> None:
    model = small_model(cutoff=cutoff, dtype=dtype)
    batch = Batch.from_atoms([structure], dtype)
    result = evaluate(model, batch, 2, backend=backend)
    for parameter_gradient in gradients(model, result):
        assert parameter_gradient.isfinite().all()
    expected = evaluate_by_autograd(
        oracle(small_model(cutoff=cutoff)), Batch.from_atoms([structure]), 2, create_graph=False
    )
    tolerance = 1e-9 if dtype == torch.float64 else 1e-3
    scale = float(expected.hessians.abs().max()) + 1.0
    assert float((result.forces.double() - expected.forces).abs().max()) < tolerance * scale
    assert float((result.hessians.double() - expected.hessians).abs().max()) < tolerance * scale


@pytest.mark.parametrize("backend", BACKENDS)
def test_trained_model(backend: str) -> None:
    """A few steps of training leave weights that no initialisation makes."""
    model, batch = small_model(activation="celu", biases=True), ragged_batch()
    optimizer = torch.optim.Adam(model.networks.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = loss_of(evaluate(model, batch, 2, backend=backend))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    exact = oracle(model)
    expected, result = evaluate_by_autograd(exact, batch, 2), evaluate(model, batch, 2, backend=backend)
    assert relative(result.hessians, expected.hessians) < 1e-10
    for value, reference in zip(gradients(model, result), gradients(exact, expected), strict=True):
        assert relative(value, reference) < 1e-8


@pytest.mark.parametrize("backend", BACKENDS)
def test_molecules_do_not_see_each_other(backend: str) -> None:
    model, batch = small_model(), ragged_batch()
    whole = evaluate(model, batch, 2, backend=backend)
    for index in range(len(batch)):
        alone = evaluate(model, batch.slice(index, index + 1), 2, backend=backend)
        start, stop = batch.offsets[index], batch.offsets[index + 1]
        assert torch.allclose(whole.energies[index], alone.energies[0], rtol=1e-12, atol=1e-12)
        assert torch.allclose(whole.forces[start:stop], alone.forces, rtol=1e-10, atol=1e-12)
        assert torch.allclose(whole.hessian(batch, index).flatten(), alone.hessians, rtol=1e-9, atol=1e-11)


@pytest.fixture
def _two_threads() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_two_threads")
def test_threads_do_not_change_results() -> None:
    model, batch = small_model(), ragged_batch()
    result = evaluate(model, batch, 2, backend="native")
    torch.set_num_threads(1)
    expected = evaluate(model, batch, 2, backend="native")
    # not to the bit: some processors' BLAS adds up in another order with two threads
    assert relative(result.hessians, expected.hessians) < 1e-12
    for value, reference in zip(gradients(model, result), gradients(model, expected), strict=True):
        assert relative(value, reference) < 1e-12


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_graph_without_gradients(backend: str) -> None:
    with torch.no_grad():
        result = evaluate(small_model(), ragged_batch(), 2, backend=backend)
    assert not result.hessians.requires_grad


def vectorized(function: Callable, weights: list, biases: list) -> Tensor:
    return torch.func.vmap(function)(weights, biases)


def test_many_models_at_once_by_vmap() -> None:
    """One geometry, stacked parameters: the way to train an ensemble on one structure."""
    from hessbench.potential.ani.geometry import build as build_geometry
    from hessbench.potential.ani.network import Network, networks_of
    from hessbench.potential.ani.pure import evaluate_chunk

    models = [small_model(seed, biases=True) for seed in range(3)]
    batch = Batch.from_atoms([TRANSITION_STATE])
    members = [networks_of(model) for model in models]
    elements = range(len(models[0].elements))
    weights = [
        [torch.stack(layer) for layer in zip(*(m[e].weights for m in members), strict=True)] for e in elements
    ]
    biases = [
        [torch.stack(layer) for layer in zip(*(m[e].biases for m in members), strict=True)] for e in elements
    ]
    geometry = build_geometry(models[0], batch)

    def hessians(weights: list, biases: list) -> Tensor:
        networks = [Network(w, b, "gelu") for w, b in zip(weights, biases, strict=True)]
        return evaluate_chunk(networks, geometry, batch, 2).hessians

    result = vectorized(hessians, weights, biases)
    expected = torch.stack([evaluate(model, batch, 2, backend="torch").hessians for model in models])
    assert relative(result, expected) < 1e-12
    parameters = [parameter for model in models for parameter in model.networks.parameters()]
    got = torch.autograd.grad(result.square().sum(), parameters, materialize_grads=True)
    wanted = torch.autograd.grad(expected.square().sum(), parameters, materialize_grads=True)
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in zip(got, wanted, strict=True))
