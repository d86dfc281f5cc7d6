"""Download of one large file over HTTP that goes on where it broke off, for use by pooch."""

import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

from hessbench.errors import DataError
from hessbench.formats.published import PublishedFile

CHUNK = 1 << 14
"""Bytes read at once; of a connection that breaks off, the last unfinished chunk is lost."""
RETRIES = 4
"""Attempts in a row that may bring nothing new before the download is given up."""
TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a connection and for the next bytes."""
PASSING = {202, 408, 425, 429, 500, 502, 503, 504}
"""Statuses that a later attempt may cure (202: the repository has yet to prepare the file)."""


class _BrokenOffError(Exception):
    """An attempt ended early; the next one may do better."""


class ResumingDownloader:
    """A pooch downloader that keeps what has arrived in `NAME.part` and asks the server for the rest.

    A server without ranges sends the whole file again. Attempts go on as long as one of `RETRIES` in a row
    brings the file further than before. pooch checks the md5 of what this delivers.

    Parameters
    ----------
    file
        What to expect; more bytes, or another size announced by the server, is refused at once.
    part
        Where the bytes are kept until the file is complete; they survive a killed process.
    progress
        Show a progress bar on stderr.
    timeout
        Seconds to wait for a connection and for the next bytes.
    pause
        Seconds before the second attempt, doubled for each further one.
    """

    def __init__(
        self,
        file: PublishedFile,
        part: Path,
        *,
        progress: bool = True,
        timeout: tuple[float, float] = TIMEOUT,
        pause: float = 1.0,
    ) -> None:
        self.file = file
        self.part = part
        self.progress = progress
        self.timeout = timeout
        self.pause = pause
        self.resumed = False
        """Whether the file was put together from several answers of servers."""

    def __call__(self, url: str, output_file: Any, pooch: Any, check_only: bool = False) -> None:
        """Download `url` to `output_file` (the interface of pooch).

        Raises
        ------
        DataError
            The server is out of reach, has no such file or another one, or keeps breaking off.
        """
        furthest, failures = self._present(), 0
        self.resumed = furthest == self.file.size  # what an earlier run left may stem from another file
        with tqdm(
            total=self.file.size, unit="B", unit_scale=True, desc=self.file.name, disable=not self.progress
        ) as bar:
            while self._present() != self.file.size:
                try:
                    self._attempt(url, bar)
                except _BrokenOffError as reason:
                    failures = 0 if self._present() > furthest else failures + 1
                    furthest = max(furthest, self._present())
                    if failures >= RETRIES:
                        raise DataError(
                            without_credentials(url),
                            f"{reason} after {furthest} of {self.file.size} bytes; run the same command "
                            f"again with a working network, or copy {self.file.name} and the other files of "
                            "the set from another machine into a directory and set HESSBENCH_DATA to it.",
                        ) from None
                    time.sleep(self.pause * 2 ** max(failures - 1, 0))
        self.part.replace(output_file)

    def _present(self) -> int:
        if self.part.is_symlink():  # in a folder that others write to, it may lead to a file of ours
            raise DataError(self.part, "is a link, which is not followed; delete it.")
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, url: str, bar: Any) -> None:
        """Ask once, append what comes."""
        start = self._present()
        if start > self.file.size:
            self.part.unlink()
            start = 0
        # Ranges count bytes of the file itself, so no compression on the way.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        try:
            with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as response:
                start = self._start(url, response, start)
                self._append(url, response, start, bar)
        except ValueError as error:  # of requests and urllib3, who cannot read an address
            reason = without_credentials(str(error)) or type(error).__name__
            shown = without_credentials(url)
            raise DataError(shown, f"no usable address ({reason}); check HESSBENCH_DATA.") from None
        except requests.RequestException as error:
            raise _BrokenOffError(_reason(error)) from None
        if self._present() < self.file.size:
            raise _BrokenOffError("the server broke off")

    def _start(self, url: str, response: requests.Response, asked: int) -> int:
        """Check status and announced size; return the position of the first byte that will come."""
        if response.status_code in PASSING:
            raise _BrokenOffError(f"status {response.status_code} {response.reason}")
        if response.status_code == 416:  # what is there cannot be a beginning of what the server has
            self.part.unlink(missing_ok=True)
            raise _BrokenOffError("the server refused to go on from where the download had stopped")
        if response.status_code not in (200, 206):
            raise DataError(
                without_credentials(url),
                f"the server has no such file (status {response.status_code} {response.reason}); check the "
                f"address in HESSBENCH_DATA, or set it to a directory with {self.file.name} in it.",
            )
        if response.status_code == 206:
            match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != asked:
                self.part.unlink(missing_ok=True)
                raise _BrokenOffError("the server sent another range than the one asked for")
            self.resumed = True
            total = None if match[2] == "*" else int(match[2])
        else:
            asked = 0
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
        if total is not None and total != self.file.size:
            raise self._wrong_size(url, total)
        return asked

    def _append(self, url: str, response: requests.Response, start: int, bar: Any) -> None:
        missing = self.file.size - start
        free = shutil.disk_usage(self.part.parent).free
        if free < missing:
            raise DataError(
                self.part.parent,
                f"{missing} bytes are needed for {self.file.name} and {free} are free; make room, "
                "or choose another directory with --to.",
            )
        bar.n = bar.initial = start
        bar.refresh()
        with open(self.part, "r+b" if start else "wb", opener=_no_link) as stream:
            stream.seek(start)
            for chunk in response.iter_content(CHUNK):
                if stream.tell() + len(chunk) > self.file.size:
                    stream.truncate(0)
                    raise self._wrong_size(url, "more")
                stream.write(chunk)
                bar.update(len(chunk))

    def _wrong_size(self, url: str, found: int | str) -> DataError:
        return DataError(
            without_credentials(url),
            f"not the published {self.file.name}: {found} bytes instead of {self.file.size}; "
            "check the address in HESSBENCH_DATA.",
        )


def without_credentials(text: str) -> str:
    """Leave out user and password of web addresses in a text that others will read."""
    return re.sub(r"(https?://)[^/\s]*@", r"\1", text)


def _no_link(path: str, flags: int) -> int:
    """Open a file, but not through a symbolic link put in its place."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _reason(error: requests.RequestException) -> str:
    """Say in a few words why a request failed; requests nests its reasons deeply."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate of the server is not accepted"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return type(error).__name__
