"""Recognise the format of a data file by its content, and open it with the right reader.

A reader is a module of hessbench/formats/readers that has FORMAT, its name for people, `recognise(path)` and
`open_source(path)`; one that lets the user pick names what in CHOICES, and `open_source` takes a `Choice`.
LIBRARIES names what it loads only when it opens a file, BESIDE the endings of files that it looks for beside
that file.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from hessbench.errors import DataError
from hessbench.formats import readers
from hessbench.formats.readers.source import Choice, Source, StoredReaction
from hessbench.formats.unknown import why_unknown
from hessbench.formats.unpack import unpacked
from hessbench.system.reading import reading
from hessbench.system.trial import tried

LARGE = 100_000_000
"""Bytes of a file of which only a sample of reactions is read for trial."""
SAMPLE = 100


def find_readers() -> list[ModuleType]:
    """All readers, by name."""
    modules = (import_module(f"{readers.__name__}.{item.name}") for item in iter_modules(readers.__path__))
    return [module for module in modules if hasattr(module, "recognise")]


def formats() -> str:
    """Names of all formats, for people."""
    return ", ".join(reader.FORMAT for reader in find_readers())


def open_data(path: Path, choice: Choice | None = None) -> Source:
    """Open a data file of any known format.

    Parameters
    ----------
    path
        File or directory.
    choice
        What of it is read, where there are several possibilities.

    Raises
    ------
    DataError
        The file does not exist, is damaged, of no known format, or does not offer that choice.
    """
    if not path.exists():
        raise DataError(path, "there is no such file.")
    choice = choice or Choice()
    beside = [suffix for reader in find_readers() for suffix in getattr(reader, "BESIDE", ())]
    with ExitStack() as stack:
        plain = stack.enter_context(unpacked(path, beside))
        stack.enter_context(_named(path, plain))
        tried(plain, lambda: _read_through(plain, choice), lambda: _load_libraries(plain))
        source = _open_plain(plain, choice)
        if plain == path:
            return source
        # The copy lasts as long as the source.
        stack.callback(source.close)
        return replace(source, path=path, load=_load(path, source), close=stack.pop_all().close)


def _reader_of(path: Path) -> ModuleType:
    for reader in find_readers():
        if reader.recognise(path):
            return reader
    raise DataError(path, why_unknown(path) or f"of no known format; known are {formats()}.")


def _open_plain(path: Path, choice: Choice) -> Source:
    return _open(_reader_of(path), path, choice)


def _load_libraries(path: Path) -> None:
    """Load what the reader of a file needs, if it is installed."""
    for name in getattr(_reader_of(path), "LIBRARIES", ()):
        with suppress(ImportError):
            import_module(name)


@contextmanager
def _named(path: Path, plain: Path) -> Iterator[None]:
    """Let errors name the file that the user named, or one beside it, not the plain copy that is read."""
    try:
        yield
    except DataError as error:
        copy = Path(str(error.path))
        if plain == path or copy.parent != plain.parent:
            raise
        meant = path if copy == plain else path.with_name(copy.name)
        raise DataError(meant, error.problem, error.reaction) from error.__cause__


def _load(path: Path, source: Source) -> Callable[[str], StoredReaction]:
    def load(name: str) -> StoredReaction:
        with _named(path, source.path):
            return source.load(name)

    return load


def _open(reader: ModuleType, path: Path, choice: Choice) -> Source:
    offered = getattr(reader, "CHOICES", ())
    for key, value in asdict(choice).items():
        if value and key not in offered:
            raise DataError(path, f"{reader.FORMAT} does not offer --{key.replace('_', '-')}; leave it out.")
    with reading(path, f"cannot be read as {reader.FORMAT}"):
        source: Source = reader.open_source(path, choice) if offered else reader.open_source(path)

    def load(name: str) -> StoredReaction:
        with reading(path, f"cannot be read as {reader.FORMAT}", place=name):
            stored = source.load(name)
            stored.check_lengths(path)
        return stored

    return replace(source, load=load)


def _read_through(path: Path, choice: Choice) -> None:
    """Read all of a file, or a sample of a large one; what is wrong with single reactions is found later."""
    with _open_plain(path, choice) as source:
        large = path.is_file() and path.stat().st_size > LARGE
        for name in source.names[:: max(1, len(source.names) // SAMPLE) if large else 1]:
            with suppress(DataError):
                source.load(name)
