"""Fetch a published data set from its repository, a mirror or a local copy: verified, and never twice."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pooch
import yaml

from hessbench.datasets.download import TIMEOUT, ResumingDownloader, without_credentials
from hessbench.errors import DataError
from hessbench.formats.published import PublishedFile, PublishedSet
from hessbench.system.hdf5 import opened
from hessbench.system.reading import reading

ENVIRONMENT = "HESSBENCH_DATA"
"""Names a mirror (http:// or https://) or a copy (a directory or file://) of the published files."""


@dataclass(frozen=True)
class FetchedFile:
    """A file ready for reading.

    Attributes
    ----------
    name
        Its name in the published set.
    path
        Where it is.
    md5
        Its checksum.
    published
        Whether it is the published file. A directory named by the user may instead hold files of their own in
        the same layout; results from these must not be taken for results on the published set.
    """

    name: str
    path: Path
    md5: str
    published: bool


def default_directory(published: PublishedSet) -> Path:
    """Where downloads are kept, shared by all working copies on this machine."""
    return Path(pooch.os_cache("hessbench")) / published.name


def fetch(
    published: PublishedSet,
    directory: Path | None = None,
    *,
    source: str | None = None,
    environment: Mapping[str, str] = os.environ,
    progress: bool = True,
    timeout: tuple[float, float] = TIMEOUT,
    pause: float = 1.0,
) -> tuple[FetchedFile, ...]:
    """Make the files of a published set available on this machine.

    Files already there with the right checksum are not downloaded again; a download that broke off goes on
    where it stopped. Licence and citation are written to `SOURCE.yaml` beside the downloaded files.

    Parameters
    ----------
    published
        The set.
    directory
        Where downloads are kept; default `default_directory`.
    source
        Mirror or copy; default the variable HESSBENCH_DATA, and without that the set's own addresses.
        A directory is used in place.
    environment
        Where HESSBENCH_DATA is looked up.
    progress
        Show progress on stderr.
    timeout, pause
        See `ResumingDownloader`.

    Raises
    ------
    DataError
        A file is missing, out of reach, of the wrong size or checksum.
    """
    source = source or environment.get(ENVIRONMENT)
    local = _local_directory(source)
    if local is not None:
        return tuple(_verify_local(local / file.name, file) for file in published.files)
    directory = directory or default_directory(published)
    directory.mkdir(parents=True, exist_ok=True)
    urls = {
        file.name: f"{source.rstrip('/')}/{file.name}" if source else file.url for file in published.files
    }
    fetched = tuple(
        _download(file, urls[file.name], directory, progress, timeout, pause) for file in published.files
    )
    _record_source(published, urls, directory)
    return fetched


def _local_directory(source: str | None) -> Path | None:
    """Path that a source names, or None if it is a web address."""
    if not source:
        return None
    try:
        scheme = urlsplit(source).scheme
    except ValueError as error:
        raise DataError(
            without_credentials(source), f"no usable address ({error}); check {ENVIRONMENT}."
        ) from None
    if scheme in ("http", "https"):
        return None
    if scheme == "file":
        return Path(url2pathname(urlsplit(source).path))
    if "://" in source:
        raise DataError(
            source, f"{ENVIRONMENT} must be a directory, or begin with file://, http:// or https://."
        )
    return Path(source).expanduser()


def _verify_local(path: Path, file: PublishedFile) -> FetchedFile:
    """Tell the published file, the user's own one in the same layout, and a damaged copy apart."""
    if not path.is_file():
        raise DataError(
            path, f"there is no such file; {ENVIRONMENT} must name a directory with the files of the set."
        )
    md5 = pooch.file_hash(str(path), alg="md5")
    if md5 == file.md5:
        return FetchedFile(file.name, path, md5, published=True)
    size = path.stat().st_size
    if size == file.size:
        raise DataError(
            path, f"damaged copy: md5 {md5} instead of {file.md5} at the right size; copy or fetch it again."
        )
    problem = f"damaged or incomplete: {size} bytes (published: {file.size}) that are no whole HDF5 file"
    with reading(path, problem, "copy or fetch it again"):
        opened(path).close()
    return FetchedFile(file.name, path, md5, published=False)


def _download(
    file: PublishedFile,
    url: str,
    directory: Path,
    progress: bool,
    timeout: tuple[float, float],
    pause: float,
) -> FetchedFile:
    pooch.get_logger().setLevel("WARNING")  # the progress bar says the same
    cache = pooch.create(
        path=directory, base_url="", registry={file.name: f"md5:{file.md5}"}, urls={file.name: url}
    )
    for _ in range(2):
        downloader = ResumingDownloader(
            file, directory / f"{file.name}.part", progress=progress, timeout=timeout, pause=pause
        )
        try:
            path = cache.fetch(file.name, downloader=downloader)
        except ValueError:  # pooch: the checksum is wrong
            if not downloader.resumed:
                break
            # The beginning may stem from another file; it is gone now, so once more from the start.
        else:
            return FetchedFile(file.name, Path(path), file.md5, published=True)
    raise DataError(
        without_credentials(url),
        f"not the published {file.name}: its md5 is not {file.md5}, though it has the right size; "
        f"check the address in {ENVIRONMENT}.",
    )


def _record_source(published: PublishedSet, urls: Mapping[str, str], directory: Path) -> None:
    record = asdict(published) | {
        "files": [
            asdict(file) | {"fetched_from": without_credentials(urls[file.name])} for file in published.files
        ]
    }
    target = directory / "SOURCE.yaml"
    beside = target.with_suffix(".yaml.new")
    beside.write_text(yaml.safe_dump(record, sort_keys=False, allow_unicode=True), encoding="utf-8")
    beside.replace(target)
