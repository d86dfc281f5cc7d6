"""Statistics of the claims about Tables 2-4, Figure 6 and Figure S17.

How claims are judged is explained in `hessbench.verification.claims`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from hessbench.config.loss_labels import LABELS
from hessbench.experiments.errors.ensembles import ensembles, errors_of, main_percent
from hessbench.experiments.errors.statistics import estimate
from hessbench.results.evidence import Evidence, Finding
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.statistics import Array, Estimate
from hessbench.results.table_files import QUANTITY_NAMES

ORDER_OF_MAGNITUDE = 10.0
"""What the sentences about Hessians (sections 3.2 and 3.3) call "an order of magnitude or worse"."""
FLATTEST = -0.01
"""Exponent of a learning curve that counts as one that does not fall; less cannot be divided by."""
UNREACHED = 1000.0
"""Factor of data that stands for any larger one: no curve can be continued so far."""

States = Literal["size", "bound", "order"]


def rtp_energy_order(results: Results) -> Evidence:
    """Order of the energy RMSEs: E-F-H < E < E-F."""
    return _order(results, "rtp", "energy", "efh", "e", "ef")


def rtp_force_order(results: Results) -> Evidence:
    """Order of the force RMSEs: E-F < E-F-H < E."""
    return _order(results, "rtp", "force", "ef", "efh", "e")


def rtp_hessian_gap(results: Results) -> Evidence:
    """Ratio of the Hessian RMSEs on RTP of E and E-F to that of E-F-H."""
    return _gap(results, "rtp")


def irc_hessian_gap(results: Results) -> Evidence:
    """Ratio of the Hessian RMSEs on IRC of E and E-F to that of E-F-H."""
    return _gap(results, "irc")


def irc_energy_gain_ef(results: Results) -> Evidence:
    """Gain of E-F over E in IRC energies."""
    return _gain(results, "irc", "energy", of="e", by="ef")


def irc_energy_gain_efh(results: Results) -> Evidence:
    """Gain of E-F-H over E in IRC energies."""
    return _gain(results, "irc", "energy", of="e", by="efh")


def irc_force_gain_efh(results: Results) -> Evidence:
    """Gain of E-F-H over E-F in IRC forces."""
    return _gain(results, "irc", "force", of="ef", by="efh")


def nms_energy_gain_vs_ef(results: Results) -> Evidence:
    """Gain of E-F-H over E-F in NMS energies."""
    return _gain(results, "nms", "energy", of="ef", by="efh")


def nms_energy_gain_vs_e(results: Results) -> Evidence:
    """Gain of E-F-H over E in NMS energies."""
    return _gain(results, "nms", "energy", of="e", by="efh")


def nms_force_gain(results: Results) -> Evidence:
    """Factor between E-F and E-F-H in NMS forces."""
    return Evidence([_ratio(results, "nms", "force", "ef", "efh", states="size")])


def data_efficiency_nms(results: Results) -> Evidence:
    """How many times as much data E-F and E need for the NMS energy RMSE that E-F-H has with 2 %."""
    return _efficiency(results, "nms", of=("ef", "e"), published={2: 40.0}, states="bound")


def data_efficiency_irc(results: Results) -> Evidence:
    """How many times the data E-F needs for the IRC energy RMSE that E-F-H has with 20 %, and with 40 %."""
    return _efficiency(results, "irc", of=("ef",), published={20: 2.0, 40: 2.0}, states="size")


def _order(results: Results, test_set: str, quantity: str, *ascending: str) -> Evidence:
    return Evidence(
        [
            _ratio(results, test_set, quantity, larger, smaller, states="order")
            for position, smaller in enumerate(ascending)
            for larger in ascending[position + 1 :]
        ]
    )


def _gap(results: Results, test_set: str) -> Evidence:
    """Ratios beside the bound that the sentences state, or the paper's own ratio where that is below it."""
    ratios = [_ratio(results, test_set, "hessian", other, "efh", states="bound") for other in ("e", "ef")]
    return Evidence(
        [replace(ratio, published=min(ratio.published or np.inf, ORDER_OF_MAGNITUDE)) for ratio in ratios]
    )


def _ratio(
    results: Results, test_set: str, quantity: str, larger: str, smaller: str, *, states: States
) -> Finding:
    """RMSE of one loss over that of another, both with the most data."""
    return Finding(
        label=f"{QUANTITY_NAMES[quantity]} RMSE on {test_set.upper()}, {LABELS[larger]} / {LABELS[smaller]}",
        estimate=_estimate(results, lambda a, b: a / b, test_set, quantity, larger, smaller),
        line=1,
        published=_published(results, test_set, larger, quantity)
        / _published(results, test_set, smaller, quantity),
        states=states,
    )


def _gain(results: Results, test_set: str, quantity: str, *, of: str, by: str) -> Evidence:
    """Percent by which the RMSE of loss `by` lies below that of loss `of`."""

    def percent(a: Array, b: Array) -> Array:
        return 100 * (1 - b / a)

    published = percent(*(np.array(_published(results, test_set, loss, quantity)) for loss in (of, by)))
    gain = Finding(
        label=f"{QUANTITY_NAMES[quantity]} RMSE on {test_set.upper()}, "
        f"{LABELS[by]} below {LABELS[of]} in percent",
        estimate=_estimate(results, percent, test_set, quantity, of, by),
        line=0,
        published=float(published),
        states="size",
    )
    return Evidence([gain])


def _efficiency(
    results: Results, test_set: str, *, of: tuple[str, ...], published: dict[int, float], states: States
) -> Evidence:
    """Factors of data in energies, for those of the paper's shares that E-F-H was trained on in this run."""
    trained = ensembles(results)
    shares = [share for share in published if ("efh", share) in trained]
    if not shares:
        raise MissingResultsError(
            f"E-F-H was trained on none of the shares that the sentence is about "
            f"({', '.join(map(str, published))} %); a profile with them among split.training_percents tells."
        )
    findings, limits = [], []
    for loss in of:
        curve = [percent for name, percent in trained if name == loss]
        if len(curve) < 2:
            raise MissingResultsError(f"{LABELS[loss]} was trained on a single share, which makes no curve.")
        for share in shares:
            errors = [
                errors_of(results, name, percent, test_set, "energy")
                for name, percent in [("efh", share), *((loss, percent) for percent in curve)]
            ]
            factor = estimate(partial(data_factor, share=share, curve=curve), *errors)
            findings.append(
                Finding(
                    label=f"energy RMSE on {test_set.upper()}: data that {LABELS[loss]} needs for that of "
                    f"E-F-H with {share} %, as a multiple",
                    estimate=factor,
                    line=1,
                    published=published[share],
                    states=states,
                )
            )
            if factor.value >= UNREACHED:
                limits.append(f"{LABELS[loss]} would need more than {UNREACHED:g} times the data")
            elif not curve[0] <= factor.value * share <= curve[-1]:
                limits.append(
                    f"{LABELS[loss]} has no such error between {curve[0]} and {curve[-1]} %: extrapolated"
                )
    missing = [share for share in published if share not in shares]
    if missing:
        limits.append(f"E-F-H was not trained on {', '.join(map(str, missing))} %")
    if min(len([p for name, p in trained if name == loss]) for loss in of) < 4:
        limits.append("a learning curve of fewer than four shares")
    return Evidence(findings, tuple(dict.fromkeys(limits)))


def data_factor(error: Array, *errors: Array, share: float, curve: list[int]) -> Array:
    """How many times `share` percent of data a learning curve needs to come to an error.

    The curve is drawn straight between its points on logarithmic axes, made falling where it rises (an error
    with more data counts as no larger than with less), and goes on beyond its ends with its overall slope.

    Parameters
    ----------
    error
        Error to come to; (...).
    errors
        Errors of the curve, one (...) array a share, at the shares `curve` in ascending percents.

    Returns
    -------
    (...) array; no factor is above `UNREACHED`, nor below one over that.
    """
    target = np.log(error)
    x = np.log(np.array(curve, float))
    y = np.minimum.accumulate(np.log(np.stack(errors)), axis=0)  # (shares, ...)
    slope = np.minimum((y[-1] - y[0]) / (x[-1] - x[0]), FLATTEST)
    found = np.where(target > y[0], x[0] + (target - y[0]) / slope, x[-1] + (target - y[-1]) / slope)
    for k in range(len(curve) - 1):
        inside = (target <= y[k]) & (target > y[k + 1])
        fall = np.where(inside, y[k] - y[k + 1], 1.0)
        found = np.where(inside, x[k] + (y[k] - target) / fall * (x[k + 1] - x[k]), found)
    # where the target is met exactly at the first share
    factor: Array = np.exp(np.where(target == y[0], x[0], found)) / share
    return np.clip(factor, 1 / UNREACHED, UNREACHED)


def _estimate(
    results: Results, statistic: Callable[..., Array], test_set: str, quantity: str, *losses: str
) -> Estimate:
    percent = main_percent(results)
    return estimate(statistic, *(errors_of(results, loss, percent, test_set, quantity) for loss in losses))


def _published(results: Results, test_set: str, loss: str, quantity: str) -> float:
    return results.published.cell(test_set, loss, quantity).rmse


OF_TABLES = (
    rtp_energy_order,
    rtp_force_order,
    rtp_hessian_gap,
    irc_hessian_gap,
    irc_energy_gain_ef,
    irc_energy_gain_efh,
    irc_force_gain_efh,
    nms_energy_gain_vs_ef,
    nms_energy_gain_vs_e,
    nms_force_gain,
)
"""Statistics of the claims that can be judged from Tables 2-4, which show models trained on most data."""
STATISTICS = {
    statistic.__name__: statistic for statistic in (*OF_TABLES, data_efficiency_nms, data_efficiency_irc)
}
"""Claim of published.yaml to the function that gives its evidence."""
