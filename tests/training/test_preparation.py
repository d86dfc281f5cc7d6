import numpy as np
import torch

from hessbench.potential import Batch, evaluate
from hessbench.potential.ani.model import build
from hessbench.training.preparation import FLOOR, examples, feature_spread, prepare
from tests.training.synthetic import ATOMIC_ENERGIES, MODEL, structures


def test_spread_is_the_standard_deviation_over_atoms_of_an_element():
    data = structures()
    model = build(MODEL, 0).double()
    spread = feature_spread(model, data)
    rows = []
    for index in range(len(data)):
        part = data.select([index])
        species = model.element_indices(torch.as_tensor(part.numbers.astype(np.int64)))[None]
        features = model.aev(species, torch.as_tensor(part.coordinates)[None])[0]
        rows.append(features[species[0] == 0])
    expected = torch.cat(rows).std(0, correction=0).clamp(min=FLOOR)
    torch.testing.assert_close(spread[0], expected, rtol=1e-6, atol=1e-9)
    assert (spread[2] == 1).all()  # no nitrogen


def test_prepared_energies_are_small_and_exact():
    data = structures()
    model = build(MODEL, 0)
    prepare(model, data, scale_features=True)
    prepared = examples(model, data)
    assert np.abs(prepared.energies).max() < 200
    totals = model.self_energy(
        Batch.from_molecules(
            [
                (part.numbers.astype(int), part.coordinates)
                for part in (data.select([i]) for i in range(len(data)))
            ]
        )
    )
    np.testing.assert_allclose(prepared.energies + totals.numpy(), data.energies, rtol=0, atol=1e-7)
    assert model.self_energies.dtype == torch.float64
    assert abs(model.self_energies[1] - ATOMIC_ENERGIES[6]) < 500


def test_scaling_is_folded_into_a_plain_model():
    data = structures()
    model = build(MODEL, 0).double()
    prepare(model, data, scale_features=True)
    part = data.select([3])
    batch = Batch.from_molecules([(part.numbers.astype(int), part.coordinates)])
    plain = model.folded()
    assert (plain.feature_scale == 1).all()
    torch.testing.assert_close(evaluate(plain, batch, 0).energies, evaluate(model, batch, 0).energies)
