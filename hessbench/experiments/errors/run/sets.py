"""The test sets: of the active data, or of the embedded data where there are no others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hessbench.config.base import validate
from hessbench.data.locations import SETS, active_file
from hessbench.data.settings import SplitConfig
from hessbench.data.split import Split, families, make_split, read_split
from hessbench.data.structures import Structures
from hessbench.embedded import EMBEDDED
from hessbench.experiments.errors.run.scoring import TestSet


@dataclass(frozen=True)
class Sets:
    """Test sets by name ("rtp", "irc", "nms"), a training part, and the split that divided the two."""

    tested: dict[str, TestSet]
    training: Structures
    split: Split


def active_sets(split_file: Path, percent: int) -> Sets:
    """Test sets of the active data, with the training part of a size in percent of all structures.

    Raises
    ------
    HessbenchError
        A file is missing or damaged, or the split has no such size.
    """
    return _load(
        {name: active_file(name) for name in SETS}, lambda rtp, data: read_split(split_file, data), percent
    )


def embedded_sets(percent: int) -> Sets:
    """Test sets of the embedded data, divided as by the desktop profile: they need no file but the package's.

    Raises
    ------
    HessbenchError
        There cannot be a training part of this size.
    """
    content = {"training_percents": [percent]}
    config = validate(SplitConfig, content, source="--percent", prefix="split")
    return _load(
        {name: EMBEDDED / f"{name}.h5" for name in SETS},
        lambda rtp, data: make_split(families(rtp.reaction_names)[rtp.reactions], data, config),
        percent,
    )


def _load(files: Mapping[str, Path], split_of: Callable[[Structures, str], Split], percent: int) -> Sets:
    tested = {name: TestSet.read(path) for name, path in files.items()}
    stationary = tested["rtp"]
    split = split_of(stationary.structures, stationary.data)
    training = stationary.structures.select(split.training_at(percent))
    held_out = stationary.structures.select(split.test)
    tested["rtp"] = TestSet(stationary.data, stationary.level, held_out)
    return Sets(tested, training, split)
