"""What differs is named: file, row, expected, found."""

from pathlib import Path

import pytest

from hessbench.archive.layout import write_checksums
from hessbench.archive.redraw import NOTHING, differing
from hessbench.archive.verify import check_files, verify
from hessbench.errors import HessbenchError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    archive = tmp_path / "archive"
    (archive / "models").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "models/c d.txt"):
        (archive / name).write_text(f"content of {name}\n", encoding="utf-8")
    write_checksums(archive)
    return archive


def test_nothing_differs(folder: Path) -> None:
    found = check_files(folder)
    assert not found.differences
    assert found.compared.startswith("3 files")


def test_a_changed_a_missing_and_an_unknown_file_are_named(folder: Path) -> None:
    (folder / "a.txt").write_text("other\n", encoding="utf-8")
    (folder / "models/c d.txt").unlink()
    (folder / "models/new.txt").touch()
    found = {item.file: (item.expected, item.found) for item in check_files(folder).differences}
    assert set(found) == {"a.txt", "models/c d.txt", "models/new.txt"}
    assert found["models/c d.txt"][1] == found["models/new.txt"][0] == NOTHING
    assert len(set(found["a.txt"]) - {NOTHING}) == 2


def test_a_damaged_list_of_checksums_is_a_difference(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text("nonsense\n", encoding="utf-8")
    first = next(verify(folder, 1))
    assert "SHA256SUMS" in str(first.found.differences[0])


def test_where_there_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(HessbenchError, match="no run has been archived there; `hessbench archive create`"):
        next(verify(tmp_path, 1))


@pytest.mark.parametrize(
    ("name", "expected", "found", "place", "values"),
    [
        ("t.csv", "loss,rmse\nE,1\nE-F,2\n", "loss,rmse\nE,1\nE-F,3\n", "row 2, column rmse", ("2", "3")),
        ("t.csv", "loss\nE\n", "loss\nE\nE-F\n", "line 3", (NOTHING, "E-F")),
        ("t.md", "**A**\n\n1\n", "**A**\n\n2\n", "line 3", ("1", "2")),
        ("t.png", "a", "b", "", ("sha256 ca978112ca1bbdca", "sha256 3e23e8160039594a")),
        ("t.png", "a", None, "", ("sha256 ca978112ca1bbdca", NOTHING)),
    ],
)
def test_the_first_difference_of_two_files(
    tmp_path: Path, name: str, expected: str, found: str | None, place: str, values: tuple[str, str]
) -> None:
    paths = [tmp_path / side / name for side in ("expected", "found")]
    for path, content in zip(paths, (expected, found), strict=True):
        path.parent.mkdir()
        if content is not None:
            path.write_text(content, encoding="utf-8")
    (difference,) = differing(name, *paths)
    assert (difference.place, (difference.expected, difference.found)) == (place, values)
    assert not differing(name, paths[0], paths[0])
