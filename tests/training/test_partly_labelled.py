"""Training on structures of which only some have Hessians, against automatic differentiation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hessbench.data.structures import Structures, concatenate
from hessbench.errors import TrainingError
from hessbench.potential import Batch, build
from hessbench.training.batches import Examples, batches, predict_labelled, to_tensors, with_hessians
from hessbench.training.loop import train
from hessbench.training.loss import draw, term_errors, weighted_sum, with_products
from hessbench.training.preparation import examples
from hessbench.training.validation import validate
from tests.training.synthetic import MODEL, loss_of, reactions, training_config


def mixed(count: int = 4, without: tuple[int, ...] = (0, 2), per_reaction: int = 2) -> Structures:
    """Reactions of different molecules, those of these numbers without Hessians."""
    return concatenate(
        [
            replace(item, hessians=None) if index in without else item
            for index, item in enumerate(reactions(count, per_reaction))
        ]
    )


def oracle(model, data: Structures, loss, probes=None) -> torch.Tensor:
    """Loss of all structures at once in which derivatives come from autograd, written out."""
    batch = Batch.from_structures(data, model.dtype)
    found = model.reference_predict(batch, 2)
    energies = examples(model, data).energies
    total = (found.energies - torch.as_tensor(energies)).pow(2).mean().sqrt()
    total = (
        total + loss.term("force").weight * (found.forces - torch.as_tensor(data.forces)).pow(2).mean().sqrt()
    )
    squares, elements = 0.0, 0
    starts = data.hessian_offsets
    row = 0
    for index, has in enumerate(data.have_hessians):
        if not has:
            continue
        size = 3 * int(data.counts[index])
        wanted = torch.as_tensor(data.hessians[starts[index] : starts[index + 1]]).view(size, size)
        error = found.hessian(batch, index) - wanted.double()
        if probes is None:
            squares, elements = squares + error.pow(2).sum(), elements + size**2
        else:
            vectors = probes[row : row + size // 3].flatten(0, 1)
            squares = squares + (error @ vectors).pow(2).sum()
            elements += vectors.shape[1] * size**2
            row += size // 3
    return total + loss.term("hessian").weight * (squares / elements).sqrt()


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("estimator", [{}, {"estimator": "rademacher", "count": 2}])
def test_loss_and_gradient_of_a_mixed_batch_are_those_of_autograd(monkeypatch, backend, estimator):
    monkeypatch.setenv("HESSBENCH_BACKEND", backend)
    data, loss = mixed(), loss_of(1, 0.08, 0.02, **estimator)
    model = build(MODEL.model_copy(update={"dtype": "float64"}), 0)
    model.prepare(data)
    ((batch, reference),) = batches(examples(model, data), 99, next(model.parameters()))
    labelled = with_hessians(batch, reference)
    assert len(labelled) == data.labelled.sum() == 4
    probes = draw(loss, labelled, torch.Generator().manual_seed(1))
    prediction = predict_labelled(model, batch, len(labelled), loss.derivatives, probes)
    errors = term_errors(loss.terms, prediction, with_products(reference, labelled, probes), labelled)
    parameters = list(model.parameters())
    ours = weighted_sum(errors, loss)
    wanted = oracle(model, data, loss, probes)
    torch.testing.assert_close(ours, wanted, rtol=1e-7, atol=0)
    found, expected = (torch.autograd.grad(value, parameters, allow_unused=True) for value in (ours, wanted))
    for one, other in zip(found, expected, strict=True):
        if other is not None:
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_structures_with_hessians_come_first_and_keep_their_values():
    data = mixed()
    batch, values = to_tensors(Examples(data, data.energies), torch.float64)
    order = np.argsort(~data.labelled, kind="stable")
    np.testing.assert_array_equal(values.energies, data.energies[order])
    np.testing.assert_array_equal(batch.counts, data.counts[order])
    whole = concatenate(reactions(4, 2)).select(order[:4])
    np.testing.assert_array_equal(values.hessians, whole.hessians)


@pytest.mark.parametrize("loss", ["efh", "efhvp"])
def test_training_goes_on_where_a_batch_has_no_hessian(loss):
    data = mixed(6, without=(0, 1, 2, 4, 5))
    config = training_config(batch_size=1, epochs=3)
    model = build(MODEL, 0)
    model.prepare(data)
    before = validate(model, examples(model, data), 2, 5)
    history = train(model, examples(model, data), examples(model, data), config.losses[loss], config)
    assert history[-1]["training_hessian_rmse_kcal_mol_A2"] > 0
    after = validate(model, examples(model, data), 2, 5)
    assert after["hessian"] < before["hessian"]
    assert after["force"] < before["force"]


def test_errors_of_hessians_are_those_of_the_structures_that_have_one():
    data = mixed()
    model = build(MODEL, 0)
    model.prepare(data)
    whole = examples(model, concatenate(reactions(4, 2)))
    part = Examples(whole.structures.select(data.labelled), whole.energies[data.labelled])
    found = validate(model, examples(model, data), 2, 3)
    assert found["hessian"] == pytest.approx(validate(model, part, 2, 3)["hessian"], rel=1e-5)
    assert found["force"] == pytest.approx(validate(model, whole, 1, 3)["force"], rel=1e-5)


def test_no_hessian_anywhere_is_one_sentence():
    data = mixed(3, without=(0, 1, 2))
    some = mixed(3, without=(0, 1))
    model = build(MODEL, 0)
    model.prepare(data)
    config = training_config(keep="best")
    for training, validation, part in ((data, some, "training"), (some, data, "validation")):
        pair = examples(model, training), examples(model, validation)
        with pytest.raises(TrainingError, match=f"no structure of the {part} set has one; leave that term"):
            train(model, *pair, config.losses["efh"], config)
    train(model, examples(model, data), None, config.losses["ef"], training_config(epochs=1))
