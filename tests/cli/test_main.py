"""The command line: help is quick and complete, a user's error is one sentence and exit status 2."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hessbench.cli import COMMANDS, main, module_of


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "120"}
    command = [sys.executable, "-m", "hessbench", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, check=False)


def test_help_lists_every_command_without_importing_torch(tmp_path: Path) -> None:
    result = run("--help", cwd=tmp_path)
    assert result.returncode == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)
    code = "import sys, hessbench.cli as c; c.cli.list_commands(None); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    command = importlib.import_module(module_of(name)).command
    assert command.help


def test_file_that_cannot_be_written_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("fetch", "--source", "http://127.0.0.1:9", "--to", "file/folder", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "hessbench: file/folder: Not a directory.\n"


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("hessbench.generate.cluster", "distributed", "hessbench.cli.generate"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SystemExit) as caught:
        main(["generate", "rtp", "--workers", "1"])
    assert caught.value.code == 2
    assert "this needs distributed: python -m pip install 'hessbench[generate]'" in capsys.readouterr().err


def test_error_of_the_user_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    result = run("profile", "validate", "missing.yaml", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("hessbench: missing.yaml does not exist;")
    assert result.stderr.count("\n") == 1


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = run("--debug", "profile", "validate", "missing.yaml", cwd=tmp_path)
    assert result.returncode != 0
    assert "Traceback" in result.stderr
    assert "ConfigurationError" in result.stderr


def test_unknown_command_and_option_are_status_2(tmp_path: Path) -> None:
    assert run("tarin", cwd=tmp_path).returncode == 2
    assert run("profile", "--nope", cwd=tmp_path).returncode == 2
