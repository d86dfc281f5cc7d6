"""dvc.yaml: stages depend on the code they run and on the parameters they read."""

import sys
from pathlib import Path

import pytest
import yaml

from hessbench.cli import COMMANDS
from hessbench.profiles.schema import SCHEMA
from hessbench.training.settings import TrainingConfig

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import stage_sources  # noqa: E402

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
ORDER_ONLY = {"seeds", "losses", "processes", "checkpoint_epochs", "hessian_validation_epochs"}
"""Training settings that are granular elsewhere, or that change no weight of a model."""


def test_every_stage_names_exactly_the_sources_its_command_imports() -> None:
    found = stage_sources.differences(STAGES)
    assert not found, f"run `python tools/stage_sources.py --write`: {found}"


def test_closure_follows_imports_through_modules(tmp_path: Path) -> None:
    files = stage_sources.closure("hessbench.cli.train")
    assert {"hessbench/cli/train.py", "hessbench/potential/ani/model.py", "hessbench/units.py"} <= files
    assert not any(file.startswith(("hessbench/verification", "hessbench/generate")) for file in files)


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
    assert {"seeds", "losses.${item.loss}"} <= params


def test_a_loss_of_one_training_is_no_parameter_of_the_others() -> None:
    assert not {"training", "training.losses"} & set(STAGES["train"]["params"])


@pytest.mark.parametrize("profile", ["ci", "desktop", "full", "paper"])
def test_every_profile_states_every_parameter_of_a_stage(profile: str) -> None:
    content = yaml.safe_load((ROOT / "reproduce" / "profiles" / f"{profile}.yaml").read_text())
    for name, stage in STAGES.items():
        for parameter in stage.get("params", []):
            for loss in content["training"]["losses"]:
                place = content
                for key in parameter.replace("${item.loss}", loss).split("."):
                    assert key in place, f"{name} needs {parameter}"
                    place = place[key]
