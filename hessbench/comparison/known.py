"""Results that are known before a command begins, because they depend on nothing that is trained.

One sealed file holds many, each by the digest of what decides about it (`hessbench.comparison.kept.Keeping`),
and says which code computed them. The same results give the same bytes.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hessbench.comparison.kept import VALUES, Content
from hessbench.system.npz import check_sizes
from hessbench.system.reading import reading
from hessbench.system.seal import read_sealed, write_sealed


@dataclass(frozen=True)
class Known:
    """Results that are known.

    Attributes
    ----------
    code
        Digest of the code that computed them.
    programs
        Versions of the programs with which it did, a line for each time, for information.
    contents
        What `hessbench.comparison.kept.Keeping` makes results from, by the digests of their tasks.
    """

    code: str
    programs: frozenset[str]
    contents: Mapping[str, Content]


def read_known(path: Path, command: str) -> Known:
    """Read known results from a file.

    Parameters
    ----------
    path
        The file.
    command
        What writes it, for the error.

    Raises
    ------
    DataError
        The file is missing, damaged, or another one.
    """
    with reading(
        path,
        "holds no results of the reference",
        f"delete it, `{command}` writes it anew",
        missing=f"the file does not exist; `{command}` writes it.",
    ):
        content = read_sealed(path)
        check_sizes(io.BytesIO(content))
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
        header = json.loads(str(arrays.pop(VALUES)))
        contents: dict[str, Content] = {digest: dict(values) for digest, values in header["contents"].items()}
        digests = list(contents)
        for place, array in arrays.items():
            number, _, name = place.partition("/")
            contents[digests[int(number)]][name] = array
        return Known(str(header["code"]), frozenset(header["programs"]), contents)


def write_known(path: Path, known: Known) -> None:
    """Write known results to a file."""
    contents = dict(sorted(known.contents.items()))
    arrays = {
        f"{number}/{name}": value
        for number, content in enumerate(contents.values())
        for name, value in sorted(content.items())
        if isinstance(value, np.ndarray)
    }
    header = {
        "code": known.code,
        "programs": sorted(known.programs),
        "contents": {
            digest: {name: value for name, value in content.items() if not isinstance(value, np.ndarray)}
            for digest, content in contents.items()
        },
    }
    arrays[VALUES] = np.array(json.dumps(header, sort_keys=True))
    write_sealed(path, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]
