"""What an archive holds, and the checksums of its files."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hessbench.errors import HessbenchError
from hessbench.potential.ensembles import PROVENANCE, ensemble_label, model_file, trained_seeds
from hessbench.system.files import write_text
from hessbench.system.reading import reading

CHECKSUMS = "SHA256SUMS"
"""File with the checksum of every other file, as `sha256sum --check` reads it."""
README = "README.md"
CRATE = "ro-crate-metadata.json"
RESULTS, MODELS, FIGURES, TABLES, REPORT = "results", "models", "figures", "tables", "report/index.html"
PARAMS, LOCK = "params.yaml", "requirements.lock"
LABELS = "labels.csv"
"""Table of the data sets: level of theory, counts, checksums. The labels themselves are not in an archive."""
NOWHERE = "no run has been archived there; `hessbench archive create` writes the archive of a run."


@dataclass(frozen=True)
class ArchivedModel:
    """A model of an archive: name of its loss, what tables call that, percent of the data, seed, file."""

    loss: str
    label: str
    percent: int
    seed: int
    path: Path


def require_archive(archive: Path) -> None:
    """Make sure that there is an archive.

    Raises
    ------
    HessbenchError
        There is none.
    """
    if not (archive / CHECKSUMS).is_file():
        raise HessbenchError(f"{archive}: {NOWHERE}")


def archived_models(archive: Path) -> list[ArchivedModel]:
    """Models of an archive by loss and seed; of smaller shares of the data it has none, only their notes.

    Raises
    ------
    DataError
        The notes of an ensemble are damaged.
    """
    found = []
    for path in sorted((archive / MODELS).glob(f"*/*/{PROVENANCE}")):
        folder = path.parent
        found += [
            ArchivedModel(
                folder.name, ensemble_label(folder), int(folder.parent.name), seed, model_file(folder, seed)
            )
            for seed in trained_seeds(folder)
            if model_file(folder, seed).exists()
        ]
    return found


def files_of(archive: Path) -> Iterator[str]:
    """Names of all files of an archive but that of the checksums, with "/" and in alphabetical order."""
    names = (path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file())
    yield from sorted(name for name in names if name != CHECKSUMS)


def sha256(path: Path) -> str:
    """Checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(archive: Path) -> None:
    """Write the checksums of all files as they are."""
    lines = [f"{sha256(archive / name)}  {name}\n" for name in files_of(archive)]
    write_text(archive / CHECKSUMS, "".join(lines))


def read_checksums(archive: Path) -> dict[str, str]:
    """Read file to checksum.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    path = archive / CHECKSUMS
    with reading(path, "is no list of checksums", "get the archive anew", missing=NOWHERE):
        lines = path.read_text(encoding="utf-8").splitlines()
        return {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}
