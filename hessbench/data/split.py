"""Training, validation and test parts of a data set, with nested training sizes, seeded and saved."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hessbench.config.inputs import digest
from hessbench.data.settings import SplitConfig
from hessbench.errors import DataError, HessbenchError
from hessbench.system.files import write_text
from hessbench.system.reading import reading

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Which structures of a data set train, validate and test.

    Attributes
    ----------
    data
        Identity of the data set (`ReactionFile.identifier`); structures are numbered in the order in which
        `load_structures` reads them.
    structures
        Number of structures in the data set.
    config
        The settings that made the split.
    training
        (T,) all training structures; a smaller set is a first part of it, so the sets are nested.
    sizes
        Percent of all structures to number of training structures.
    validation, test
        Structures for validation, and held out.
    """

    data: str
    structures: int
    config: SplitConfig
    training: Indices
    sizes: dict[int, int]
    validation: Indices
    test: Indices

    @property
    def digest(self) -> str:
        """Digest of the structures that train, validate and test, without the sizes of the training sets."""
        parts = (self.training, self.validation, self.test)
        return digest(b"".join(np.asarray([len(part), *part], dtype="<i8").tobytes() for part in parts))

    def training_at(self, percent: int) -> Indices:
        """Structures of the training set of this size, in ascending order.

        Raises
        ------
        HessbenchError
            The split has no such size.
        """
        if percent not in self.sizes:
            raise HessbenchError(
                f"The split has no training set of {percent} %, only of {', '.join(map(str, self.sizes))}; "
                "add it to split.training_percents and split again."
            )
        return np.sort(self.training[: self.sizes[percent]])


def families(names: Sequence[str]) -> Indices:
    """Number of the reaction that each group of a data file belongs to, (groups,).

    What the layout keeps apart of one reaction, for another order of its atoms or for having no Hessians, is
    named after its first group, `rxn000167-2` after `rxn000167`; no part of it may be tested while another
    trains.
    """
    known = set(names)
    first = [re.sub(r"-\d+$", "", name) for name in names]
    stems = [stem if stem in known else name for stem, name in zip(first, names, strict=True)]
    return np.unique(stems, return_inverse=True)[1].astype(np.int64)


def make_split(reactions: NDArray[np.integer], data: str, config: SplitConfig) -> Split:
    """Shuffle and share out a data set.

    Parameters
    ----------
    reactions
        (M,) reaction of each structure, see `families`.
    data
        Identity of the data set.
    config
        Shares, what is kept together, seed.

    Raises
    ------
    HessbenchError
        The data set is so small that a part would be empty.
    """
    total = len(reactions)
    groups = np.arange(total) if config.by == "structure" else np.unique(reactions, return_inverse=True)[1]
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    order = np.random.default_rng(config.seed).permutation(len(members))
    shuffled = np.concatenate([members[group] for group in order])
    # Whole groups: a part ends at the group boundary nearest to its share.
    boundaries = np.concatenate([[0], np.cumsum([len(members[group]) for group in order])])

    def boundary(percent: float) -> int:
        return int(boundaries[np.abs(boundaries - total * percent / 100).argmin()])

    test = boundary(config.test_percent)
    training = boundary(config.test_percent + config.validation_percent)
    full = 100 - config.test_percent - config.validation_percent
    sizes = {
        percent: total - training
        if percent == full
        else boundary(config.test_percent + config.validation_percent + percent) - training
        for percent in config.training_percents
    }
    if min(test, training - test, *sizes.values()) == 0:
        raise HessbenchError(
            f"{data}: {total} structures in {len(members)} groups are too few to share out "
            f"{config.test_percent} % test, {config.validation_percent} % validation and {min(sizes)} % "
            "training; take more data or larger shares."
        )
    return Split(
        data=data,
        structures=total,
        config=config,
        training=shuffled[training:],
        sizes=sizes,
        validation=np.sort(shuffled[test:training]),
        test=np.sort(shuffled[:test]),
    )


def write_split(split: Split, path: Path) -> None:
    """Write a split as JSON; the file appears whole or not at all."""
    content = asdict(split)
    content["config"] = split.config.model_dump(mode="json")
    for part in ("training", "validation", "test"):
        content[part] = content[part].tolist()
    write_text(path, json.dumps(content, indent=1) + "\n")


def read_split(path: Path, data: str) -> Split:
    """Read a split and make sure that it belongs to a data set.

    Raises
    ------
    DataError
        The file is missing or no split, or it was made for other data.
    """
    missing = "does not exist; run `hessbench split` first."
    with reading(path, "is no split", "run `hessbench split`", missing=missing):
        content = json.loads(path.read_text(encoding="utf-8"))
        split = Split(
            data=content["data"],
            structures=int(content["structures"]),
            config=SplitConfig.model_validate(content["config"]),
            sizes={int(percent): int(size) for percent, size in content["sizes"].items()},
            **{part: np.array(content[part], dtype=np.int64) for part in ("training", "validation", "test")},
        )
    if split.data != data:
        raise DataError(
            path, f"was made for the data {split.data!r}, not for {data!r}; run `hessbench split`."
        )
    parts = np.concatenate([split.training, split.validation, split.test])
    if not np.array_equal(np.sort(parts), np.arange(split.structures)):
        raise DataError(path, "its parts do not share out the structures exactly; run `hessbench split`.")
    return split
