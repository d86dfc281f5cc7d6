import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hessbench.config.device import chosen_device
from hessbench.errors import ConfigurationError

ROOT = Path(__file__).parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text)
    return path


def test_what_is_not_stated_is_auto(tmp_path: Path) -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert chosen_device(tmp_path / "params.yaml").type == expected
    assert chosen_device(written(tmp_path, "profile: mine\n")).type == expected
    assert chosen_device(written(tmp_path, "device: auto\n")).type == expected
    assert chosen_device(written(tmp_path, "device: cpu\n")) == torch.device("cpu")


def test_a_gpu_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    index = torch.cuda.device_count()
    with pytest.raises(ConfigurationError, match=rf"device: cuda:{index}, but torch .* finds .*GPU.* here"):
        chosen_device(written(tmp_path, f"device: cuda:{index}\n"))


@pytest.mark.parametrize("stated", ["gpu", "cuda:x", "cpu:0", "[cuda]", "7"])
def test_no_device(tmp_path: Path, stated) -> None:
    with pytest.raises(ConfigurationError, match="device"):
        chosen_device(written(tmp_path, f"device: {stated}\n"))


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_command_ends_with_status_2(tmp_path: Path) -> None:
    profile = (ROOT / "reproduce/profiles/ci.yaml").read_text(encoding="utf-8")
    written(tmp_path, profile.replace("device: cpu", "device: cuda"))
    command = [sys.executable, "-m", "hessbench", "single-ts"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2, result.stderr
    assert result.stderr.splitlines()[-1].startswith("hessbench: params.yaml: device: cuda, but torch")
