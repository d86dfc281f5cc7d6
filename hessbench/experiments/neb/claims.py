"""Statistics of the claims about reaction paths.

The thresholds are explained in `hessbench.verification.claims`.
"""

import numpy as np

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import BARRIERS
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.results.evidence import Finding, column, only
from hessbench.results.reader import Results
from hessbench.results.statistics import estimate_from_means

BARRIER_ERROR = 1.0
"""kcal/mol; the paper's two barriers are off by 0.36 and 0.80."""


def neb_convergence(results: Results) -> list[Finding]:
    """Shares of reactions whose bands converge, and the barrier error of E-F-H's; reactions are resampled.

    Bands of several models of one reaction count as their mean. The barrier error is that of converged bands.
    """
    table = results.table(SUMMARY)
    table = table[table["loss"] != REFERENCE].assign(converged=(table["status"] == "converged").astype(float))
    published = results.published.neb
    findings = []
    for loss, key in (("E-F-H", "efh"), ("E", "e"), ("E-F", "ef")):
        shares = table[table["loss"] == loss].groupby("reaction")["converged"].mean()
        findings.append(
            Finding(
                label=f"share of bands that converge with {loss}",
                estimate=estimate_from_means(only, column(shares, SUMMARY, loss)),
                threshold=0.5,
                published=float(np.mean([getattr(path.converged, key) for path in published.values()])),
                below=loss != "E-F-H",
            )
        )
    converged = table[(table["loss"] == "E-F-H") & (table["converged"] == 1)]
    if not converged.empty:
        misses = (
            (converged["barrier"] - converged["barrier_reference"])
            .abs()
            .groupby(converged["reaction"])
            .mean()
        )
        findings.append(
            Finding(
                label="mean absolute barrier error of E-F-H's converged bands, kcal/mol",
                estimate=estimate_from_means(only, column(misses.dropna(), SUMMARY, "E-F-H")),
                threshold=BARRIER_ERROR,
                published=float(
                    np.mean([abs(path.barrier - BARRIERS[kind]) for kind, path in published.items()])
                ),
                below=True,
            )
        )
    return findings


STATISTICS = {
    "neb_convergence": neb_convergence,
}
"""Claim of published.yaml to the function that gives its findings."""
