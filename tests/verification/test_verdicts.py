import numpy as np
import pandas as pd
import pytest

from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.claims import UNREACHED, data_factor
from hessbench.results.evidence import Evidence, Finding
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


def finding(low, high, *, below=False, line=1.0, **more):
    return Finding("number", Estimate((low + high) / 2, low, high), line, below=below, **more)


def judged(folder, rmse, **options):
    return verdicts(Results(write_run(folder, rmse, **(SHARP | options)))).set_index("claim")


@pytest.mark.parametrize(
    ("findings", "word"),
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
        ([finding(2, 3, published=2.5, states="size")], "reproduced"),
        ([finding(2, 3, published=4.0, states="size")], "direction only"),
        ([finding(2, 3, published=1.5, states="size")], "direction only"),
        ([finding(2, 3, published=1.5, states="bound")], "reproduced"),
        ([finding(2, 3, published=4.0, states="bound")], "direction only"),
        ([finding(0.2, 0.4, below=True, published=0.5, states="bound")], "reproduced"),
        ([finding(0.2, 0.4, below=True, published=0.1, states="bound")], "direction only"),
        ([finding(2, 3, published=4.0, states="order")], "reproduced"),
        ([finding(0.9, 1.3, published=4.0, states="size")], "undecided"),
        ([], "not testable"),
    ],
)
def test_the_word(findings, word):
    assert judge(Evidence(findings)).word == word


@pytest.mark.parametrize(
    ("published", "word", "ratio"), [(2.5, "consistent", 1.0), (5.0, "smaller", 0.5), (1.25, "larger", 2.0)]
)
def test_the_size_is_the_number_over_the_published_one(published, word, ratio):
    size = judge(Evidence([finding(2, 3, published=published)])).size
    assert (size.word, size.ratio.value) == (word, ratio)
    assert (size.ratio.low, size.ratio.high) == (2 / published, 3 / published)


def test_testable():
    findings = [finding(1.1, 1.3)]
    assert judge(Evidence(findings)).testable == "yes"
    limited = judge(Evidence(findings, ("ten molecules",)))
    assert (limited.testable, limited.reason, limited.word) == ("limited", "ten molecules", "reproduced")
    assert judge(Evidence([], ("no results",))).testable == "no"


def test_the_weakest_finding_is_shown_and_all_stand_in_the_details():
    weak, strong, failed = finding(1.05, 1.3), finding(1.5, 2), finding(0.2, 0.4)
    assert judge(Evidence([strong, weak])).decisive is weak
    assert judge(Evidence([strong, failed, weak])).decisive is failed
    small = finding(3, 4, published=8.0, states="size")
    assert judge(Evidence([weak, small])).decisive is small
    found = judge(Evidence([strong, weak], beside=("another number",)))
    assert len(found.details) == 3
    assert "1.75 [1.5, 2]" in found.details[0]
    assert found.details[-1] == "beside it: another number"


def test_a_single_model_gives_no_interval():
    (line,) = judge(Evidence([finding(float("-inf"), float("inf"))])).details
    assert "no interval" in line


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
    assert set(frame.index[frame["verdict"] == "not testable"]) == STATISTICS.keys() - DECIDABLE
    bounds = frame.loc[["rtp_hessian_gap", "irc_hessian_gap"]]  # the sentences state one, not a number
    assert (bounds["reproduced"].to_numpy(float) > 0.97 * bounds["published"].to_numpy(float)).all()
    decided = frame.loc[sorted(DECIDABLE - set(bounds.index))]
    assert decided["reproduced"].to_numpy(float) == pytest.approx(
        decided["published"].to_numpy(float), rel=0.02
    )
    assert (decided["ci_low"] <= decided["reproduced"]).all()
    assert (decided["reproduced"] <= decided["ci_high"]).all()
    assert (decided["size"] == "consistent").all()
    assert (decided["testable"] == "yes").all()
    assert frame.loc["irc_energy_gain_ef", "published"] == pytest.approx(31.3, abs=0.05)


def test_a_world_with_the_opposite_effect_refutes_the_claims(tmp_path):
    turned = {key: 100 / value for key, value in PAPER.items()}
    frame = judged(tmp_path, turned)
    assert set(frame.index[frame["verdict"] == "not reproduced"]) == DECIDABLE
    assert (frame.loc[sorted(DECIDABLE), "direction"] == "opposite").all()


def test_a_gain_of_a_third_of_the_size_is_the_direction_only(tmp_path):
    rmse = PAPER | {("irc", "ef", "energy"): 10.62 * (1 - 0.313 / 3)}
    row = judged(tmp_path, rmse).loc["irc_energy_gain_ef"]
    assert (row["verdict"], row["direction"], row["size"]) == ("direction only", "reproduced", "smaller")
    assert row["size_ratio"] == pytest.approx(1 / 3, rel=0.1)
    assert row["size_low"] < row["size_ratio"] < row["size_high"] < 1


def test_few_models_that_differ_leave_it_undecided(tmp_path):
    frame = judged(tmp_path, PAPER, seeds=2, spread=0.2)
    assert frame.loc["rtp_energy_order", "verdict"] == "undecided"


def test_reversed_order_is_not_reproduced(tmp_path):
    rmse = PAPER | {("rtp", "e", "energy"): 5.0}
    assert judged(tmp_path, rmse).loc["rtp_energy_order", "verdict"] == "not reproduced"


def test_missing_results_are_named(tmp_path):
    frame = judged(tmp_path, PAPER)
    for claim, words in {
        "data_efficiency_nms": "E-F-H was trained on none of the shares",
        "md_stability_order": "stability.parquet",
        "neb_convergence": "neb_summary.parquet",
        "epoch_cost": "epoch_cost.parquet",
    }.items():
        assert frame.loc[claim, "verdict"] == "not testable"
        assert frame.loc[claim, "direction"] == ""
        assert pd.Series([frame.loc[claim, "reason"]]).str.contains(words).all()
        assert pd.isna(frame.loc[claim, "reproduced"])


def power_law(folder, exponent, gain, shares=(2, 20, 80)):
    """Energy RMSEs that fall with this exponent; E-F-H needs `gain` times less data than E-F and E."""
    results = write_run(folder, **SHARP)
    for loss in ("e", "ef", "efh"):
        for share in shares:
            error = 100 * (share * (gain if loss == "efh" else 1)) ** -exponent
            targets = {(s, quantity): value for (s, of, quantity), value in PAPER.items() if of == loss}
            targets |= {("nms", "energy"): error, ("irc", "energy"): error}
            rows = errors_table(targets, loss=loss, percent=share, **SHARP)
            write_errors(results, rows, loss=loss, percent=share)
    return Results(results)


@pytest.mark.parametrize("gain", [0.4, 3.0, 60.0])
def test_data_efficiency_is_the_gain_of_a_power_law(tmp_path, gain):
    """Interpolated between shares, or beyond the largest: there the test is limited."""
    results = power_law(tmp_path, 0.3, gain)
    for claim, share, published in (("data_efficiency_nms", 2, 40), ("data_efficiency_irc", 20, 2)):
        found = judge(STATISTICS[claim](results))
        factor = found.decisive.estimate
        assert factor.value == pytest.approx(gain, rel=0.1)
        assert factor.low < gain < factor.high
        assert found.direction == ("reproduced" if gain > 1 else "opposite")
        assert found.testable == "limited"  # three shares
        assert ("extrapolated" in found.reason) == (not 2 <= gain * share <= 80)
        if gain > 1:
            assert found.size.word == ("smaller" if gain < published else "larger")
        if claim == "data_efficiency_nms":
            assert found.word == {0.4: "not reproduced", 3.0: "direction only", 60.0: "reproduced"}[gain]


def test_a_learning_curve_that_rises_is_made_falling():
    found = data_factor(
        np.array([7.0, 3.0]),
        np.array([8.0, 8.0]),
        np.array([4.0, 4.0]),
        np.array([5.0, 5.0]),
        share=2,
        curve=[2, 20, 80],
    )
    assert found[0] == pytest.approx(10 ** (np.log(8 / 7) / np.log(2)))
    assert found[1] > 40


def test_a_learning_curve_that_only_rises_never_gets_there():
    for error, factor in ((3.0, UNREACHED), (9.0, 1 / UNREACHED)):
        found = data_factor(np.array(error), np.array(5.0), np.array(6.0), share=2, curve=[2, 80])
        assert found == factor


def test_files(tmp_path):
    results = Results(write_run(tmp_path, **SHARP))
    csv, markdown = make_verdicts(results=results, tables=tmp_path / "tables")
    frame = pd.read_csv(csv)
    assert list(frame.columns) == [*COLUMNS, "data"]
    claims = read_published().claims
    assert list(frame["claim"]) == list(claims)
    text = markdown.read_text()
    assert all(data in text for data in results.run.data.values())
    assert all(data in text for data in frame["data"])
    total, decided = len(claims), len(DECIDABLE)
    none = "0 direction only, 0 not reproduced, 0 undecided"
    assert f"{total} claims: {decided} reproduced, {none}, {total - decided} not testable" in text
    table, details = text.split("## Claim by claim")
    assert max(map(len, table.splitlines())) < 320
    assert details.count("### ") == total
    for claim in claims.values():
        assert f"> {claim.quote}\n> (section {claim.section})" in details
    assert "nan" not in text.lower().replace("nanometer", "")
    again = [path.read_bytes() for path in make_verdicts(results=results, tables=tmp_path / "again")]
    assert again == [csv.read_bytes(), markdown.read_bytes()]
