"""fetch against a real HTTP server on loopback that misbehaves in every way we could think of."""

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from hessbench.datasets.download import CHUNK, RETRIES
from hessbench.datasets.fetch import ENVIRONMENT, fetch
from hessbench.errors import DataError
from hessbench.formats.published import OPENREACT, PublishedFile, PublishedSet

PARTS = (61 * CHUNK, 92 * CHUNK)  # a little under 1,000,000 and 1,500,000 bytes
CONTENT = np.random.default_rng(0).bytes(3_000_000)


@dataclass
class Behaviour:
    """What the server does; each request takes the next entry of a list, the last entry stays."""

    content: bytes = CONTENT
    ranges: bool = True
    statuses: list[int] = field(default_factory=lambda: [200])
    break_after: list[int | None] = field(default_factory=lambda: [None])
    stall: list[float] = field(default_factory=lambda: [0.0])
    requests: list[str | None] = field(default_factory=list)
    """The Range header of every request."""


def _take(entries: list) -> object:
    return entries.pop(0) if len(entries) > 1 else entries[0]


class Server(ThreadingHTTPServer):
    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = behaviour
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        behaviour = self.server.behaviour
        asked = self.headers.get("Range")
        behaviour.requests.append(asked)
        status, cut, stall = (
            _take(entries) for entries in (behaviour.statuses, behaviour.break_after, behaviour.stall)
        )
        if status != 200:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        if asked and behaviour.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            self.send_response(206)
            total = len(behaviour.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        body = behaviour.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cut is not None:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            time.sleep(stall)
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def server(behaviour: Behaviour) -> Iterator[Server]:
    with Server(behaviour) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def published(server: Server) -> PublishedSet:
    file = PublishedFile(
        "molecules-RTP.h5", f"{server.url}/files/1", len(CONTENT), hashlib.md5(CONTENT).hexdigest()
    )
    return replace(OPENREACT, files=(file,))


def run(published: PublishedSet, directory: Path, **options):
    return fetch(
        published, directory, environment={}, progress=False, timeout=(2.0, 0.3), pause=0.0, **options
    )


def test_delivers_the_file_with_licence_and_citation_beside_it(published, tmp_path):
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT
    assert file.published
    record = yaml.safe_load((tmp_path / "SOURCE.yaml").read_text())
    assert record["licence"] == "CC BY 4.0"
    assert "10.6084/m9.figshare.29189858" in record["citation"]
    assert record["files"][0]["md5"] == file.md5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SOURCE.yaml", "molecules-RTP.h5"]


def test_downloads_nothing_twice(published, behaviour, tmp_path):
    run(published, tmp_path)
    run(published, tmp_path)
    assert len(behaviour.requests) == 1


def test_replaces_a_file_that_was_damaged_since(published, behaviour, tmp_path):
    (file,) = run(published, tmp_path)
    file.path.write_bytes(CONTENT[:-1] + b"?")
    run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT
    assert len(behaviour.requests) == 2


def test_goes_on_where_the_server_broke_off(published, behaviour, tmp_path):
    behaviour.break_after = [PARTS[0], PARTS[1], None]
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT
    assert behaviour.requests == [None, f"bytes={PARTS[0]}-", f"bytes={sum(PARTS)}-"]


def test_starts_again_if_the_server_knows_no_ranges(published, behaviour, tmp_path):
    behaviour.ranges = False
    behaviour.break_after = [1_000_000, None]
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT


def test_goes_on_after_a_killed_process(published, behaviour, tmp_path):
    (tmp_path / "molecules-RTP.h5.part").write_bytes(CONTENT[:2_000_000])
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT
    assert behaviour.requests == ["bytes=2000000-"]


def test_complete_part_needs_no_request(published, behaviour, tmp_path):
    (tmp_path / "molecules-RTP.h5.part").write_bytes(CONTENT)
    run(published, tmp_path)
    assert behaviour.requests == []


@pytest.mark.parametrize("size", [1_000_000, 4_000_000])
def test_beginning_of_another_file_is_found_and_dropped(published, tmp_path, size):
    (tmp_path / "molecules-RTP.h5.part").write_bytes(bytes(size))
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT


def test_a_stalling_server_is_asked_again(published, behaviour, tmp_path):
    behaviour.break_after = [1_000_000, None]
    behaviour.stall = [1.0, 0.0]
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT
    # How much of the first answer arrived before the time-out is up to the operating system.
    assert len(behaviour.requests) == 2


@pytest.mark.parametrize("status", [202, 429, 503])
def test_busy_server_is_asked_again(published, behaviour, tmp_path, status):
    behaviour.statuses = [status, status, 200]
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT


def test_missing_file_is_not_asked_for_again(published, behaviour, tmp_path):
    behaviour.statuses = [404]
    with pytest.raises(DataError, match=r"no such file \(status 404.*HESSBENCH_DATA"):
        run(published, tmp_path)
    assert len(behaviour.requests) == 1


def test_gives_up_after_bounded_attempts_and_keeps_what_came(published, behaviour, tmp_path):
    behaviour.break_after = [PARTS[0], 0]
    with pytest.raises(DataError, match=f"after {PARTS[0]} of 3000000 bytes") as error:
        run(published, tmp_path)
    assert "\n" not in str(error.value)
    assert len(behaviour.requests) == 1 + RETRIES
    behaviour.break_after = [None]
    (file,) = run(published, tmp_path)
    assert file.path.read_bytes() == CONTENT


def test_no_ranges_and_always_broken_ends(published, behaviour, tmp_path):
    behaviour.ranges = False
    behaviour.break_after = [PARTS[0]]
    with pytest.raises(DataError, match=f"after {PARTS[0]} of 3000000 bytes"):
        run(published, tmp_path)
    assert len(behaviour.requests) == 1 + RETRIES


def test_wrong_file_of_the_right_size_is_refused(published, behaviour, tmp_path):
    behaviour.content = bytes(len(CONTENT))
    with pytest.raises(DataError, match=r"not the published molecules-RTP.h5: its md5 is not"):
        run(published, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [1_000, 4_000_000])
def test_wrong_size_is_refused_before_it_is_downloaded(published, behaviour, tmp_path, size):
    behaviour.content = bytes(size)
    with pytest.raises(DataError, match=f"{size} bytes instead of 3000000"):
        run(published, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_one_sentence_says_what_to_do(published, tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    with pytest.raises(DataError, match=r"no connection to the server.*set HESSBENCH_DATA") as error:
        run(published, tmp_path, source=f"http://127.0.0.1:{port}")
    assert "\n" not in str(error.value)


def test_mirror(published, server, tmp_path):
    elsewhere = replace(published, files=(replace(published.files[0], url="http://127.0.0.1:9/none"),))
    (file,) = run(elsewhere, tmp_path, source=f"{server.url}/mirror/")
    assert file.path.read_bytes() == CONTENT


def test_environment_names_the_mirror(published, server, tmp_path):
    elsewhere = replace(published, files=(replace(published.files[0], url="http://127.0.0.1:9/none"),))
    (file,) = fetch(elsewhere, tmp_path, environment={ENVIRONMENT: server.url}, progress=False)
    assert file.path.read_bytes() == CONTENT


@pytest.mark.parametrize("form", ["path", "file"])
def test_local_copy_is_used_in_place(published, behaviour, tmp_path, form):
    copy = tmp_path / "a copy"
    copy.mkdir()
    (copy / "molecules-RTP.h5").write_bytes(CONTENT)
    (file,) = run(published, tmp_path / "cache", source=str(copy) if form == "path" else copy.as_uri())
    assert file == replace(file, path=copy / "molecules-RTP.h5", published=True)
    assert behaviour.requests == []
    assert not (tmp_path / "cache").exists()


def test_local_copy_of_the_wrong_content_is_refused(published, tmp_path):
    (tmp_path / "molecules-RTP.h5").write_bytes(bytes(len(CONTENT)))
    with pytest.raises(DataError, match="damaged copy: md5"):
        run(published, tmp_path, source=str(tmp_path))


def test_truncated_local_copy_is_refused(published, tmp_path):
    path = tmp_path / "molecules-RTP.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(1000.0)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match="no whole HDF5 file"):
        run(published, tmp_path, source=str(tmp_path))


def test_own_files_in_the_same_layout_are_told_apart(published, tmp_path):
    path = tmp_path / "molecules-RTP.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(10.0)
    (file,) = run(published, tmp_path, source=str(tmp_path))
    assert not file.published
    assert file.md5 == hashlib.md5(path.read_bytes()).hexdigest()


def test_missing_local_copy(published, tmp_path):
    with pytest.raises(DataError, match=r"molecules-RTP.h5: there is no such file"):
        run(published, tmp_path, source=str(tmp_path))


def test_unknown_scheme(published, tmp_path):
    with pytest.raises(DataError, match="must be a directory, or begin with"):
        run(published, tmp_path, source="s3://bucket")


def test_user_and_password_of_an_address_are_written_nowhere(published, behaviour, server, tmp_path):
    source = server.url.replace("://", "://user:pa55word@")
    run(published, tmp_path, source=source)
    text = (tmp_path / "SOURCE.yaml").read_text()
    assert f"fetched_from: {server.url}/molecules-RTP.h5" in text
    assert "pa55word" not in text
    behaviour.statuses = [404]
    for address in (source, "http://user:pa55word@["):
        with pytest.raises(DataError) as refused:
            run(published, tmp_path / "other", source=address)
        assert "pa55word" not in str(refused.value)


def test_a_link_in_place_of_a_beginning_is_not_followed(published, tmp_path):
    mine = tmp_path / "mine"
    mine.write_bytes(b"precious")
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "molecules-RTP.h5.part").symlink_to(mine)
    with pytest.raises(DataError, match=r"\.part: is a link"):
        run(published, folder)
    assert mine.read_bytes() == b"precious"
