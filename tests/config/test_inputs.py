import json
from dataclasses import asdict
from pathlib import Path

import pytest

from hessbench.config.base import Section
from hessbench.config.inputs import Inputs, Stage, read_inputs, setting, setting_digest
from hessbench.errors import ConfigurationError, HessbenchError
from hessbench.system.sources import code_digest


class Heat(Section):
    cap: float = 10.0
    percents: tuple[int, ...] = (20, 80)
    molecules: Path | None = None


class Losses(Section):
    losses: dict[str, float]
    epochs: int = 5


SECTIONS = {"heat": Heat(), "training": Losses(losses={"e": 0.0, "ef": 0.08})}


def test_settings_by_their_path():
    assert setting(SECTIONS, "heat") == {"cap": 10.0, "percents": [20, 80], "molecules": None}
    assert setting(SECTIONS, "training.losses.ef") == 0.08
    assert setting(SECTIONS, "heat.percents.80") == 80
    for unknown in ("heat.percents.90", "training.losses.efh", "model"):
        with pytest.raises(KeyError):
            setting(SECTIONS, unknown)


def test_a_digest_changes_with_the_value_alone():
    before = setting_digest(SECTIONS, "heat")
    assert setting_digest({"heat": Heat(cap=10)}, "heat") == before
    assert setting_digest({"heat": Heat(cap=11)}, "heat") != before
    longer = {"training": Losses(losses={"e": 0.0, "ef": 0.08, "efh": 1.0})}
    assert setting_digest(longer, "training.losses.ef") == setting_digest(SECTIONS, "training.losses.ef")
    assert setting_digest(longer, "training") != setting_digest(SECTIONS, "training")


def test_a_stage_names_what_it_reads(tmp_path):
    file = tmp_path / "molecules.xyz"
    file.write_text("H")
    stage = Stage(
        "heat",
        "hessbench.units",
        ("heat", "training.losses.{loss}"),
        ("heat.molecules", "embedded:md17.extxyz"),
    )
    sections = SECTIONS | {"heat": Heat(molecules=file)}
    inputs = stage.inputs({"rtp": "small 1"}, sections, {"split": "s"}, loss="ef")
    assert inputs.data == {"rtp": "small 1"}
    assert set(inputs.files) == {"split", "heat.molecules", "embedded:md17.extxyz"}
    assert set(inputs.settings) == {"heat", "training.losses.ef"}
    assert inputs.code == {"heat": code_digest("hessbench.units")}
    file.write_text("Li")
    changed = stage.inputs({"rtp": "small 1"}, sections, {"split": "s"}, loss="ef")
    assert [name for name in inputs.files if inputs.files[name] != changed.files[name]] == ["heat.molecules"]
    file.unlink()
    with pytest.raises(ConfigurationError, match=r"heat\.molecules: .*molecules\.xyz does not exist"):
        stage.inputs({}, sections, loss="ef")
    assert stage.inputs({}, SECTIONS, loss="ef").files["heat.molecules"] == "none"


def test_inputs_of_what_is_made_from_several_are_joined_if_they_agree():
    models = Inputs({"rtp": "a"}, settings={"model": "1"}, code={"train": "2"})
    bands = Inputs({"rtp": "a"}, settings={"neb": "3", "model": "1"}, code={"neb": "4", "train": "2"})
    joined = Inputs(settings={"spectra": "5"}).joined(models, bands)
    assert joined.settings == {"spectra": "5", "model": "1", "neb": "3"}
    assert (joined.data, joined.code) == ({"rtp": "a"}, {"train": "2", "neb": "4"})
    with pytest.raises(HessbenchError, match=r"made from different data \(rtp: a and b\)"):
        models.joined(Inputs({"rtp": "b"}))
    with pytest.raises(HessbenchError, match=r"made from different code \(train: 2 and 9\)"):
        models.joined(bands, Inputs(code={"train": "9"}))


def test_inputs_survive_json(tmp_path):
    path = tmp_path / "training.json"
    inputs = Inputs({"rtp": "a"}, settings={"model": "1"})
    path.write_text(json.dumps({"inputs": asdict(inputs), "seeds": {}}))
    assert read_inputs(path) == inputs
    path.write_text("{}")
    assert read_inputs(path) is None
    for damage in ('{"inputs": {"rtp": 1}}', '{"inputs"', "[]"):
        path.write_text(damage)
        if damage == "[]":
            assert read_inputs(path) is None
            continue
        with pytest.raises(HessbenchError, match=r"training\.json: cannot be read"):
            read_inputs(path)
    with pytest.raises(HessbenchError, match=r"nowhere\.json: cannot be read"):
        read_inputs(tmp_path / "nowhere.json")
