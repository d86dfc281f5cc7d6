"""Statistics of the claims about Tables 2-4, Figure 6 and Figure S17.

The thresholds are explained in `hessbench.verification.claims`.
"""

from collections.abc import Callable

from hessbench.config.loss_labels import LABELS
from hessbench.experiments.errors.ensembles import errors_of, main_percent
from hessbench.experiments.errors.statistics import estimate
from hessbench.results.evidence import Finding
from hessbench.results.reader import Results
from hessbench.results.statistics import Array, Estimate

SHARE = 0.5
"""Part of a published gain above which the claim holds."""


def rtp_energy_order(results: Results) -> list[Finding]:
    """Order of the energy RMSEs: E-F-H < E < E-F."""
    return _order(results, "rtp", "energy", "efh", "e", "ef")


def rtp_force_order(results: Results) -> list[Finding]:
    """Order of the force RMSEs: E-F < E-F-H < E."""
    return _order(results, "rtp", "force", "ef", "efh", "e")


def rtp_hessian_gap(results: Results) -> list[Finding]:
    """Gap of the Hessian RMSEs on RTP: at least 10."""
    return [_ratio(results, "rtp", "hessian", other, "efh", threshold=10) for other in ("e", "ef")]


def irc_hessian_gap(results: Results) -> list[Finding]:
    """Gap of the Hessian RMSEs on IRC: about 10 (E-F is published at 9.8)."""
    return [_ratio(results, "irc", "hessian", other, "efh", threshold=9.5) for other in ("e", "ef")]


def irc_energy_gain_ef(results: Results) -> list[Finding]:
    """Gain of E-F over E in IRC energies: 31.3 %."""
    return [_reduction(results, "irc", "energy", of="e", by="ef", share=SHARE)]


def irc_energy_gain_efh(results: Results) -> list[Finding]:
    """Gain of E-F-H over E in IRC energies: 38.3 %."""
    return [_reduction(results, "irc", "energy", of="e", by="efh", share=SHARE)]


def irc_force_gain_efh(results: Results) -> list[Finding]:
    """Gain of E-F-H over E-F in IRC forces: 13.9 %."""
    return [_reduction(results, "irc", "force", of="ef", by="efh", share=SHARE)]


def nms_energy_gain_vs_ef(results: Results) -> list[Finding]:
    """Gain of E-F-H over E-F in NMS energies: 37.6 %."""
    return [_reduction(results, "nms", "energy", of="ef", by="efh", share=SHARE)]


def nms_energy_gain_vs_e(results: Results) -> list[Finding]:
    """Gain of E-F-H over E in NMS energies: 70.8 %."""
    return [_reduction(results, "nms", "energy", of="e", by="efh", share=SHARE)]


def nms_force_gain(results: Results) -> list[Finding]:
    """Factor between E-F and E-F-H in NMS forces: nearly 2."""
    return [_ratio(results, "nms", "force", "ef", "efh", threshold=1.5)]


def data_efficiency_nms(results: Results) -> list[Finding]:
    """E-F-H with 2 % of the data against E and E-F with 80 % in NMS energies: ratio above 1."""
    return [
        _ratio(results, "nms", "energy", other, "efh", threshold=1, larger_percent=80, smaller_percent=2)
        for other in ("e", "ef")
    ]


def data_efficiency_irc(results: Results) -> list[Finding]:
    """E-F-H with 20 % against E-F with 40 % (matches), 40 % against 80 % (nearly), in IRC energies."""
    return [
        _ratio(
            results, "irc", "energy", "ef", "efh", threshold=1 / 1.05, larger_percent=40, smaller_percent=20
        ),
        _ratio(
            results, "irc", "energy", "ef", "efh", threshold=1 / 1.10, larger_percent=80, smaller_percent=40
        ),
    ]


def _order(results: Results, test_set: str, quantity: str, *ascending: str) -> list[Finding]:
    return [
        _ratio(results, test_set, quantity, larger, smaller, threshold=1)
        for position, smaller in enumerate(ascending)
        for larger in ascending[position + 1 :]
    ]


def _ratio(
    results: Results,
    test_set: str,
    quantity: str,
    larger: str,
    smaller: str,
    *,
    threshold: float,
    larger_percent: int | None = None,
    smaller_percent: int | None = None,
) -> Finding:
    """RMSE of one loss over that of another, claimed to lie above the threshold.

    Percents of the data default to that of Tables 2-4; for others the paper has no numbers.
    """
    name = f"{quantity} RMSE on {test_set.upper()}, "
    main = larger_percent is None and smaller_percent is None
    losses = (larger, larger_percent), (smaller, smaller_percent)
    return Finding(
        label=name + " / ".join(_label(*loss) for loss in losses),
        estimate=_estimate(results, lambda a, b: a / b, test_set, quantity, *losses),
        threshold=threshold,
        published=_published(results, test_set, larger, quantity)
        / _published(results, test_set, smaller, quantity)
        if main
        else None,
    )


def _reduction(results: Results, test_set: str, quantity: str, *, of: str, by: str, share: float) -> Finding:
    """Percent by which loss `by` lies below loss `of`, claimed above `share` of the published."""

    def percent(a: Array, b: Array) -> Array:
        return 100 * (1 - b / a)

    published = 100 * (
        1 - _published(results, test_set, by, quantity) / _published(results, test_set, of, quantity)
    )
    return Finding(
        label=f"{quantity} RMSE on {test_set.upper()}, {LABELS[by]} below {LABELS[of]} in percent",
        estimate=_estimate(results, percent, test_set, quantity, (of, None), (by, None)),
        threshold=share * published,
        published=published,
    )


def _estimate(
    results: Results,
    statistic: Callable[..., Array],
    test_set: str,
    quantity: str,
    *losses: tuple[str, int | None],
) -> Estimate:
    main = main_percent(results)
    ensembles = [
        errors_of(results, loss, main if percent is None else percent, test_set, quantity)
        for loss, percent in losses
    ]
    return estimate(statistic, *ensembles)


def _published(results: Results, test_set: str, loss: str, quantity: str) -> float:
    return results.published.cell(test_set, loss, quantity).rmse


def _label(loss: str, percent: int | None) -> str:
    return LABELS[loss] if percent is None else f"{LABELS[loss]} ({percent} %)"


STATISTICS = {
    statistic.__name__: statistic
    for statistic in (
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
        data_efficiency_nms,
        data_efficiency_irc,
    )
}
"""Claim of published.yaml to the function that gives its findings."""
