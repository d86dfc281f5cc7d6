"""Two small reactions with rough geometries: the inversion of ammonia and HCN to HNC."""

from collections.abc import Iterator

import numpy as np
import pytest
import tblite.interface  # noqa: F401  (its threads are limited below)
from distributed import LocalCluster
from threadpoolctl import threadpool_limits

from hessbench.cluster.connection import ONE_THREAD, Cluster
from hessbench.generate.settings import GenerateConfig
from hessbench.reactions.geometries import ReactionGeometries

LEVEL = "GFN2-xTB"


def ammonia(height: float) -> np.ndarray:
    angles = np.array([0, 2, 4]) * np.pi / 3
    hydrogens = np.stack([np.cos(angles), np.sin(angles), np.zeros(3)], axis=1)
    return np.vstack([[0, 0, height], 0.98 * hydrogens])


def inversion(name: str = "rxn000001", seed: int | None = None) -> ReactionGeometries:
    noise = np.zeros((3, 4, 3)) if seed is None else np.random.default_rng(seed).normal(0, 0.02, (3, 4, 3))
    start = np.stack([ammonia(0.35), ammonia(0.0), ammonia(-0.35)]) + noise
    return ReactionGeometries(
        name, np.array([7, 1, 1, 1], dtype=np.uint8), dict(zip(("R", "TS", "P"), start, strict=True))
    )


def hydrogen_cyanide(name: str = "rxn000002") -> ReactionGeometries:
    carbon, nitrogen = [0.0, 0, 0], [1.16, 0, 0]
    hydrogens = {"R": [-1.07, 0.05, 0], "TS": [0.55, 1.15, 0], "P": [2.15, -0.05, 0.02]}
    return ReactionGeometries(
        name,
        np.array([6, 7, 1], dtype=np.uint8),
        {role: np.array([carbon, nitrogen, hydrogen]) for role, hydrogen in hydrogens.items()},
    )


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in the worker processes: with several threads sums, and so results, depend on their number."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """Two worker processes for all tests of this folder, no longer: even idle ones take processor time."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=0, env=ONE_THREAD
    ) as local:
        yield Cluster(scheduler=local.scheduler_address)


@pytest.fixture(scope="session")
def config() -> GenerateConfig:
    return GenerateConfig(irc_structures=9)
