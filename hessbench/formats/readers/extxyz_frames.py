"""All frames of extended XYZ through ASE, after a look at what ASE would pass over or never end with."""

import io
import re
from collections import Counter
from itertools import takewhile
from pathlib import Path

from ase import Atoms
from ase.data import chemical_symbols
from ase.io import iread

from hessbench.system.reading import reading

SYMBOLS = {symbol.encode() for symbol in chemical_symbols[1:]}
"""Symbols of the elements, without that of ASE's dummy atoms."""
LONGEST = 1_000_000_000
"""Bytes of a comment at most; it may hold a Hessian."""
COLUMNS = re.compile(rb"Properties=\"?([^\s\"]*)")
NAMESPACE, STAND_IN = "::", "\N{PROPORTION}"
"""Of names such as mtt::forces (metatrain), and what stands for it while ASE splits columns at colons."""


def read_frames(path: Path) -> list[Atoms]:
    """Read all frames.

    Raises
    ------
    DataError
        A frame is damaged, or follows an empty line; it is named.
    """
    frames: list[Atoms] = []
    with reading(path, "damaged or truncated extended XYZ"):
        _check_counts(path)
        frames_of_ase = iread(_source(path), index=":", format="extxyz")
    while True:
        with reading(path, f"frame {len(frames)} cannot be read"):
            atoms = next(frames_of_ase, None)
        if atoms is None:
            return frames
        for name in [name for name in atoms.arrays if STAND_IN in name]:
            atoms.arrays[name.replace(STAND_IN, NAMESPACE)] = atoms.arrays.pop(name)
        frames.append(atoms)


def _source(path: Path) -> Path | io.StringIO:
    """Give the file; where columns have namespaces its text, in which these have their stand-in."""
    with path.open("rb") as file:
        file.readline(LONGEST)
        if b"::" not in b"".join(COLUMNS.findall(file.readline(LONGEST))):
            return path
    return io.StringIO(COLUMNS.sub(lambda found: _masked(found.group()), path.read_bytes()).decode())


def _masked(columns: bytes) -> bytes:
    return columns.replace(NAMESPACE.encode(), STAND_IN.encode())


def _check_counts(path: Path) -> None:
    """Find out whether each frame has as many lines as it says, and elements in the column of species.

    ASE reads on beyond the end of the file, and no further than an empty line.

    Raises
    ------
    ValueError
        One has not.
    """
    with path.open("rb") as file:
        frame = -1
        while start := file.readline(LONGEST).strip():
            frame += 1
            if not start.isdigit() or len(start) > 9:
                raise ValueError(f"frame {frame} begins with {start[:20]!r} instead of its number of atoms")
            comment = file.readline(LONGEST)
            if twice := _given_twice(comment):
                raise ValueError(f"frame {frame} has two values of the name {twice}")
            species = _column_of_species(comment)
            lines = (file.readline(LONGEST) for _ in range(int(start)))
            found = 0
            for line in takewhile(bool, lines) if comment else ():
                found += 1
                words = [] if species is None else line.split(maxsplit=species + 1)[species : species + 1]
                if words and words[0].capitalize() not in SYMBOLS:
                    symbol = words[0].decode(errors="replace")
                    raise ValueError(f"frame {frame}, atom {found}: {symbol!r} is no element{_meant(symbol)}")
            if found < int(start):
                raise ValueError(f"frame {frame} claims {int(start)} atoms, the file ends after {found}")
            place = file.tell()
            while file.readline(LONGEST).lstrip().startswith(b"VEC"):  # lattice vectors, by an old custom
                place = file.tell()
            file.seek(place)
        if any(line.strip() for line in iter(lambda: file.readline(LONGEST), b"")):
            raise ValueError(f"an empty line follows frame {frame}, and more after it; remove that line")


def _fields(comment: bytes) -> list[bytes]:
    """Name, type and number of words of each column in turn; empty if the comment does not say."""
    columns = COLUMNS.search(comment)
    return _masked(columns.group(1)).split(b":") if columns else []


def _column_of_species(comment: bytes) -> int | None:
    """Which word of a line is the element's symbol; None if no column is, or another tells the element."""
    fields = _fields(comment)
    if {b"Z", b"numbers"} & set(fields[::3]):
        return None
    place = 0
    for name, kind, width in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if name == b"species" and kind == b"S":
            return place
        if not width.isdigit():
            return None
        place += int(width)
    return None


def _meant(symbol: str) -> str:
    """What somebody may have meant by a symbol that is none."""
    if symbol in ("D", "T"):
        return "; write H for an isotope of hydrogen"
    if symbol.isdigit() and 0 < int(symbol) < len(chemical_symbols):
        return f"; write {chemical_symbols[int(symbol)]}"
    letters = "".join(takewhile(str.isalpha, symbol)).capitalize()
    return f"; write {letters}" if letters in chemical_symbols[1:] else ""


def _given_twice(comment: bytes) -> str:
    """A name of two values or columns, of which ASE takes one; empty if there is none."""
    named = _fields(comment)[::3]
    unquoted = re.sub(rb"\"[^\"]*\"|'[^']*'|\{[^}]*\}", b"", comment)
    for names in (named, re.findall(rb"([^\s=]+)\s*=", unquoted)):
        twice = [name for name, number in Counter(names).items() if number > 1]
        if twice:
            return twice[0].decode(errors="replace")
    return ""
