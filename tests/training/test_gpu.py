"""Training on a GPU: the same losses as on the CPU, and checkpoints that either can go on from."""

import numpy as np
import pytest
import torch

from hessbench.potential import build
from hessbench.training.loop import train
from hessbench.training.preparation import examples
from tests.gpu import NEEDS_GPU
from tests.training.synthetic import MODEL, structures, training_config

pytestmark = NEEDS_GPU

DATA = structures()


def trained(device: str, loss: str, epochs: int = 3, **keywords):
    config = training_config(epochs=epochs)
    model = build(MODEL, 0).double()
    model.prepare(DATA)
    training, validation = (examples(model, DATA.select(part)) for part in (np.arange(8), np.arange(8, 12)))
    model.to(device)
    history = train(model, training, validation, config.losses[loss], config, **keywords)
    return model, [row["training_loss"] for row in history]


@pytest.mark.parametrize("loss", ["e", "ef", "efh", "efhvp"])
def test_the_same_losses_as_on_the_cpu(loss) -> None:
    assert trained("cuda", loss)[1] == pytest.approx(trained("cpu", loss)[1], rel=1e-6)


@pytest.mark.parametrize("devices", [("cuda", "cpu"), ("cpu", "cuda")])
def test_the_other_device_goes_on_from_a_checkpoint(tmp_path, devices) -> None:
    class StopError(Exception):
        pass

    def stop(row) -> None:
        if row["epoch"] == 2:
            raise StopError

    with pytest.raises(StopError):
        trained(devices[0], "efh", epochs=4, checkpoint=tmp_path / "c", report=stop)
    model, losses = trained(devices[1], "efh", epochs=4, checkpoint=tmp_path / "c")
    whole, expected = trained("cpu", "efh", epochs=4)
    assert losses == pytest.approx(expected, rel=1e-6)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name].cpu(), tensor, rtol=1e-5, atol=1e-6)
