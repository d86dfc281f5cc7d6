"""What an interrupted command goes on with: bands, spectra and transition state searches that are finished.

Each is kept at once, in a sealed file of its own, whose name is a digest of all that decides about it. So
what was made from another model, other settings, data, programs or code is not taken up. Results that are
known beforehand (`hessbench.comparison.known`) are not computed at all.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from hessbench.config.base import Section
from hessbench.system.machine import versions
from hessbench.system.processes import Report, Workers, run_tasks
from hessbench.system.reading import reading
from hessbench.system.seal import read_sealed, write_sealed

VALUES = "values"
"""Array of a file that holds, as JSON, what is no array."""
DIGITS = 32
"""Of a digest, in the name of a file."""

T = TypeVar("T")
R = TypeVar("R")
Content = dict[str, Any]
"""What a file holds: arrays, and what JSON can hold, by name."""


@dataclass(frozen=True)
class Keeping:
    """Workers (`hessbench.system.processes.run_tasks`) that keep results, and do nothing twice.

    Attributes
    ----------
    workers
        Who does what is not finished: at most so many processes, or other workers.
    folder
        Of the files; in results/checkpoints, which is no result and no output of a stage.
    what
        The name of the results in notes: "bands".
    code
        Digest of the code.
    made_from
        All else that decides about the result of a task, see `fingerprint`.
    pack
        Makes the content of a file from a result; None if it is not to be kept, but to be tried again.
        Defined at the top level of a module.
    unpack
        Makes the result from the content.
    known
        Contents of results that need not be computed, by the `digest` of their tasks.
    given
        All results that it has given, by the same; it fills this itself.
    """

    workers: int | Workers
    folder: Path
    what: str
    code: str
    made_from: Callable[[Any], object]
    pack: Callable[[Any], Content | None]
    unpack: Callable[[Content], Any]
    known: Mapping[str, Content] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)

    def finished(self, tasks: Sequence[object]) -> int:
        """Count the tasks whose results are kept or known."""
        return sum(self._path(task).exists() or self.digest(task) in self.known for task in tasks)

    def digest(self, task: object) -> str:
        """Digest of all that decides about the result of a task but code and programs."""
        return fingerprint(self.made_from(task))[:DIGITS]

    def run(
        self, function: Callable[[T, Any, Report], R], tasks: Sequence[T], shared: Any, on_report: Report
    ) -> list[R]:
        """Do what `run_tasks` does, and say how many results were kept; nothing is reported of found ones.

        Raises
        ------
        DataError
            A file is damaged.
        """
        paths = [self._path(task) for task in tasks]
        contents = [_read(path) for path in paths]
        if found := sum(content is not None for content in contents):
            tqdm.write(f"{found} of {len(tasks)} {self.what} are done already, by an interrupted run.")
        digests = [self.digest(task) for task in tasks]
        contents = [
            self.known.get(digest) if content is None else content
            for digest, content in zip(digests, contents, strict=True)
        ]
        missing = [
            (task, path)
            for task, path, content in zip(tasks, paths, contents, strict=True)
            if content is None
        ]
        new = iter(run_tasks(_do_and_keep, missing, (function, shared, self.pack), self.workers, on_report))
        results = [next(new) if content is None else self.unpack(content) for content in contents]
        self.given.update(zip(digests, results, strict=True))
        return results

    def remove(self) -> None:
        """Remove all files: what was made from them is written."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _path(self, task: object) -> Path:
        return self.folder / f"{fingerprint(self.made_from(task), self.code, _programs())[:DIGITS]}.npz"


def fingerprint(*parts: object) -> str:
    """Digest of arrays, settings, text, numbers, and of sequences, sets, mappings and dataclasses of such.

    Raises
    ------
    TypeError
        There is something else among them, of which equality is not known.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_bytes(part))
    return digest.hexdigest()


def _bytes(part: object) -> bytes:
    """Bytes that tell a part from others of its kind and of other kinds."""
    content: bytes
    if part is None or isinstance(part, str | int | float):
        content = repr(part).encode()
    elif isinstance(part, np.ndarray):
        content = f"{part.dtype.str} {part.shape} ".encode() + part.tobytes()
    elif isinstance(part, Section):
        content = part.model_dump_json().encode()
    elif isinstance(part, Mapping):
        content = b"".join(_bytes(key) + _bytes(part[key]) for key in sorted(part))
    elif isinstance(part, frozenset):
        content = b"".join(sorted(_bytes(item) for item in part))
    elif isinstance(part, Sequence):
        content = b"".join(_bytes(item) for item in part)
    elif is_dataclass(part):
        content = b"".join(_bytes(getattr(part, field.name)) for field in fields(part))
    else:
        raise TypeError(f"{type(part).__name__} has no digest")
    return f"{type(part).__name__} {len(content)} ".encode() + content


_programs = cache(versions)


def _do_and_keep(
    task: tuple[T, Path],
    shared: tuple[Callable[[T, Any, Report], R], Any, Callable[[R], Content | None]],
    report: Report,
) -> R:
    """Do a task and write its result; runs in a process of its own."""
    (todo, path), (function, common, pack) = task, shared
    result = function(todo, common, report)
    if (content := pack(result)) is not None:
        _write(path, content)
    return result


def _write(path: Path, content: Content) -> None:
    arrays = {name: value for name, value in content.items() if isinstance(value, np.ndarray)}
    values = json.dumps({name: value for name, value in content.items() if name not in arrays})
    arrays[VALUES] = np.array(values)
    write_sealed(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def _read(path: Path) -> Content | None:
    """Read the content of a file; None if there is none."""
    if not path.exists():
        return None
    with (
        reading(path, "is no checkpoint", "delete it to compute it anew"),
        np.load(io.BytesIO(read_sealed(path)), allow_pickle=False) as archive,
    ):
        arrays = dict(archive)
        values: Content = json.loads(str(arrays.pop(VALUES)))
        return values | arrays
