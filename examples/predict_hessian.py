"""Predict energy, forces and Hessian of a molecule with trained models, and its vibrations.

    python examples/predict_hessian.py example-models/80/efh/seed-*.safetensors

train_on_own_data.py makes such files; those of a whole run are in models/. The derivatives are exact, not
differences.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from ase.build import molecule
from ase.optimize import LBFGS

from hessbench.calculators.ase_calculator import HessbenchCalculator
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.potential import Batch, load


def main(arguments: list[str]) -> None:
    """Take the first model by itself, and all of them as an ensemble in ASE."""
    if not arguments:
        raise SystemExit(__doc__)
    models = [load(Path(item)) for item in arguments]
    atoms = molecule("CH3CHO")

    # In kcal/mol and Angstrom; a batch may hold any number of molecules of any size.
    model = models[0]
    batch = Batch.from_atoms([atoms], dtype=model.dtype)
    with torch.no_grad():
        prediction = model.predict(batch, derivatives=2)
    hessian = prediction.hessian(batch, 0).double().numpy()
    modes = normal_modes(atoms.positions, atomic_masses(atoms.numbers), hessian)
    print("wavenumbers, cm-1:", " ".join(f"{value:.0f}" for value in modes.wavenumbers))

    # In eV, for whatever ASE does with a calculator; the spread is that of the ensemble.
    atoms.calc = HessbenchCalculator(models)
    LBFGS(atoms, logfile=None).run(fmax=0.05, steps=200)
    hessian_ev = atoms.calc.get_hessian(atoms)
    largest = np.abs(hessian_ev).max()
    print(f"relaxed: {atoms.get_potential_energy():.3f} eV, largest element {largest:.1f} eV/Angstrom^2")
    if len(models) > 1:
        print(f"spread of the models: {atoms.calc.results['energy_spread']:.3f} eV")


if __name__ == "__main__":
    main(sys.argv[1:])
