"""`hessbench surface` on data with and without a single hydrogen transfer."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from hessbench.data.layout import ReactionFile, write_reactions
from hessbench.embedded import EMBEDDED
from hessbench.experiments.surface.run import cut
from hessbench.experiments.surface.run.command import command, first_hydrogen_transfer
from hessbench.experiments.surface.run.tables import SURFACE
from hessbench.results.store.tables import read_provenance

STATIONARY = EMBEDDED / "rtp.h5"


@pytest.fixture(scope="module")
def name():
    """The first reaction of the embedded data that is a single hydrogen transfer."""
    found = first_hydrogen_transfer(STATIONARY)
    assert found is not None
    return found[0].name


@pytest.mark.parametrize("has_one", [True, False])
def test_reaction_of_the_data_or_of_the_embedded_ones(tmp_path, monkeypatch, name, has_one):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cut, "POINTS", 5)
    Path("params.yaml").write_text("profile: mine\n")
    active = Path("data/active/rtp.h5")
    active.parent.mkdir(parents=True)
    with ReactionFile(STATIONARY) as file:
        place = file.names.index(name)
        names = file.names[place : place + 1] if has_one else file.names[:place]
        assert names
        write_reactions(active, (file[key] for key in names), file.metadata)
    with ReactionFile(active) as file:
        own = file.identifier
    result = CliRunner().invoke(command, catch_exceptions=False)
    assert result.exit_code == 0
    assert (f"one of {STATIONARY} is taken" in result.output) == (not has_one)
    provenance = read_provenance(SURFACE.path(Path("results")))
    assert provenance.data == own
    assert ("surface of a reaction of hessbench RTP" in provenance.notes.get("note", "")) == (not has_one)
