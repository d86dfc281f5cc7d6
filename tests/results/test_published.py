import pytest
import yaml

from hessbench.errors import ConfigurationError
from hessbench.results.published import PUBLISHED, read_published


@pytest.fixture
def content():
    return yaml.safe_load(PUBLISHED.read_text())


def write(folder, content):
    path = folder / "published.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_papers_numbers():
    published = read_published()
    assert published.cell("nms", "efh", "energy") == (13.52, 0.21)
    assert published.cell("rtp", "ef", "hessian").rmse == 146.32
    assert published.counts["rtp"].structures == 35087
    assert len(published.stability.failure) == 10
    assert published.stability.failure["benzene"].efh.temperature == 2160


def test_printed_percentages_follow_from_the_printed_tables():
    # What the text says must be what its tables say, or a cell is mistyped here.
    published = read_published()
    for claim, (test_set, quantity, of, by, percent) in {
        "irc_energy_gain_ef": ("irc", "energy", "e", "ef", 31.3),
        "irc_energy_gain_efh": ("irc", "energy", "e", "efh", 38.3),
        "irc_force_gain_efh": ("irc", "force", "ef", "efh", 13.9),
        "nms_energy_gain_vs_ef": ("nms", "energy", "ef", "efh", 37.6),
        "nms_energy_gain_vs_e": ("nms", "energy", "e", "efh", 70.8),
    }.items():
        gain = 1 - published.cell(test_set, by, quantity).rmse / published.cell(test_set, of, quantity).rmse
        assert 100 * gain == pytest.approx(percent, abs=0.06), claim
        assert f"{percent} %" in published.claims[claim].statement


def test_wrong_keys_are_named_with_their_path(tmp_path, content):
    content["rmse"]["irc"]["ef"]["force"] = [8.48]
    with pytest.raises(ConfigurationError, match=r"rmse\.irc\.ef\.force"):
        read_published(write(tmp_path, content))


def test_unknown_and_missing_keys(tmp_path, content):
    content["rmse"]["rtp"]["efhvp"] = content["rmse"]["rtp"].pop("efh")
    with pytest.raises(ConfigurationError) as caught:
        read_published(write(tmp_path, content))
    assert "rmse.rtp.efh: missing" in str(caught.value)
    assert "rmse.rtp.efhvp: unknown key" in str(caught.value)


def test_negative_rmse_and_missing_file(tmp_path, content):
    content["rmse"]["rtp"]["e"]["energy"] = [-3.83, 0.23]
    with pytest.raises(ConfigurationError, match=r"rmse\.rtp\.e\.energy"):
        read_published(write(tmp_path, content))
    with pytest.raises(ConfigurationError, match="nowhere"):
        read_published(tmp_path / "nowhere.yaml")
