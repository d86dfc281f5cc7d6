"""The paper's own data set, ready for use: fetched, its units verified, in the one layout."""

from pathlib import Path

from hessbench.data.layout import ReactionFile
from hessbench.datasets.fetch import FetchedFile, fetch
from hessbench.formats.convert import convert
from hessbench.formats.published import OPENREACT
from hessbench.formats.readers.openreact import open_source

DIRECTORY = Path("data/published")
"""Where the verified files are kept."""


def published_sets(directory: Path = DIRECTORY) -> dict[str, Path]:
    """Fetch OpenREACT-CHON-EFH and bring it into the one layout; what was done before is not done again.

    With HESSBENCH_DATA naming a directory of other files in the published layout, these are used, and their
    metadata say so.

    Returns
    -------
    dict
        Set (rtp, irc, nms) to its file.

    Raises
    ------
    DataError
        A file is out of reach, damaged, or its units fit nothing.
    """
    sets = {}
    for file in fetch(OPENREACT):
        name = file.name.removeprefix("molecules-").removesuffix(".h5").lower()
        sets[name] = directory / f"{name}.h5"
        if not _made_from(sets[name], file):
            with open_source(file.path) as source:
                origin = f"{source.metadata.origin}; {file.name}, md5 {file.md5}"
                convert(source, sets[name], metadata={"origin": origin})
    return sets


def _made_from(path: Path, file: FetchedFile) -> bool:
    """Whether a file of this program was made from a fetched one."""
    if not path.exists():
        return False
    with ReactionFile(path) as present:
        return f"{file.name}, md5 {file.md5}" in present.metadata.origin
