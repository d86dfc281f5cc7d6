import json

import pytest

from hessbench.config.inputs import Inputs
from hessbench.errors import HessbenchError
from hessbench.results.run import Run, read_run, write_run
from hessbench.system.machine import hardware_line

DATA = {"rtp": "small 1.0 GFN2-xTB 0123456789ab", "irc": "small-irc 1.0 GFN2-xTB ba9876543210"}
RUN = Run(
    profile="ci",
    data=DATA | {"single-ts": "path 2 GFN2-xTB 00"},
    files={"split": "s"},
    settings={"stability": "1", "training.epochs": "2"},
    code={"train": "a", "stability": "b"},
    versions={"torch": "2.13.0"},
    hardware=hardware_line(),
)


def test_round_trip(tmp_path):
    path = write_run(tmp_path / "results", RUN)
    assert read_run(tmp_path / "results") == RUN
    before = path.read_bytes()
    write_run(tmp_path / "results", RUN)
    assert path.read_bytes() == before
    assert path.name == "run.json"


def test_the_footer_names_the_active_data():
    assert RUN.footer == f"Profile ci. Data: rtp: {DATA['rtp']}; irc: {DATA['irc']}."


def test_results_of_the_same_inputs_belong_to_the_run():
    assert RUN.difference(Inputs()) == ""
    part = Inputs({"rtp": DATA["rtp"]}, {"split": "s"}, {"training.epochs": "2"}, {"train": "a"})
    assert RUN.difference(part) == ""


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (Inputs({"rtp": "other 1"}), f"was made from other data (rtp: other 1, here {DATA['rtp']}) than"),
        (Inputs(files={"split": "t"}), "other data (split) than this run"),
        (Inputs(settings={"stability": "9"}), "other settings (stability) than this run"),
        (Inputs(settings={"losses.x": "9"}), "other settings (losses.x, which left the profile) than"),
        (Inputs(code={"train": "z"}), "other code (train) than this run"),
        (
            Inputs(files={"split": "t"}, settings={"stability": "9"}, code={"train": "z", "stability": "z"}),
            "was made from other data (split) and other settings (stability) and "
            "other code (train; stability) than this run",
        ),
    ],
)
def test_what_differs_is_named(inputs, words):
    assert words in RUN.difference(inputs)


@pytest.mark.parametrize("damage", [{"profile": ""}, {"data": {}}, {"data": 3}, {"date": "today"}])
def test_what_does_not_fit_is_named(tmp_path, damage):
    path = write_run(tmp_path, RUN)
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(HessbenchError, match=rf"run\.json, {next(iter(damage))}"):
        read_run(tmp_path)


def test_missing_or_cut_off(tmp_path):
    with pytest.raises(HessbenchError, match=r"run\.json: does not exist"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text('{"profile": ')
    with pytest.raises(HessbenchError, match=r"run\.json"):
        read_run(tmp_path)
