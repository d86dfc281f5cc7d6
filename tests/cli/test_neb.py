"""`hessbench neb`: where its reactions come from, when the geometries are of another level than the data."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from hessbench.config.inputs import Inputs
from hessbench.data.layout import ReactionFile, write_reactions
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split, write_split
from hessbench.data.structures import load_structures
from hessbench.embedded import EMBEDDED
from hessbench.errors import HessbenchError
from hessbench.experiments.neb.run.command import command
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.geometry_file import write_geometries


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder with twelve reactions of GFN1-xTB as data, geometries of GFN2-xTB, and no model."""
    with ReactionFile(EMBEDDED / "rtp.h5") as file:
        reactions, metadata = [file[name] for name in file.names[:12]], file.metadata
    monkeypatch.chdir(tmp_path)
    data, results = Path("data/active/rtp.h5"), Path("results")
    data.parent.mkdir(parents=True)
    results.mkdir()
    write_reactions(data, iter(reactions), replace(metadata, level="GFN1-xTB"))
    with ReactionFile(data) as file:
        data_of_models = file.identifier
    config = SplitConfig(validation_percent=20, test_percent=40, training_percents=(40,), by="reaction")
    write_split(make_split(load_structures(data).reactions, data_of_models, config), results / "split.json")
    places = dict(zip(("R", "TS", "P"), reactions[0].coordinates, strict=True))
    write_geometries(Path("geometries.h5"), [ReactionGeometries("a", reactions[0].numbers, places)], metadata)
    model = Path("models/80/e/training.json")
    model.parent.mkdir(parents=True)
    model.write_text(
        json.dumps({"seeds": [], "label": "E", "inputs": asdict(Inputs({"rtp": data_of_models}))})
    )

    def neb(geometries: str | None):
        neb = {"geometries": geometries, "losses": ["e"], "candidates": 1, "end_point_steps": 1}
        neb["processes"] = 1
        Path("params.yaml").write_text(json.dumps({"profile": "mine", "neb": neb}))
        return CliRunner().invoke(command, [])

    return neb


def test_geometries_of_another_level_are_left_aside_and_it_is_said(run):
    result = run("geometries.h5")
    assert isinstance(result.exception, HessbenchError)  # none of so few is of the paper's kinds
    assert "single hydrogen transfer" in str(result.exception)
    assert "geometries.h5: refined at GFN2-xTB, the data are of GFN1-xTB" in result.output


def test_without_geometries_there_is_nothing_to_say(run):
    result = run(None)
    assert "single hydrogen transfer" in str(result.exception)
    assert "refined" not in result.output
