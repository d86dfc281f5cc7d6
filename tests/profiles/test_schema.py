"""Profiles: all valid, strict about keys, and activated without losing a user's edits."""

from pathlib import Path

import pytest
import yaml

from hessbench.errors import ConfigurationError
from hessbench.profiles import schema as profile
from hessbench.profiles.schema import activate, available, load_profile
from hessbench.system.clone import MARKS
from hessbench.training.settings import PAPER_LOSSES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project directory with the package's profiles and no params.yaml."""
    target = tmp_path / profile.PROFILES
    target.mkdir(parents=True)
    for path in (ROOT / profile.PROFILES).glob("*.yaml"):
        (target / path.name).write_text(path.read_text())
    for mark in MARKS:
        (tmp_path / mark).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edited(path: Path, *keys: str, value: object) -> Path:
    """Set one key of a profile, and write it as params.yaml."""
    content = yaml.safe_load(path.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    profile.PARAMS.write_text(yaml.safe_dump(content))
    return profile.PARAMS


@pytest.mark.parametrize("name", ["smoke", "ci", "desktop", "full", "paper"])
def test_profiles_are_valid_and_bear_their_name(name: str) -> None:
    assert load_profile(ROOT / profile.PROFILES / f"{name}.yaml").profile == name


def test_losses_of_the_paper_profile_are_those_of_the_paper() -> None:
    losses = load_profile(ROOT / profile.PROFILES / "paper.yaml").training.losses
    assert {key: losses[key].terms for key in PAPER_LOSSES} == {
        key: loss.terms for key, loss in PAPER_LOSSES.items()
    }


@pytest.mark.parametrize("name", ["ci", "desktop", "full"])
def test_losses_of_the_other_profiles_have_the_quantities_of_the_paper(name: str) -> None:
    losses = load_profile(ROOT / profile.PROFILES / f"{name}.yaml").training.losses
    for key, loss in PAPER_LOSSES.items():
        assert [term.quantity for term in losses[key].terms] == [term.quantity for term in loss.terms]


def test_committed_params_are_the_desktop_profile() -> None:
    assert (ROOT / "params.yaml").read_text() == (ROOT / profile.PROFILES / "desktop.yaml").read_text()


def test_unknown_key_is_refused_with_its_path_and_the_allowed_ones(project: Path) -> None:
    path = edited(profile.PROFILES / "ci.yaml", "training", "epoch", value=3)
    with pytest.raises(ConfigurationError, match=r"training\.epoch: unknown key; expected one of .*epochs"):
        load_profile(path)


@pytest.mark.parametrize("name", ["ci; touch x", "../ci", "", "a b", "c" * 41])
def test_a_name_that_is_a_path_or_a_command_is_refused(project: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"profile: "):
        load_profile(edited(profile.PROFILES / "ci.yaml", "profile", value=name))


def test_wrong_value_is_refused_with_what_was_expected(project: Path) -> None:
    path = edited(
        profile.PROFILES / "ci.yaml",
        "training",
        "losses",
        "efh",
        "terms",
        value=[{"quantity": "force", "weight": -1}],
    )
    with pytest.raises(ConfigurationError, match=r"losses\.efh\.terms\[0\]\.weight: .*greater than 0"):
        load_profile(path)


def test_activation_keeps_edits_unless_forced(project: Path) -> None:
    activate("ci")
    assert load_profile(profile.PARAMS).profile == "ci"
    activate("desktop")
    edited(profile.PARAMS, "training", "epochs", value=1)
    with pytest.raises(ConfigurationError, match="--force"):
        activate("ci")
    assert load_profile(profile.PARAMS).training.epochs == 1
    activate("ci", force=True)
    assert load_profile(profile.PARAMS).profile == "ci"


def test_unknown_profile_names_the_known_ones(project: Path) -> None:
    with pytest.raises(ConfigurationError, match=", ".join(available())):
        activate("laptop")


def test_broken_yaml_names_the_line(project: Path) -> None:
    profile.PARAMS.write_text("profile: ci\ndata: [\n")
    with pytest.raises(ConfigurationError, match=r"params\.yaml, line \d+: not valid YAML"):
        load_profile(profile.PARAMS)
