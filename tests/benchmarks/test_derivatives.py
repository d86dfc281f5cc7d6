"""The cases of `hessbench benchmark derivatives` for pytest-benchmark.

Run with `pytest tests/benchmarks --benchmark-only`; without that option each step is taken once, as a test.
"""

import pytest
import torch

from hessbench.benchmarks.timing import SLOW, WAYS, Case, step

CASES = {"13 atoms": Case(batch=4), "6 atoms, float64": Case(atoms=6, batch=4, dtype="float64")}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("way", [way for way in WAYS if way not in SLOW])
def test_step(benchmark: pytest.FixtureRequest, way: str, case: Case) -> None:
    model, batch = case.build()
    torch.set_num_threads(1)
    benchmark(step, way, model, batch)
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.networks.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("way", sorted(SLOW))
def test_slow_step(benchmark: pytest.FixtureRequest, way: str) -> None:
    model, batch = Case(batch=2).build()
    torch.set_num_threads(1)
    benchmark.pedantic(step, (way, model, batch), rounds=2, warmup_rounds=1)
