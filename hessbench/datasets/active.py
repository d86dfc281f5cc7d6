"""The active data set: the profile's source or a part of it, where all stages look for it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hessbench.data.layout import Reaction, ReactionFile, verify, write_reactions
from hessbench.data.locations import GENERATED, SETS, active_file
from hessbench.datasets.settings import DataConfig
from hessbench.embedded import EMBEDDED
from hessbench.errors import HessbenchError
from hessbench.system.files import replacing


def prepare_active(config: DataConfig) -> dict[str, str]:
    """Put the active data set in place.

    Every reaction that is used has been read and checked once, so that a damaged file stops here and not
    in the middle of a training.

    Returns
    -------
    dict
        Set to identifier of its file.

    Raises
    ------
    HessbenchError
        A file is missing or damaged, or holds fewer reactions than asked for.
    """
    sources = SOURCES[config.source]()
    chosen = choose_reactions(sources, config)
    identifiers = {}
    for name in SETS:
        target = active_file(name)
        if chosen[name] is None:
            verify(sources[name]).close()
            with replacing(target) as temporary:
                shutil.copyfile(sources[name], temporary)
        else:
            _write_part(sources[name], chosen[name] or [], target)
        with ReactionFile(target) as file:
            identifiers[name] = file.identifier
    return identifiers


def choose_reactions(sources: dict[str, Path], config: DataConfig) -> dict[str, list[str] | None]:
    """Names of the reactions to use of each set; None where all are used.

    IRC and NMS take the same reactions as far as their numbers go, and these belong to the RTP reactions,
    as in the paper (section 2.1), whatever the sizes.

    Raises
    ------
    HessbenchError
        More reactions are asked for than there are.
    """
    names: dict[str, list[str]] = {}
    for name in SETS:
        with ReactionFile(sources[name]) as file:
            names[name] = file.names
        wanted = getattr(config.reactions, name)
        if wanted is not None and wanted > len(names[name]):
            raise HessbenchError(
                f"params.yaml, data.reactions.{name}: {wanted} asked for, "
                f"but {sources[name]} holds {len(names[name])}."
            )
    every = sorted(set().union(*names.values()))
    place = dict(zip(every, np.random.default_rng(config.seed).permutation(len(every)), strict=True))
    pathways = set(names["irc"]) | set(names["nms"])
    chosen: dict[str, list[str] | None] = {}
    for name in SETS:
        wanted = getattr(config.reactions, name)
        if wanted is None:
            chosen[name] = None
            continue
        ranked = sorted(names[name], key=lambda item: (item not in pathways, place[item]))
        chosen[name] = sorted(ranked[:wanted])
    return chosen


def _write_part(source: Path, names: list[str], target: Path) -> None:
    with ReactionFile(source) as file:

        def reactions() -> Iterator[Reaction]:
            for name in tqdm(names, desc=f"data {target.stem}", unit="reaction", delay=2):
                yield file[name]

        metadata = replace(
            file.metadata, name=f"{file.metadata.name} ({len(names)} of {len(file)} reactions)"
        )
        write_reactions(target, reactions(), metadata)


def _embedded() -> dict[str, Path]:
    return {name: EMBEDDED / f"{name}.h5" for name in SETS}


def _generated() -> dict[str, Path]:
    files = {name: GENERATED / f"{name}.h5" for name in SETS}
    missing = [path for path in files.values() if not path.exists()]
    if missing:
        raise HessbenchError(
            f"{missing[0]} does not exist; make it with `hessbench generate {missing[0].stem}` "
            "(docs/generate.md says what it costs), or set data.source to embedded."
        )
    return files


def _openreact() -> dict[str, Path]:
    from hessbench.datasets.openreact import published_sets  # needs pooch and network, the others do not

    return published_sets()


SOURCES: dict[str, Callable[[], dict[str, Path]]] = {
    "embedded": _embedded,
    "generated": _generated,
    "openreact": _openreact,
}
"""Where the files of a source are, by its name in the profile."""
