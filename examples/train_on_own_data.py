"""Train ensembles with E-F and with E-F-H on data of your own.

    python examples/train_on_own_data.py            # some 20 seconds; writes example-models/

Here the data are rattled molecules with energies, forces and Hessians of ASE's effective medium theory; take
your own program instead. Whole data sets in files are brought into the layout by `hessbench convert`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.units import kcal, mol

from hessbench.data.layout import Reaction
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split
from hessbench.data.structures import concatenate
from hessbench.potential.ani.settings import ANIConfig
from hessbench.training.ensemble import train_ensemble
from hessbench.training.settings import MuonConfig, TrainingConfig

UNIT = kcal / mol
"""eV of one kcal/mol: numbers inside are in kcal/mol and Angstrom."""


def label(atoms: Atoms, step: float = 1e-3) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, forces (N, 3), and Hessian (3 N, 3 N) by central differences of the forces."""
    atoms.calc = EMT()
    rows, start = [], atoms.positions.copy()
    for place in np.ndindex(start.shape):
        forces = []
        for sign in (1, -1):
            atoms.positions[place] = start[place] + sign * step
            forces.append(atoms.get_forces())
        atoms.positions[:] = start
        rows.append((forces[1] - forces[0]).ravel() / (2 * step))
    hessian = (np.array(rows) + np.array(rows).T) / 2
    return atoms.get_potential_energy() / UNIT, atoms.get_forces() / UNIT, hessian / UNIT


def own_data(structures: int = 12) -> list[Reaction]:
    """Structures of three molecules; those of one molecule have the same atoms in the same order."""
    random = np.random.default_rng(0)
    found = []
    for index, name in enumerate(("CH3OH", "CH3CHO", "CH3NH2")):
        atoms = molecule(name)
        frames = []
        for _ in range(structures):
            frame = atoms.copy()
            frame.positions += random.normal(0, 0.05, frame.positions.shape)
            frames.append(frame)
        energies, forces, hessians = map(np.array, zip(*map(label, frames), strict=True))
        coordinates = np.array([frame.positions for frame in frames])
        reaction, numbers = f"rxn{index:06d}", atoms.numbers.astype(np.uint8)
        found.append(Reaction(reaction, numbers, coordinates, energies, forces, hessians))
    return found


def main() -> None:
    """Train two models of each loss on the same structures, and compare errors on others."""
    data = concatenate(own_data())
    split = make_split(data.reactions, "my molecules 1", SplitConfig(training_percents=(80,)))
    model = ANIConfig(hidden=(64, 48, 32))
    config = TrainingConfig(
        seeds=2,
        epochs=20,
        batch_size=4,
        optimizer=MuonConfig(kind="muon", learning_rate=0.02, adam_learning_rate=0.003),
    )
    for loss in ("ef", "efh"):
        folder = train_ensemble(data, split, loss, 80, model, config, Path("example-models"))
        history = pd.read_csv(folder / "history.csv")
        last = history[history["epoch"] == history["epoch"].max()].mean()
        print(
            f"{folder}: validation RMSE {last['validation_energy_rmse_kcal_mol']:.2f} kcal/mol, "
            f"{last['validation_force_rmse_kcal_mol_A']:.2f} kcal/mol/Angstrom, "
            f"{last['validation_hessian_rmse_kcal_mol_A2']:.1f} kcal/mol/Angstrom^2"
        )


if __name__ == "__main__":
    main()
