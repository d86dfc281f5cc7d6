import numpy as np
import pytest
import torch

from hessbench.errors import HessbenchError
from hessbench.potential import Batch, build
from hessbench.potential.ani.preparation import FLOOR, feature_statistics
from hessbench.potential.evaluation import sums_of_atomic_energies
from hessbench.training.preparation import examples
from tests.training.synthetic import ATOMIC_ENERGIES, MODEL, structures


def test_mean_and_spread_are_those_over_atoms_of_an_element():
    data = structures()
    model = build(MODEL, 0).double()
    mean, spread = feature_statistics(model, data)
    rows = []
    for index in range(len(data)):
        part = data.select([index])
        species = model.element_indices(torch.as_tensor(part.numbers.astype(np.int64)))[None]
        features = model.aev(species, torch.as_tensor(part.coordinates)[None])[0]
        rows.append(features[species[0] == 0])
    expected = torch.cat(rows).std(0, correction=0).clamp(min=FLOOR)
    torch.testing.assert_close(spread[0], expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(mean[0], torch.cat(rows).mean(0), rtol=1e-6, atol=1e-9)
    assert (spread[2] == 1).all()  # no nitrogen
    assert (mean[2] == 0).all()


def test_prepared_energies_are_small_and_exact():
    data = structures()
    model = build(MODEL, 0)
    model.prepare(data)
    prepared = examples(model, data)
    assert np.abs(prepared.energies).max() < 200
    totals = sums_of_atomic_energies(model, Batch.from_structures(data, model.dtype))
    np.testing.assert_allclose(prepared.energies + totals.numpy(), data.energies, rtol=0, atol=1e-7)
    assert model.atomic_energies.dtype == torch.float64
    assert abs(model.atomic_energies[1] - ATOMIC_ENERGIES[6]) < 500


@pytest.mark.parametrize("features", ["scaled", "standardized"])
def test_mean_and_scale_are_folded_into_a_plain_model(features):
    data = structures()
    model = build(MODEL.model_copy(update={"features": features, "biases": True}), 0).double()
    model.prepare(data)
    assert (model.feature_mean != 0).any() == (features == "standardized")
    part = data.select([3])
    batch = Batch.from_molecules([(part.numbers.astype(int), part.coordinates)])
    plain = model.folded()
    assert (plain.feature_scale == 1).all()
    assert (plain.feature_mean == 0).all()
    torch.testing.assert_close(plain.predict(batch, 0).energies, model.predict(batch, 0).energies)


def test_standardized_features_need_biases():
    with pytest.raises(HessbenchError, match=r"model\.biases: true"):
        build(MODEL.model_copy(update={"features": "standardized", "biases": False}), 0)


def test_features_are_left_as_they_are_if_the_settings_say_so():
    model = build(MODEL.model_copy(update={"features": "raw"}), 0)
    model.prepare(structures())
    assert (model.feature_scale == 1).all()
    assert (model.atomic_energies[:2] != 0).all()
