"""The published set, from a local copy in its layout, arrives verified and in the one layout; once."""

import numpy as np
import pytest
from click.testing import CliRunner

from hessbench.cli.fetch import command as fetch_command
from hessbench.data.layout import ReactionFile
from hessbench.datasets.openreact import published_sets
from hessbench.errors import DataError
from hessbench.experiments.composition.run.command import command as composition_command
from hessbench.experiments.composition.run.tables import COMPOSITION
from hessbench.results.store.tables import read_provenance, read_table
from tests.formats import writers


@pytest.fixture
def local_copy(computed, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    copy.mkdir()
    parts = {"RTP": computed[:1], "IRC": computed[1:], "NMS": computed}
    for name, part in parts.items():
        unit = "Eh/Angstrom^2" if name == "RTP" else "Eh/bohr^2"
        writers.write_openreact(copy / f"molecules-{name}.h5", part, unit)
    monkeypatch.setenv("HESSBENCH_DATA", str(copy))
    return copy


def test_three_small_files_in_the_published_layout(local_copy, computed, tmp_path):
    sets = published_sets(tmp_path / "out")
    assert set(sets) == {"rtp", "irc", "nms"}
    for name, part in (("rtp", computed[:1]), ("irc", computed[1:]), ("nms", computed)):
        with ReactionFile(sets[name]) as file:
            assert len(file) == len(part)
            for found, expected in zip(file, part, strict=True):
                np.testing.assert_allclose(found.hessians, expected.hessians, rtol=1e-5, atol=0.05)
            # These are not the published files, and nothing says that they are.
            assert "OpenREACT" not in file.metadata.name
            assert file.metadata.licence == "unknown"


def test_nothing_is_converted_twice_and_changed_files_are(local_copy, computed, tmp_path):
    first = {path: path.stat().st_mtime_ns for path in published_sets(tmp_path / "out").values()}
    published_sets(tmp_path / "out")
    assert all(path.stat().st_mtime_ns == time for path, time in first.items())
    writers.write_openreact(local_copy / "molecules-NMS.h5", computed[:1])
    sets = published_sets(tmp_path / "out")
    with ReactionFile(sets["nms"]) as file:
        assert len(file) == 1


def test_missing_file_is_named(local_copy, tmp_path):
    (local_copy / "molecules-IRC.h5").unlink()
    with pytest.raises(DataError, match=r"molecules-IRC\.h5: there is no such file"):
        published_sets(tmp_path / "out")


def test_fetch_on_the_command_line_says_what_the_files_are(local_copy):
    result = CliRunner().invoke(fetch_command, [])
    assert result.exit_code == 0, result.output
    assert result.output.count("NOT the published file") == 3
    assert "CC BY 4.0" not in result.output  # which is the licence of the published files


def test_composition_on_the_command_line(local_copy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sets = published_sets(tmp_path / "data" / "active")
    (tmp_path / "params.yaml").write_text("profile: small\n")
    result = CliRunner().invoke(composition_command, [])
    assert result.exit_code == 0, result.output
    results = tmp_path / "results"
    assert set(read_table(results, COMPOSITION)["set"]) == set(sets)
    provenance = read_provenance(COMPOSITION.path(results))
    assert provenance.profile == "small"
    assert "rtp: molecules-RTP" in provenance.data
