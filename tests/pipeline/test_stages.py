"""dvc.yaml: stages depend on the folders they run and on the parameters and files they read."""

from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from hessbench.cli import COMMANDS, module_of
from hessbench.config.base import Section
from hessbench.config.inputs import Stage, file_of
from hessbench.experiments.registry import all_experiments
from hessbench.profiles.provenance import stages
from hessbench.profiles.schema import SCHEMA, load_profile
from hessbench.system.sources import DATA, PACKAGES, folders
from hessbench.training.settings import TrainingConfig

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PROFILES = ["smoke", "ci", "desktop", "full", "paper"]
MODULES_OF_THE_PAPER = {"figure": "figure", "table": "table", "report": "*"}
"""Commands that run modules of reproduce/, to those that they run."""
OF_ONE_QUEUE = dict.fromkeys(("weights", "robustness", "cost"), "variants")
"""Experiments that a stage does together, all their models in one queue, to this stage."""
ORDER_ONLY = {"seeds", "losses", "processes", "checkpoint_epochs", "hessian_validation_epochs"}
"""Training settings that are granular elsewhere, or that change no weight of a model."""


def code_of(stage: dict) -> list[str]:
    """Folders that the command of a stage imports."""
    command = stage["cmd"].split()[1]
    kind = MODULES_OF_THE_PAPER.get(command)
    modules = [f"reproduce.{path.stem}" for path in (ROOT / "reproduce").glob(f"{kind}_*.py")]
    return folders(module_of(command), *modules)


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_stage_depends_on_the_folders_that_its_command_imports(name: str) -> None:
    stage = STAGES[name]
    ours = [item for item in stage["deps"] if item.split("/")[0] in PACKAGES]
    named = [item for item in ours if not item.startswith(DATA)]
    assert named == code_of(stage)
    assert not any(item.endswith(".py") for item in stage["deps"])


def test_an_edit_of_readers_plots_or_the_command_line_retrains_nothing() -> None:
    others = ("hessbench/formats", "hessbench/plotting", "hessbench/cli", "hessbench/results", "reproduce")
    assert not set(others) & set(STAGES["train"]["deps"])


def makers() -> dict[str, list[Stage]]:
    """Stages of dvc.yaml that make results, each to what it makes."""
    found: dict[str, list[Stage]] = {}
    for stage in stages():
        found.setdefault(OF_ONE_QUEUE.get(stage.name, stage.name), []).append(stage)
    return found


@pytest.mark.parametrize("name", makers())
def test_what_results_are_compared_by_is_what_reruns_their_stage(name: str) -> None:
    """Else results could count as those of another run, and `dvc repro` would not make them anew."""
    pipeline, made = STAGES[name], makers()[name]
    assert {folder for stage in made for folder in folders(stage.package)} <= set(pipeline["deps"])
    of_the_matrix = {"split.training_percents.{percent}"}
    # a stage trains all losses; its command leaves those alone that did not change
    paths = {path for stage in made for path in stage.settings} - of_the_matrix
    settings = {path.removesuffix(".{loss}") for path in paths}
    # which losses are evaluated says nothing of one that is: its models say what they are made from
    which = {"training.losses"} if name == "evaluate" else set()
    assert settings | which == set(pipeline.get("params", []))
    files = [file for stage in made for file in (*stage.files, *stage.data.values())]
    for profile_name in PROFILES:
        profile = load_profile(ROOT / "reproduce" / "profiles" / f"{profile_name}.yaml")
        sections = {key: value for key, value in profile if isinstance(value, Section)}
        for file in files:
            path = file_of(sections, file)
            assert path is None or path.relative_to(ROOT).as_posix() in pipeline["deps"]


def test_every_experiment_has_a_stage() -> None:
    assert set(makers()) <= set(STAGES)
    assert not set(OF_ONE_QUEUE) & set(STAGES)
    assert len(stages()) == len(all_experiments()) + 1


def test_the_name_of_the_profile_reruns_no_computation() -> None:
    assert not any("profile" in stage.get("params", []) for stage in STAGES.values())
    readers = {"tables", "figures", "report"}
    shown = {name for name, stage in STAGES.items() if "results/run.json" in stage["deps"]}
    assert shown == readers


@pytest.mark.parametrize("name", sorted(STAGES))
def test_stage_commands_and_parameters_exist(name: str) -> None:
    stage = STAGES[name]
    assert stage["cmd"].split()[1] in COMMANDS
    for parameter in stage.get("params", []):
        section, _, key = parameter.partition(".")
        assert section in SCHEMA.model_fields, parameter
        fields = getattr(SCHEMA.model_fields[section].annotation, "model_fields", {})
        assert not key or key.split(".")[0] in fields, parameter


def test_training_depends_on_every_setting_that_decides_about_a_model() -> None:
    params = {item.removeprefix("training.") for item in STAGES["train"]["params"]}
    assert set(TrainingConfig.model_fields) - ORDER_ONLY <= params
    assert {"seeds", "losses"} <= params


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_states_every_parameter_of_a_stage(profile: str) -> None:
    content = yaml.safe_load((ROOT / "reproduce" / "profiles" / f"{profile}.yaml").read_text())
    for name, stage in STAGES.items():
        for parameter in stage.get("params", []):
            place = content
            for key in parameter.split("."):
                assert key in place, f"{name} needs {parameter}"
                place = place[key]


def test_the_pipeline_of_an_archived_run_is_not_run_here() -> None:
    """Every dvc.yaml below the root would be a part of `dvc repro`."""
    assert {Path(stage.path) for stage in Repo(str(ROOT)).index.stages} == {ROOT / "dvc.yaml"}
