"""Settings name the embedded data in a way that is the same on every machine."""

from pathlib import Path

import pytest

from hessbench.config.base import validate
from hessbench.config.data_file import KINDS, named
from hessbench.embedded import EMBEDDED
from hessbench.errors import ConfigurationError
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.stability.run.settings import StabilityConfig


def test_default_is_a_file_that_is_there_under_a_name_without_a_machine() -> None:
    config = StabilityConfig()
    assert config.molecules == EMBEDDED / "md17.extxyz"
    assert config.molecules.is_file()
    assert config.model_dump(mode="json")["molecules"] == "embedded:md17.extxyz"
    assert StabilityConfig.model_validate(config.model_dump(mode="json")) == config


def test_a_file_of_the_users_own_stays_as_it_is() -> None:
    config = StabilityConfig.model_validate({"molecules": "mine/md17.extxyz"})
    assert config.molecules == Path("mine/md17.extxyz")
    assert config.model_dump(mode="json")["molecules"] == "mine/md17.extxyz"
    assert NebConfig(geometries=None).model_dump(mode="json")["geometries"] is None


def test_every_embedded_file_of_data_has_a_name() -> None:
    files = [path for path in EMBEDDED.iterdir() if path.suffix in KINDS]
    assert len(files) == 7
    for path in files:
        assert StabilityConfig.model_validate({"molecules": named(path)}).molecules == path


@pytest.mark.parametrize("name", ["embedded:nothing.h5", "embedded:../units.py", "embedded:README.md"])
def test_an_unknown_name_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"stability\.molecules: .*embedded:md17\.extxyz"):
        validate(StabilityConfig, {"molecules": name}, source="params.yaml", prefix="stability")
