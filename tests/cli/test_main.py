"""The command line: help is quick and complete, a user's error is one sentence and exit status 2."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hessbench.cli import ANYWHERE, COMMANDS, _sentence, main, module_of
from hessbench.system.clone import MARKS

ROOT = Path(__file__).parents[2]


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


def test_commands_that_no_potential_takes_part_in_do_not_import_torch() -> None:
    """It takes more than a second, and each stage of the pipeline is a process of its own."""
    names = map(module_of, ("baselines", "calibration", "composition", "correlation", "curvature"))
    code = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
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
    for module in ("hessbench.cluster.connection", "distributed", "hessbench.cli.generate"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SystemExit) as caught:
        main(["generate", "rtp", "--workers", "1"])
    assert caught.value.code == 2
    assert "this needs distributed: python -m pip install 'hessbench[generate]'" in capsys.readouterr().err


def test_error_of_the_user_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    result = run("profile", "validate", "missing.yaml", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("hessbench: missing.yaml: does not exist;")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - ANYWHERE))
def test_below_the_root_of_a_clone_the_root_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "docs")
    with pytest.raises(SystemExit) as caught:
        main([name, "list"])
    assert caught.value.code == 2
    assert f"`hessbench {name}` works in the root of a clone: call it in {ROOT}" in capsys.readouterr().err


def test_a_folder_with_settings_of_its_own_is_a_place_to_work_in(tmp_path: Path) -> None:
    for mark in MARKS:
        (tmp_path / mark).parent.mkdir(exist_ok=True)
        (tmp_path / mark).touch()
    below = tmp_path / "mine"
    below.mkdir()
    assert "call it in" in run("split", cwd=below).stderr
    (below / "params.yaml").write_text("split: {}\n")
    assert "data/active/rtp.h5" in run("split", cwd=below).stderr


@pytest.mark.parametrize("words", ["profile list", "figure 1", "table 1", "report", "check", "pin"])
def test_outside_of_a_clone_the_commands_that_need_it_say_so(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(words.split())
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "needs a clone of hessbench's repository" in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = run("--debug", "profile", "validate", "missing.yaml", cwd=tmp_path)
    assert result.returncode != 0
    assert "Traceback" in result.stderr
    assert "ConfigurationError" in result.stderr


def test_unknown_command_and_option_are_status_2(tmp_path: Path) -> None:
    assert run("tarin", cwd=tmp_path).returncode == 2
    assert run("profile", "--nope", cwd=tmp_path).returncode == 2


LIMITED = """
import resource
from hessbench.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
main(["dataset"])
"""


def test_a_file_that_may_not_grow_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    shutil.copy(ROOT / "reproduce/profiles/ci.yaml", tmp_path / "params.yaml")
    command = [sys.executable, "-c", LIMITED]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    last = result.stderr.strip().splitlines()[-1]
    assert (
        last == "hessbench: file too large; make room, then give the same command: what is finished is kept."
    )
    assert not list((tmp_path / "data/active").iterdir())


def test_too_little_memory_is_one_sentence() -> None:
    assert "too little memory" in str(_sentence(MemoryError()))


def test_compile_needs_no_particular_element(tmp_path: Path) -> None:
    settings = (ROOT / "params.yaml").read_text()
    changed = settings.replace("  kind: ani\n", "  kind: ani\n  elements: [O, C]\n", 1)
    assert changed != settings
    (tmp_path / "params.yaml").write_text(changed)
    done = run("compile", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ready in float32" in done.stdout
