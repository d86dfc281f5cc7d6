"""The scripts of examples/ run as their first lines say, in an empty folder."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.slow


def run(name: str, *arguments: object, folder: Path) -> str:
    command = [sys.executable, EXAMPLES / name, *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_models_trained_on_own_data_predict(tmp_path: Path) -> None:
    trained = run("train_on_own_data.py", folder=tmp_path).splitlines()
    assert [line.split(":")[0] for line in trained] == ["example-models/80/ef", "example-models/80/efh"]
    hessian = [float(line.rsplit(maxsplit=2)[1]) for line in trained]
    assert hessian[1] < hessian[0]
    files = sorted(tmp_path.glob("example-models/80/efh/seed-*.safetensors"))
    assert len(files) == 2
    printed = run("predict_hessian.py", *files, folder=tmp_path)
    assert "wavenumbers, cm-1:" in printed
    assert "spread of the models" in printed


def test_own_loss(tmp_path: Path) -> None:
    printed = run("own_loss.py", folder=tmp_path)
    assert "example-models/80/efh: Hessian RMSE" in printed
    assert "example-models/80/two-rows: Hessian RMSE" in printed


def test_every_example_is_run_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(path.name in text for path in EXAMPLES.glob("*.py"))
