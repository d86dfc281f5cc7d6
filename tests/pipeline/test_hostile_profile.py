"""A hostile name in a profile runs no command, and ends the run at its first stage."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def hostile(content: dict, kind: str, command: str) -> None:
    """Put a command where a loss or a percent is named."""
    if kind == "loss":
        content["training"]["losses"][f"e; {command} #"] = content["training"]["losses"]["e"]
    else:
        content["split"]["training_percents"] = [f"80; {command} #"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["loss", "percent"])
@pytest.mark.parametrize("what", ["repro", "repro train evaluate", "repro --keep-going"])
def test_no_command_in_a_name_is_run(tmp_path: Path, kind: str, what: str) -> None:
    for name in ("dvc.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("hessbench", "reproduce"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    content = yaml.safe_load((ROOT / "reproduce" / "profiles" / "ci.yaml").read_text(encoding="utf-8"))
    hostile(content, kind, "touch ran")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def dvc(arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(programs / "dvc"), *arguments.split()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert dvc("init --no-scm").returncode == 0
    result = dvc(what)
    assert result.returncode != 0
    assert "touch ran" in result.stdout + result.stderr  # the refusal names it
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "models").exists()
