"""Statistics of the claims about Tables 2-4, Figure 6 and Figure S17; see `claims` for the lines."""

from hessbench.verification.evidence import Evidence, Finding

SHARE = 0.5
"""Part of a published gain above which the claim holds."""


def rtp_energy_order(evidence: Evidence) -> list[Finding]:
    """Order of the energy RMSEs: E-F-H < E < E-F."""
    return _order(evidence, "rtp", "energy", "efh", "e", "ef")


def rtp_force_order(evidence: Evidence) -> list[Finding]:
    """Order of the force RMSEs: E-F < E-F-H < E."""
    return _order(evidence, "rtp", "force", "ef", "efh", "e")


def rtp_hessian_gap(evidence: Evidence) -> list[Finding]:
    """Gap of the Hessian RMSEs on RTP: at least 10."""
    return [evidence.ratio("rtp", "hessian", other, "efh", line=10) for other in ("e", "ef")]


def irc_hessian_gap(evidence: Evidence) -> list[Finding]:
    """Gap of the Hessian RMSEs on IRC: about 10 (E-F is published at 9.8)."""
    return [evidence.ratio("irc", "hessian", other, "efh", line=9.5) for other in ("e", "ef")]


def irc_energy_gain_ef(evidence: Evidence) -> list[Finding]:
    """Gain of E-F over E in IRC energies: 31.3 %."""
    return [evidence.reduction("irc", "energy", of="e", by="ef", share=SHARE)]


def irc_energy_gain_efh(evidence: Evidence) -> list[Finding]:
    """Gain of E-F-H over E in IRC energies: 38.3 %."""
    return [evidence.reduction("irc", "energy", of="e", by="efh", share=SHARE)]


def irc_force_gain_efh(evidence: Evidence) -> list[Finding]:
    """Gain of E-F-H over E-F in IRC forces: 13.9 %."""
    return [evidence.reduction("irc", "force", of="ef", by="efh", share=SHARE)]


def nms_energy_gain_vs_ef(evidence: Evidence) -> list[Finding]:
    """Gain of E-F-H over E-F in NMS energies: 37.6 %."""
    return [evidence.reduction("nms", "energy", of="ef", by="efh", share=SHARE)]


def nms_energy_gain_vs_e(evidence: Evidence) -> list[Finding]:
    """Gain of E-F-H over E in NMS energies: 70.8 %."""
    return [evidence.reduction("nms", "energy", of="e", by="efh", share=SHARE)]


def nms_force_gain(evidence: Evidence) -> list[Finding]:
    """Factor between E-F and E-F-H in NMS forces: nearly 2."""
    return [evidence.ratio("nms", "force", "ef", "efh", line=1.5)]


def data_efficiency_nms(evidence: Evidence) -> list[Finding]:
    """E-F-H with 2 % of the data against E and E-F with 80 % in NMS energies: ratio above 1."""
    return [
        evidence.ratio("nms", "energy", other, "efh", line=1, larger_fraction=80, smaller_fraction=2)
        for other in ("e", "ef")
    ]


def data_efficiency_irc(evidence: Evidence) -> list[Finding]:
    """E-F-H with 20 % against E-F with 40 % (matches), 40 % against 80 % (nearly), in IRC energies."""
    return [
        evidence.ratio("irc", "energy", "ef", "efh", line=1 / 1.05, larger_fraction=40, smaller_fraction=20),
        evidence.ratio("irc", "energy", "ef", "efh", line=1 / 1.10, larger_fraction=80, smaller_fraction=40),
    ]


def _order(evidence: Evidence, test_set: str, quantity: str, *ascending: str) -> list[Finding]:
    return [
        evidence.ratio(test_set, quantity, larger, smaller, line=1)
        for position, smaller in enumerate(ascending)
        for larger in ascending[position + 1 :]
    ]


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
