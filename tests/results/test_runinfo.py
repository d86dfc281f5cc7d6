import json

import pytest

from hessbench.errors import ConfigurationError, HessbenchError
from hessbench.results.store.runinfo import active_profile, read_run_info, write_run_info
from hessbench.system.machine import hardware_line


def test_round_trip(tmp_path):
    data = {"rtp": "small 1.0 GFN2-xTB 0123456789ab", "irc": "small-irc 1.0 GFN2-xTB ba9876543210"}
    known = {"profile": "ci", "data": data, "versions": {"torch": "2.13.0"}, "hardware": hardware_line()}
    path = write_run_info(tmp_path / "results", **known)
    info = read_run_info(tmp_path / "results")
    assert info.model_dump() == known
    before = path.read_bytes()
    write_run_info(tmp_path / "results", **known)
    assert path.read_bytes() == before
    assert path.name == "run.json"
    for identity in data.values():
        assert identity in info.footer


@pytest.mark.parametrize("damage", [{"profile": ""}, {"data": {}}, {"data": 3}, {"date": "today"}])
def test_what_does_not_fit_is_named(tmp_path, damage):
    path = write_run_info(tmp_path, profile="ci", data={"rtp": "some"})
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(HessbenchError, match=rf"run\.json, {next(iter(damage))}"):
        read_run_info(tmp_path)


def test_missing_or_cut_off(tmp_path):
    with pytest.raises(HessbenchError, match=r"run\.json does not exist"):
        read_run_info(tmp_path)
    (tmp_path / "run.json").write_text('{"profile": ')
    with pytest.raises(HessbenchError, match=r"run\.json"):
        read_run_info(tmp_path)


def test_a_profile_without_a_name_is_refused(tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text("profile: mine\n")
    assert active_profile(params) == "mine"
    params.write_text("data: {}\n")
    with pytest.raises(ConfigurationError, match="profile: expected the name"):
        active_profile(params)
