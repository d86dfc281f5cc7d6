"""What the wheel holds, and that it works where there is no clone."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from ase.build import molecule

import hessbench
from tests.cli.test_evaluate_calculator import CALCULATOR
from tests.formats.writers import write_extxyz

ROOT = Path(__file__).parents[2]
MODELS = "archive/full/models"
SOURCES = ("hessbench", MODELS, "pyproject.toml", "setup.py", "README.md", "LICENSE")
MAKE_MODELS = """
from pathlib import Path

import hessbench
from hessbench.potential import ModelConfig, build

for seed in range(2):
    settings = ModelConfig.model_validate({"kind": "ani", "hidden": [8]})
    build(settings, seed).save(Path(f"seed-{seed}.safetensors"))
print(hessbench.__file__)
"""
LOAD_MODELS = """
import hessbench
from ase.build import molecule

atoms = molecule("CH3CHO")
atoms.calc = hessbench.load("efh").calculator()
print(atoms.get_potential_energy(), atoms.calc.results["energy_spread"])
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working tree, built from a copy, so that nothing is left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    pip(str(source), "--wheel-dir", str(folder), command="wheel")
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel, and all else from the present one."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    base = {"base": str(environment)}
    packages, programs = (Path(sysconfig.get_path(name, "venv", base)) for name in ("purelib", "scripts"))
    # A path in a .pth file comes after the environment's own packages; .pth files in there are not read.
    present = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "present.pth").write_text("\n".join(sorted(present)) + "\n", encoding="utf-8")
    pip(str(wheel), command="install", options=("--python", str(programs / "python")))
    return programs


@pytest.fixture
def run(scripts: Path, tmp_path: Path):
    """Run a program of the environment in an empty folder, with no way back to the clone."""
    environment = {name: value for name, value in os.environ.items() if "PYTHON" not in name}

    def call(*arguments: str, status: int = 0) -> str:
        command = [str(scripts / arguments[0]), *arguments[1:]]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        assert result.returncode == status, result.stderr
        return result.stdout + (result.stderr if status else "")

    return call


def test_content(wheel: Path) -> None:
    """Code, data and archived models, and nothing else: no tests, no profiles, no figures."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "hessbench"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout.splitlines()
    ensemble = (*(f"seed-{seed}.safetensors" for seed in range(4)), "training.json")
    models = {f"hessbench/archived/80/{loss}/{name}" for loss in ("e", "ef", "efh") for name in ensemble}
    assert names == {*tracked, *models}
    assert wheel.stat().st_size < 40e6


def test_a_hessian_is_predicted(run, scripts: Path) -> None:
    assert Path(run("python", "-c", MAKE_MODELS).strip()).is_relative_to(scripts.parent)
    example = ROOT / "examples" / "predict_hessian.py"
    output = run("python", str(example), "seed-0.safetensors", "seed-1.safetensors")
    assert "wavenumbers, cm-1:" in output
    assert "spread of the models:" in output


def test_archived_models_are_loaded(run) -> None:
    """They are those of the clone."""
    energy, spread = map(float, run("python", "-c", LOAD_MODELS).split())
    atoms = molecule("CH3CHO")
    atoms.calc = hessbench.load("efh").calculator()
    assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
    assert spread == pytest.approx(atoms.calc.results["energy_spread"], abs=1e-4)
    assert spread > 0


def test_files_are_converted_and_inspected(run, computed, tmp_path: Path) -> None:
    write_extxyz(tmp_path / "mine.extxyz", computed)
    run("hessbench", "convert", "mine.extxyz", "mine.h5")
    assert "2 reactions" in run("hessbench", "inspect", "mine.h5")
    run("hessbench", "data", "verify", "mine.h5")


def test_a_calculator_is_evaluated(run, tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text(CALCULATOR, encoding="utf-8")
    output = run("hessbench", "evaluate", "--calculator", "trap.py")
    assert "scored on the data that come with the package" in output
    assert (tmp_path / "results/brought/errors/trap-80.parquet").exists()


@pytest.mark.parametrize(
    "words", ["profile list", "figure 1", "table 2", "report", "check", "pin", "archive verify"]
)
def test_what_needs_the_clone_says_so(run, words: str) -> None:
    assert "needs a clone of hessbench's repository" in run("hessbench", *words.split(), status=2)


def pip(*arguments: str, command: str, options: tuple[str, ...] = ()) -> None:
    """Call pip without a network: what is not there is not sought."""
    always = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    build = ("--no-build-isolation",) if command == "wheel" else ()
    subprocess.run([sys.executable, "-m", "pip", *options, command, *always, *build, *arguments], check=True)
