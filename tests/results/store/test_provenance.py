from pathlib import Path

import pytest

from hessbench.config.inputs import Inputs
from hessbench.errors import ConfigurationError
from hessbench.results.store.provenance import Provenance, active_profile, made_here


def test_data_in_one_line() -> None:
    assert Provenance(Inputs({"rtp": "small 1"})).data == "small 1"
    assert Provenance(Inputs({"rtp": "a 1", "irc": "b 1"})).data == "rtp: a 1; irc: b 1"


def test_profile_machine_and_versions_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("profile: mine\n")
    made = made_here(Inputs(), level="GFN2-xTB", notes={"window": 0.25})
    assert (made.profile, made.level, made.notes) == ("mine", "GFN2-xTB", {"window": 0.25})
    assert set(made.versions) >= {"python", "hessbench", "torch"}
    assert made.hardware


def test_a_profile_without_a_name_is_refused(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("profile: mine\n")
    assert active_profile(params) == "mine"
    params.write_text("data: {}\n")
    with pytest.raises(ConfigurationError, match="profile: expected the name"):
        active_profile(params)
