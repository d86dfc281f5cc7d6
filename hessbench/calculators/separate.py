"""A user's calculator in a process of its own: what ends that process fails one structure, not the run."""

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hessbench.calculators.user_file import load_calculator
from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array

ENDING = 10.0
"""Seconds that a process may take to end once nothing is asked of it any more."""


class EndedError(PotentialError):
    """The process of a calculator ended while it was asked; the next question starts another one."""


class SeparatePotential(ArrayPotential):
    """A user's calculator that is loaded and called in another process.

    Parameters
    ----------
    source
        A file, or `package.module:name`, see `hessbench.calculators.user_file`.
    calculator_device
        Name of the device that the calculator is told, if it asks for one; what it gives is on the CPU.

    Attributes
    ----------
    has_own_hessian
        Whether Hessians are the calculator's own, and not differences of its forces.
    level
        The level of theory that it states; empty if none.
    cpu_s
        CPU time of all answers so far, s.

    Raises
    ------
    HessbenchError
        It cannot be loaded, or its process ends while it is.
    """

    def __init__(self, source: Path | str, calculator_device: str = "cpu") -> None:
        super().__init__()
        self.source, self.calculator_device = source, calculator_device
        self.has_own_hessian, self.level = False, ""
        self.cpu_s = 0.0
        self._process: BaseProcess | None = None
        self._start()

    def energies(self, batch: Batch) -> Array:
        """Energies alone, see `ArrayPotential.energies`; errors as of `energies_and_forces`."""
        found: Array = self._ask("energies", batch)
        return found

    def energies_and_forces(self, batch: Batch) -> tuple[Array, Array]:
        """Energies and forces, see `ArrayPotential.energies_and_forces`.

        Raises
        ------
        PotentialError
            The calculator fails for a molecule, or its process ends.
        """
        energies, forces = self._ask("energies_and_forces", batch)
        return energies, forces

    def hessians(self, batch: Batch) -> Sequence[Array]:
        """Hessians, see `ArrayPotential.hessians`; errors as of `energies_and_forces`."""
        found: Sequence[Array] = self._ask("hessians", batch)
        return found

    def restart(self) -> None:
        """Load the calculator anew in another process: what failed may have left it unusable."""
        self._end()
        self._start()

    def _start(self) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the child; it runs beside others
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self.source, self.calculator_device))
        process.start()
        theirs.close()
        self._process = process
        # Before the interpreter waits at its end for processes, which wait for the end of the pipe.
        self._end = Finalize(self, _close, (self._connection, process), exitpriority=10)
        try:
            self.has_own_hessian, self.level = self._answer()
        except EOFError:
            raise HessbenchError(f"{self.source}: {self._ended()} while it was loaded.") from None

    def _ask(self, what: str, batch: Batch) -> Any:
        if self._process is None:
            self._start()
        states = None if batch.states is None else batch.states.numpy()
        arrays = (batch.numbers.numpy(), batch.coordinates.numpy(), batch.counts.numpy(), states)
        try:
            self._connection.send((what, arrays))
            answer, seconds = self._answer()
        except (EOFError, OSError):
            ended = self._ended()
            raise EndedError(f"The calculator fails for {batch.formula(0)}: {ended}.") from None
        self.cpu_s += seconds
        if isinstance(answer, PotentialError):
            raise answer
        return answer

    def _answer(self) -> Any:
        answer = self._connection.recv()
        if isinstance(answer, HessbenchError):
            raise answer
        return answer

    def _ended(self) -> str:
        """Tell how the process ended, which it has, as a part of a sentence."""
        process, self._process = self._process, None
        assert process is not None
        process.join(ENDING)
        code = process.exitcode
        self._end()
        how = signal.Signals(-code).name if code is not None and code < 0 else f"status {code}"
        return f"its process ended ({how})"


def _close(connection: Connection, process: BaseProcess) -> None:
    """End a process: it sees the end of the pipe, or is killed."""
    connection.close()
    process.join(ENDING)
    if process.is_alive():
        process.kill()
        process.join()


def _serve(connection: Connection, source: Path | str, device: str) -> None:
    """Load a calculator and answer until nobody asks; runs in the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the one who asks
    torch.set_num_threads(1)
    try:
        potential = load_calculator(source, device)
    except HessbenchError as error:
        connection.send(HessbenchError(str(error)))
        return
    connection.send((potential.has_own_hessian, potential.level))
    while True:
        try:
            what, arrays = connection.recv()
        except (EOFError, OSError):
            return
        begin = time.process_time()
        try:
            answer = getattr(potential, what)(_batch(*arrays))
        except PotentialError as error:
            answer = PotentialError(str(error))
        try:
            connection.send((answer, time.process_time() - begin))
        except BrokenPipeError:  # who asked was killed meanwhile
            return


def _batch(numbers: np.ndarray, coordinates: Array, counts: np.ndarray, states: np.ndarray | None) -> Batch:
    return Batch(
        torch.from_numpy(numbers),
        torch.from_numpy(coordinates),
        torch.from_numpy(counts),
        None if states is None else torch.from_numpy(states),
    )
