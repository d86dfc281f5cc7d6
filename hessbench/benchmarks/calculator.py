"""Time and peak memory of a calculator's energies, forces and Hessians against the number of atoms.

On alkanes, all carbons in one zigzag: closed shells of any size, which every potential of organic molecules
knows. Each quantity is measured in a process of its own, from small molecules to large ones, so that the peak
of its memory is that of the largest so far.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from hessbench.benchmarks.memory import high_water_mark
from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.calculators.user_file import load_calculator
from hessbench.config.device import chosen_device
from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.batch import Batch

QUANTITIES = ("energy", "forces", "Hessian")
COLUMNS = ("molecule", "atoms", "quantity", "rounds", "seconds", "low", "high", "memory_mib", "reason")
CC, CH, CCC, HCH = 1.53, 1.10, 112.0, 107.0
"""Bond lengths of an alkane, Angstrom, and its angles, degrees."""
RATTLE = 0.01
"""Displacement of the atoms in each round, Angstrom: a calculator may remember what it was asked last."""
POLL = 0.2
"""Seconds after which it is looked how far a measurement is."""
_PROGRAM = "import sys; from hessbench.benchmarks.calculator import serve; serve(*sys.argv[1:])"


def alkane(carbons: int) -> tuple[np.ndarray, np.ndarray]:
    """Make an alkane with its carbons in one plane.

    Parameters
    ----------
    carbons
        At least one.

    Returns
    -------
    Atomic numbers (3 carbons + 2,) and coordinates of the same number of atoms (N, 3), Angstrom.
    """
    along, across = np.sin(np.radians(CCC / 2)), np.cos(np.radians(CCC / 2))
    outward, aside = CH * np.cos(np.radians(HCH / 2)), CH * np.sin(np.radians(HCH / 2))
    side = np.array([(-1.0) ** index for index in range(carbons)])
    chain = CC * np.stack([along * np.arange(carbons), across * side / 2, np.zeros(carbons)], axis=1)
    places = [chain]
    places += [
        chain + np.stack([np.zeros(carbons), outward * side, np.full(carbons, sign * aside)], axis=1)
        for sign in (1, -1)
    ]
    places += [
        chain[[end]] + CH * np.array([[sign * along, -across * side[end], 0]])
        for end, sign in ((0, -1), (-1, 1))
    ]
    coordinates = np.concatenate(places)
    return np.array([6] * carbons + [1] * (2 * carbons + 2)), coordinates


def time_calculator(
    source: Path | str, carbons: Sequence[int], rounds: int, threads: int = 1, show_progress: bool = True
) -> tuple[pd.DataFrame, bool]:
    """Measure a calculator of a user.

    Parameters
    ----------
    source
        A file, or `package.module:name`, see `hessbench.calculators.user_file`; it is run as code.
    carbons
        Alkanes to measure on.
    rounds
        How often each is measured.
    threads
        That numerical libraries may take.
    show_progress
        Whether there is a progress bar.

    Returns
    -------
    table
        A row an alkane and quantity, with the columns `COLUMNS`: median and quartiles (`low`, `high`) of the
        seconds that one molecule takes, by the clock, and what the process holds at most beyond what it held
        after it had done methane, MiB. Where the calculator fails these are missing and `reason` says why.
    own_hessian
        Whether Hessians are the calculator's own, and not differences of its forces.

    Raises
    ------
    HessbenchError
        The calculator cannot be loaded.
    """
    sizes, rows, own = sorted(set(carbons)), [], False
    with tqdm(total=len(sizes) * len(QUANTITIES), unit="size", disable=not show_progress) as bar:
        for quantity in QUANTITIES:
            bar.set_description(quantity)
            own, found, ended = _measured(source, quantity, sizes, rounds, threads, bar)
            for index, size in enumerate(sizes):
                key = {"molecule": _formula(size), "atoms": 3 * size + 2, "quantity": quantity}
                if index < len(found):
                    numbers = found[index]
                elif index == len(found):
                    numbers = {"reason": f"the process ended ({ended})"}
                else:
                    numbers = {"reason": "not tried: the process ended before"}
                rows.append(key | {"rounds": rounds, "reason": ""} | numbers)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = table["atoms"].to_numpy(), table["quantity"].map(QUANTITIES.index).to_numpy()
    return table.iloc[np.lexsort(order[::-1])].reset_index(drop=True), own


def _measured(
    source: Path | str, quantity: str, sizes: Sequence[int], rounds: int, threads: int, bar: "tqdm[NoReturn]"
) -> tuple[bool, list[dict[str, Any]], str]:
    """Have a process of its own measure one quantity on all alkanes.

    Returns
    -------
    Whether Hessians are the calculator's own, what is known of each alkane up to which the process came, and
    how it ended.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "measured"
        arguments = [str(source), quantity, ",".join(map(str, sizes)), str(rounds), str(path)]
        command = [sys.executable, "-c", _PROGRAM, *arguments]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        done = 0
        # what the calculator prints is no part of the table
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
            while process.poll() is None:
                time.sleep(POLL)
                measured = max(len(_lines(path)) - 1, 0)
                bar.update(measured - done)
                done = measured
        bar.update(len(sizes) - done)
        lines = [json.loads(line) for line in _lines(path)]
    code = process.returncode
    ended = signal.Signals(-code).name if code < 0 else f"status {code}"
    if not lines:
        raise HessbenchError(f"{source}: its process ended ({ended}) while it was loaded.")
    header, *found = lines
    if "unusable" in header:
        raise HessbenchError(header["unusable"])
    return header["own_hessian"], found, ended


def _formula(carbons: int) -> str:
    return "CH4" if carbons == 1 else f"C{carbons}H{2 * carbons + 2}"


def readable(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Lay a table of `time_calculator` out for people, a row an alkane; and say why cells are empty."""
    rows = []
    for (name, atoms), part in table.groupby(["molecule", "atoms"], sort=False):
        of = part.set_index("quantity")
        seconds, memory = of["seconds"].astype(float), of["memory_mib"].astype(float)
        row = {"Molecule": name, "Atoms": str(atoms)}
        row |= {f"{item}, s".capitalize(): _text(seconds[item], "{:.3g}") for item in QUANTITIES}
        row["Hessian / forces"] = _text(seconds["Hessian"] / seconds["forces"], "{:.3g}")
        row |= {f"Memory of {item}, MiB": _text(memory[item], "{:.1f}") for item in QUANTITIES}
        rows.append(row)
    failed = table[table["reason"] != ""]
    notes = [f"{item.molecule}, {item.quantity}: {item.reason}" for item in failed.itertuples()]
    return pd.DataFrame(rows), notes


def _text(value: float, form: str) -> str:
    return form.format(value) if np.isfinite(value) else "–"


def serve(source: str, quantity: str, carbons: str, rounds: str, target: str) -> None:
    """Measure one quantity of alkanes; runs in a process of its own, hence arguments of text.

    Parameters
    ----------
    source
        The calculator.
    quantity
        One of `QUANTITIES`.
    carbons
        Of the alkanes, by commas.
    rounds
        How often each is measured.
    target
        File to write: a line of JSON on the calculator, then one for each alkane as soon as it is measured:
        seconds, low and high (s) and memory_mib (MiB), or the reason why there are none.
    """
    torch.set_num_threads(1)
    with Path(target).open("w", encoding="utf-8") as file:

        def tell(content: dict[str, Any]) -> None:
            file.write(json.dumps(content) + "\n")
            file.flush()  # what comes next may end the process

        try:
            potential = load_calculator(source, str(chosen_device()))
        except HessbenchError as error:
            tell({"unusable": str(error)})
            return
        tell({"own_hessian": potential.has_own_hessian})
        with suppress(PotentialError):  # told where it counts
            _compute(potential, quantity, _batch(1, seed=0))  # loads its libraries before the count begins
        before = high_water_mark()
        for size in map(int, carbons.split(",")):
            try:
                times = [_seconds(potential, quantity, size, seed) for seed in range(1, int(rounds) + 1)]
            except PotentialError as error:
                tell({"reason": str(error)})
                continue
            low, median, high = np.quantile(times, (0.25, 0.5, 0.75)).tolist()
            tell({"seconds": median, "low": low, "high": high, "memory_mib": high_water_mark() - before})


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _seconds(potential: CalculatorPotential, quantity: str, carbons: int, seed: int) -> float:
    batch = _batch(carbons, seed)
    begin = time.perf_counter()
    _compute(potential, quantity, batch)
    return time.perf_counter() - begin


def _batch(carbons: int, seed: int) -> Batch:
    numbers, coordinates = alkane(carbons)
    shift = RATTLE * np.random.default_rng(seed).standard_normal(coordinates.shape)
    return Batch.from_molecules([(numbers, coordinates + shift)])


def _compute(potential: CalculatorPotential, quantity: str, batch: Batch) -> None:
    if quantity == "Hessian":
        potential.hessians(batch)
    elif quantity == "forces":
        potential.energies_and_forces(batch)
    else:
        potential.energies(batch)
