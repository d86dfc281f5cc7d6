"""Where models are trained and evaluated: the setting `device` of a profile.

Results depend on it by rounding alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hessbench.config.base import PARAMS, Section, read_yaml, validate
from hessbench.errors import ConfigurationError

if TYPE_CHECKING:
    import torch

Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]
"""auto: the GPU if torch finds one, else the processor; cuda: the GPU; cuda:1: the second one."""


class DeviceSetting(Section):
    """The setting by itself; it stands at the top level of a profile."""

    device: Device = "auto"


def device_name(device: "torch.device") -> str:
    """What a device is called in notes on a training: "cpu", or the name of the GPU."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def chosen_device(path: Path = PARAMS) -> "torch.device":
    """Find the device that a file of settings names under `device`; auto if it does not, or is not there.

    Raises
    ------
    ConfigurationError
        The setting is none of those allowed, or names a GPU that torch does not find here.
    """
    import torch

    content = read_yaml(path) if path.exists() else {}
    named = {key: value for key, value in content.items() if key == "device"}
    stated = validate(DeviceSetting, named, source=path).device
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    device = torch.device(("cuda" if found else "cpu") if stated == "auto" else stated)
    if device.type == "cuda" and (device.index or 0) >= found:
        gpus = "no GPU" if not found else f"{found} GPU" + ("s" if found > 1 else "")
        raise ConfigurationError(
            f"{path}: device: {stated}, but torch {torch.__version__} finds {gpus} here; write auto, cpu"
            + (" or cuda." if found else ".")
        )
    return device
