"""Choice of backend, compilation, threads' settings."""

import itertools
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import torch

from hessbench.errors import HessbenchError
from hessbench.potential.ani import evaluation
from hessbench.potential.ani.evaluation import choose_backend, evaluate
from hessbench.potential.ani.native import runtime
from tests.molecules import ragged_batch, small_model

CPU = torch.device("cpu")


def test_environment_and_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HESSBENCH_BACKEND", raising=False)
    assert choose_backend(CPU) == "native"
    assert choose_backend(torch.device("cuda")) == "torch"
    monkeypatch.setenv("HESSBENCH_BACKEND", "torch")
    assert choose_backend(CPU) == "torch"
    assert choose_backend(CPU, "native") == "native"
    monkeypatch.setenv("HESSBENCH_BACKEND", "fortran")
    with pytest.raises(HessbenchError, match="fortran"):
        choose_backend(CPU)
    with pytest.raises(HessbenchError, match="CPU"):
        choose_backend(torch.device("cuda"), "native")


def test_without_numba_one_line_says_so() -> None:
    program = """
import sys, warnings
sys.modules["numba"] = None
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "numba" else real(name, *rest)
import torch
from hessbench.potential.ani.evaluation import evaluate
from hessbench.potential.ani.potential import build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.batch import Batch
batch = Batch(torch.tensor([8, 1]), torch.tensor([[0.0, 0, 0], [0, 0, 1]]), torch.tensor([2]))
model = build(ANIConfig(hidden=(4,)), 0)
for _ in range(3):
    evaluate(model, batch, 1)
try:
    evaluate(model, batch, 1, backend="native")
except Exception as error:
    print(type(error).__name__, error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stderr.count("numba is not installed") == 1
    assert (
        "HessbenchError The native backend is not installed: pip install 'hessbench[native]'."
        in result.stdout
    )


def test_a_fault_of_the_native_path_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hessbench.potential.ani.native.evaluate_native", broken)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ZeroDivisionError):
            evaluation.evaluate(small_model(), ragged_batch(), 1)


def test_denormals_are_treated_as_before_afterwards() -> None:
    def flushed() -> bool:
        return bool(np.float32(1e-39) * np.float32(1.0) == 0)

    for setting in (True, False):
        torch.set_flush_denormal(setting)
        evaluate(small_model(), ragged_batch(), 1, backend="native")
        assert flushed() == setting


def test_blas_threads_are_given_back() -> None:
    before = [library.get_num_threads() for library in runtime._BLAS.lib_controllers]
    with runtime.single_threaded_blas(), runtime.single_threaded_blas():
        assert all(library.get_num_threads() == 1 for library in runtime._BLAS.lib_controllers)
    assert [library.get_num_threads() for library in runtime._BLAS.lib_controllers] == before


def test_python_threads_may_evaluate_at_once() -> None:
    model, batch = small_model(), ragged_batch()
    expected = evaluate(model, batch, 2, backend="native").hessians.detach()
    results: list[torch.Tensor] = []

    def work() -> None:
        for _ in range(5):
            results.append(evaluate(model, batch, 2, backend="native").hessians.detach())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 15
    assert all(torch.equal(result, expected) for result in results)


def test_results_do_not_share_memory() -> None:
    """Large buffers are used again; nothing returned may live in one."""
    model, batch = small_model(), ragged_batch()
    first = evaluate(model, batch, 2, backend="native")
    copies = [first.energies.clone(), first.forces.clone(), first.hessians.clone()]
    shifted = type(batch)(batch.numbers, 1.1 * batch.coordinates, batch.counts)
    second = evaluate(model, shifted, 2, backend="native")
    second.hessians.sum().backward()
    for kept, value in zip(copies, (first.energies, first.forces, first.hessians), strict=True):
        assert torch.equal(kept, value)


@pytest.mark.parametrize(
    ("weights", "parts"), [([5], 3), ([1, 1, 1, 1], 2), ([1, 1, 10], 2), ([3, 1, 1, 1], 8)]
)
def test_chunks_are_split_whole(weights: list[int], parts: int) -> None:
    ranges = runtime.split_chunks(np.array(weights), min(parts, len(weights)))
    assert ranges[0][0] == 0
    assert ranges[-1][1] == len(weights)
    assert all(first < last for first, last in ranges)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ranges))
    assert len(ranges) <= parts
