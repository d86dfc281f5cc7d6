"""Every claim on made-up results, many times: an effect as claimed is found, one that is not there is not."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hessbench.results.reader import Results
from hessbench.verification.claims import STATISTICS
from hessbench.verification.verdicts import OPPOSITE, REPRODUCED, judge
from tests.experiments.synthetic import Simulation, simulations
from tests.made_up import write_made_up_run

SIMULATIONS = simulations()
RUNS = 100
FOUND = 0.95
"""Share of runs in which an effect of the published kind is found, at least."""
CHANCE = 0.025
"""Of runs without an effect so many say one direction at most, for each finding."""
SURE = 4.0
"""Standard errors of a share of `RUNS` that count as its noise."""
NOT_RANDOM = {"spectra_speedup"}
"""One measured time, whose interval is stated."""


def directions(folder: Path, claims: set[str], simulate: Simulation, effect: bool) -> dict[str, Counter]:
    """How often the direction of each claim came out as what, of `RUNS`; and how many findings it has."""
    found: dict[str, Counter] = {claim: Counter() for claim in claims}
    generator = np.random.default_rng(20250307)
    write_made_up_run(folder)
    for _ in range(RUNS):
        simulate(folder, generator, effect)
        results = Results(folder)
        for claim in claims:
            evidence = STATISTICS[claim](results)
            found[claim][judge(evidence).direction] += 1
            found[claim]["findings"] = max(found[claim]["findings"], len(evidence.findings))
    return found


def check(found: dict[str, Counter], *, effect: bool) -> None:
    """Hold shares of runs against what the rule of the verdicts states."""
    for claim, counts in found.items():
        if effect:
            assert counts[REPRODUCED] >= FOUND * RUNS, (claim, counts)
            continue
        for direction, chance in ((REPRODUCED, CHANCE), (OPPOSITE, CHANCE * counts["findings"])):
            noise = SURE * np.sqrt(chance * (1 - chance) / RUNS)
            assert counts[direction] / RUNS <= chance + noise, (claim, counts)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [True, False], ids=["effect", "none"])
@pytest.mark.parametrize("simulation", dict.fromkeys(SIMULATIONS.values()))
def test_simulated_claims(tmp_path: Path, simulation: Simulation, effect: bool) -> None:
    claims = {claim for claim, own in SIMULATIONS.items() if own is simulation}
    check(directions(tmp_path, claims, simulation, effect), effect=effect)


def test_every_claim_is_simulated() -> None:
    assert SIMULATIONS.keys() | NOT_RANDOM == STATISTICS.keys()
