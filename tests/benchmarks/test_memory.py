import numpy as np
import pytest

from hessbench.benchmarks.memory import peak_memory
from hessbench.benchmarks.timing import Case


@pytest.mark.slow
def test_peak_memory_is_that_of_the_step_and_not_of_the_process_that_asks():
    held = np.ones(2**27)  # 1 GiB in this process
    case = Case(atoms=8, batch=8)
    loop, exact = peak_memory(case, "E-F-H autograd loop"), peak_memory(case, "E-F-H torch")
    assert 5 < exact < loop < held.nbytes / 2**20
