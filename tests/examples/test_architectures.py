"""The settings of docs/architectures.md: valid, and the same but for what an architecture needs."""

from pathlib import Path

from hessbench.config.base import load_section, read_yaml
from hessbench.data.settings import SplitConfig
from hessbench.datasets.settings import DataConfig
from hessbench.potential import ModelConfig
from hessbench.training.settings import TrainingConfig

FOLDER = Path(__file__).parents[2] / "docs" / "architectures"


def test_architectures_are_compared_at_equal_settings() -> None:
    contents = []
    for path in sorted(FOLDER.glob("*.yaml")):
        load_section(DataConfig, "data", path)
        load_section(SplitConfig, "split", path)
        load_section(TrainingConfig, "training", path)
        assert load_section(ModelConfig, "model", path).kind == path.stem
        content = read_yaml(path)
        del content["profile"], content["model"], content["training"]["optimizer"]
        contents.append(content)
    assert len(contents) == 2
    assert contents[0] == contents[1]
