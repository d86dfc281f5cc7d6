"""Statistics of the claims about reaction paths.

How claims are judged is explained in `hessbench.verification.claims`.
"""

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import BARRIERS
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.results.evidence import Evidence, Finding, column, number, only, require
from hessbench.results.reader import Results
from hessbench.results.statistics import Estimate, estimate_from_means, proportion

BARRIER_ERROR = 1.0
"""kcal/mol; chemical accuracy."""
HALF = 0.5
"""Share of converged models from which a reaction counts as converged; share of wins without a difference."""
NOTHING_KNOWN = Estimate(HALF, 0.0, 1.0)
"""Share of wins where both converge for the same reactions."""
NO_CONTROL = (
    "no control: bands of the reference from the models' starting paths were not run, so what fails for the "
    "band's sake is not told from what fails for the model's"
)


def neb_convergence(results: Results) -> Evidence:
    """Reactions whose band converges with E-F-H and not with E, and the other way round; likewise E-F.

    The share of the first among both (sign test): without a difference one half. A reaction counts as
    converged if more than half of the models' bands are. Beside it the shares that converge.
    """
    table, limit = _bands(results)
    if table.empty:
        return Evidence([], (limit,))
    converged = {
        loss: rows.groupby("reaction")["converged"].mean() > HALF for loss, rows in table.groupby("loss")
    }
    for loss in ("E", "E-F", "E-F-H"):
        require(loss in converged, SUMMARY, loss)
    findings, beside = [], []
    for loss in ("E", "E-F"):
        first, second = converged["E-F-H"].align(converged[loss], join="inner")
        wins, losses = int((first & ~second).sum()), int((second & ~first).sum())
        findings.append(
            Finding(
                label=f"share of the {wins + losses} reactions where only one of E-F-H and {loss} converges "
                "in which it is E-F-H",
                estimate=proportion(wins, wins + losses) if wins + losses else NOTHING_KNOWN,
                line=HALF,
                published=1.0,
            )
        )
    for loss in ("E-F-H", "E-F", "E"):
        count = int(converged[loss].sum())
        share = proportion(count, len(converged[loss]))
        beside.append(f"converged with {loss}: {count} of {len(converged[loss])} reactions, {number(share)}")
    return Evidence(findings, (limit,), tuple(beside))


def neb_barrier(results: Results) -> Evidence:
    """Mean absolute error of the barriers of E-F-H's converged bands; reactions are resampled."""
    table, limit = _bands(results)
    if table.empty:
        return Evidence([], (limit,))
    bands = table[table["loss"] == "E-F-H"]
    require(len(bands), SUMMARY, "E-F-H")
    converged = bands[bands["converged"]]
    if converged.empty:
        return Evidence([], ("no band of E-F-H converged",))
    errors = (converged["barrier"] - converged["barrier_reference"]).abs()
    misses = errors.groupby(converged["reaction"]).mean()
    published = results.published.neb
    error = Finding(
        label=f"mean absolute barrier error of E-F-H, kcal/mol, of the {len(misses)} reactions that converge",
        estimate=estimate_from_means(only, column(misses, SUMMARY, "E-F-H")),
        line=BARRIER_ERROR,
        published=float(np.mean([abs(path.barrier - BARRIERS[kind]) for kind, path in published.items()])),
        below=True,
        states="bound",
    )
    failed = bands["reaction"].nunique() - len(misses)
    limits = (f"of the other {failed} reactions no band converged",) if failed else ()
    median = misses.median()
    return Evidence([error], (*limits, limit), (f"median of the errors: {median:.3g} kcal/mol",))


def _bands(results: Results) -> tuple[pd.DataFrame, str]:
    """Bands of models where the reference's, from the same start, converged; and what that leaves out."""
    table = results.table(SUMMARY)
    table = table.assign(converged=table["status"] == "converged")
    control = table[(table["loss"] == REFERENCE) & (table["kind"] == "held-out")]
    models = table[table["loss"] != REFERENCE]
    if control.empty:
        return models, NO_CONTROL
    sound = control.loc[control["converged"], "reaction"]
    limit = (
        f"the {len(sound)} of {len(control)} held-out reactions whose band the reference converges from the "
        "models' starting path"
    )
    return models[models["reaction"].isin(sound)], limit


STATISTICS = {
    "neb_convergence": neb_convergence,
    "neb_barrier": neb_barrier,
}
"""Claim of published.yaml to the function that gives its evidence."""
