"""Batches."""

import pytest
import torch
from ase.build import bulk, molecule

from hessbench.errors import HessbenchError
from hessbench.potential import Batch
from tests.molecules import small_model


def test_offsets_and_slices() -> None:
    batch = Batch.from_atoms([molecule("H2O"), molecule("CH4"), molecule("N2")])
    assert batch.offsets.tolist() == [0, 3, 8, 10]
    assert batch.hessian_offsets.tolist() == [0, 81, 81 + 225, 81 + 225 + 36]
    assert batch.molecule.tolist() == [0] * 3 + [1] * 5 + [2] * 2
    part = batch.slice(1, 3)
    assert part.numbers.tolist() == [6, 1, 1, 1, 1, 7, 7]
    assert torch.equal(part.coordinates, batch.coordinates[3:])
    assert len(part) == 2
    assert batch.to(dtype=torch.float32).coordinates.dtype == torch.float32


def test_hessian_of_one_molecule() -> None:
    batch = Batch.from_atoms([molecule("H2O"), molecule("CH4")])
    result = small_model().predict(batch, 2)
    assert result.hessian(batch, 1).shape == (15, 15)
    assert torch.equal(result.hessian(batch, 1).flatten(), result.hessians[81:])
    with pytest.raises(HessbenchError, match="derivatives=2"):
        small_model().predict(batch, 1).hessian(batch, 0)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(HessbenchError, match="counts"):
        Batch(torch.tensor([1]), torch.zeros(2, 3), torch.tensor([2]))
    with pytest.raises(HessbenchError, match="periodic"):
        Batch.from_atoms([bulk("C")])
    with pytest.raises(HessbenchError, match="at least one"):
        Batch.from_atoms([])
    batch = Batch.from_atoms([molecule("H2O")], torch.float32)
    with pytest.raises(HessbenchError, match=r"float32.*float64"):
        small_model().predict(batch, 1)
    with pytest.raises(HessbenchError, match="Probes"):
        small_model().predict(batch.to(dtype=torch.float64), 1, torch.zeros(2, 3, 1))
