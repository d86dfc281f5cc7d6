import pandas as pd
import pytest

from hessbench.errors import ConfigurationError
from hessbench.results.evidence import Finding
from hessbench.results.published import read_published
from hessbench.results.reader import Results
from hessbench.results.statistics import Estimate
from hessbench.verification.claims import STATISTICS, check_complete
from hessbench.verification.verdicts import COLUMNS, judge, make_verdicts, verdicts
from tests.synthetic_errors import PAPER, errors_table, write_errors, write_run

DECIDABLE = {
    "rtp_energy_order",
    "rtp_force_order",
    "rtp_hessian_gap",
    "irc_energy_gain_ef",
    "irc_energy_gain_efh",
    "irc_force_gain_efh",
    "irc_hessian_gap",
    "nms_energy_gain_vs_ef",
    "nms_energy_gain_vs_e",
    "nms_force_gain",
}
SHARP = {"spread": 0.001, "noise": 0.01, "reactions": 20}


def finding(low, high, *, below=False):
    return Finding("number", Estimate((low + high) / 2, low, high), 1.0, below=below)


def judged(folder, rmse, **options):
    return verdicts(Results(write_run(folder, rmse, **(SHARP | options)))).set_index("claim")


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([finding(1.1, 1.3)], "reproduced"),
        ([finding(0.9, 1.3)], "undecided"),
        ([finding(0.7, 0.9)], "not reproduced"),
        ([finding(0.7, 0.9, below=True)], "reproduced"),
        ([finding(1.1, 1.3, below=True)], "not reproduced"),
        ([finding(1.1, 1.3), finding(0.9, 1.3)], "undecided"),
        ([finding(0.9, 1.3), finding(0.7, 0.9)], "not reproduced"),
        ([finding(1.0, 1.3)], "undecided"),
        ([finding(float("-inf"), float("inf"))], "undecided"),
    ],
)
def test_judgement(findings, verdict):
    assert judge(findings).verdict == verdict


def test_the_weakest_finding_is_shown():
    weak, strong, failed = finding(1.05, 1.3), finding(1.5, 2), finding(0.2, 0.4)
    assert judge([strong, weak]).decisive is weak
    assert judge([strong, failed, weak]).decisive is failed
    assert "1.5" in judge([strong, weak]).reason


def test_every_claim_has_a_statistic_and_the_other_way_round():
    published = read_published()
    assert STATISTICS.keys() == published.claims.keys()
    check_complete(published)
    fewer = published.model_copy(update={"claims": dict(list(published.claims.items())[1:])})
    with pytest.raises(ConfigurationError, match="rtp_energy_order"):
        check_complete(fewer)


def test_the_papers_own_numbers_reproduce_the_papers_claims(tmp_path):
    frame = judged(tmp_path, PAPER)
    assert set(frame.index[frame["verdict"] == "reproduced"]) == DECIDABLE
    assert set(frame.index[frame["verdict"] == "undecided"]) == STATISTICS.keys() - DECIDABLE
    decided = frame.loc[sorted(DECIDABLE)]
    assert decided["reproduced"].to_numpy(float) == pytest.approx(
        decided["published"].to_numpy(float), rel=0.02
    )
    assert (decided["ci_low"] <= decided["reproduced"]).all()
    assert (decided["reproduced"] <= decided["ci_high"]).all()
    assert frame.loc["irc_energy_gain_ef", "published"] == pytest.approx(31.3, abs=0.05)


def test_a_world_without_the_effect_refutes_the_claims(tmp_path):
    # E-F-H exactly as good as E, and E-F between: no order, no gap, no gain.
    rmse = {key: (5.0 if key[1] != "ef" else 4.9) for key in PAPER}
    frame = judged(tmp_path, rmse)
    refuted = DECIDABLE - {"rtp_force_order", "rtp_energy_order"}
    assert set(frame.index[frame["verdict"] == "not reproduced"]) >= refuted
    assert not (frame["verdict"] == "reproduced").any()


def test_a_gain_of_the_right_direction_but_a_third_of_the_size_is_not_reproduced(tmp_path):
    rmse = PAPER | {("irc", "ef", "energy"): 10.62 * (1 - 0.313 / 3)}
    frame = judged(tmp_path, rmse)
    assert frame.loc["irc_energy_gain_ef", "verdict"] == "not reproduced"
    assert frame.loc["irc_energy_gain_ef", "ci_low"] > 0


def test_few_models_that_differ_leave_it_undecided(tmp_path):
    frame = judged(tmp_path, PAPER, seeds=2, spread=0.2)
    assert frame.loc["rtp_energy_order", "verdict"] == "undecided"
    assert "crosses the line" in frame.loc["rtp_energy_order", "reason"]


def test_reversed_order_is_not_reproduced(tmp_path):
    rmse = PAPER | {("rtp", "e", "energy"): 5.0}
    assert judged(tmp_path, rmse).loc["rtp_energy_order", "verdict"] == "not reproduced"


def test_missing_results_are_named(tmp_path):
    frame = judged(tmp_path, PAPER)
    for claim, words in {
        "data_efficiency_nms": "e-80.parquet|efh-2.parquet",
        "md_stability_order": "stability.parquet",
        "neb_convergence": "neb_summary.parquet",
        "epoch_cost": "epoch_cost.parquet",
    }.items():
        assert frame.loc[claim, "verdict"] == "undecided"
        assert pd.Series([frame.loc[claim, "reason"]]).str.contains(words).all()
        assert pd.isna(frame.loc[claim, "reproduced"])


def test_data_efficiency(tmp_path):
    results = write_run(tmp_path, **SHARP)
    targets = {
        ("efh", 2): {("nms", "energy"): 20.0},
        ("efh", 20): {("irc", "energy"): 8.1},
        ("efh", 40): {("irc", "energy"): 7.5},
        ("ef", 40): {("irc", "energy"): 8.0},
    }
    for (loss, percent), target in targets.items():
        rows = errors_table(target, loss=loss, percent=percent, **SHARP)
        write_errors(results, rows, loss=loss, percent=percent)
    frame = verdicts(Results(results)).set_index("claim")
    assert frame.loc["data_efficiency_nms", "verdict"] == "reproduced"
    assert frame.loc["data_efficiency_irc", "verdict"] == "reproduced"
    worse = errors_table({("irc", "energy"): 8.5}, loss="efh", percent=40, **SHARP)
    write_errors(results, worse, loss="efh", percent=40)
    frame = verdicts(Results(results)).set_index("claim")
    assert frame.loc["data_efficiency_irc", "verdict"] == "not reproduced"


def test_files(tmp_path):
    results = Results(write_run(tmp_path, **SHARP))
    csv, markdown = make_verdicts(results=results, tables=tmp_path / "tables")
    frame = pd.read_csv(csv)
    assert list(frame.columns) == [*COLUMNS, "data"]
    assert len(frame) == 19
    text = markdown.read_text()
    assert all(data in text for data in results.run.data.values())
    assert all(data in text for data in frame["data"])
    assert "19 claims: 10 reproduced, 0 not reproduced, 9 undecided" in text
    assert "nan" not in text.lower().replace("nanometer", "")
    again = [path.read_bytes() for path in make_verdicts(results=results, tables=tmp_path / "again")]
    assert again == [csv.read_bytes(), markdown.read_bytes()]
