"""Starting structures of the stability test: the ten molecules of MD17, made from their SMILES.

Conformers by RDKit's distance geometry (Riniker, Landrum, J. Chem. Inf. Model. 55, 2562 (2015)) with a fixed
seed, each minimised at the level of theory; the one of lowest energy is kept. Azobenzene is the trans isomer;
malonaldehyde is the dialdehyde (keto) form, as in MD17 (its C3H4O2 structures are OHC-CH2-CHO).
"""

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from tqdm import tqdm

from hessbench import __version__
from hessbench.chemistry.level import LevelError
from hessbench.chemistry.levels import make_level
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.errors import HessbenchError
from hessbench.generate.refine import RefinementError, find_minimum
from hessbench.generate.settings import GenerateConfig
from hessbench.system.files import replacing

SMILES = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "azobenzene": "c1ccccc1/N=N/c1ccccc1",
    "benzene": "c1ccccc1",
    "ethanol": "CCO",
    "malonaldehyde": "O=CCC=O",
    "naphthalene": "c1ccc2ccccc2c1",
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "salicylic_acid": "O=C(O)c1ccccc1O",
    "toluene": "Cc1ccccc1",
    "uracil": "O=c1cc[nH]c(=O)[nH]1",
}
CONFORMERS = 10
"""Starting conformers of a molecule."""


def make_md17(output: Path, config: GenerateConfig) -> str:
    """Write the minima of the ten molecules to an extxyz file.

    Returns
    -------
    str
        What came out, for the user.

    Raises
    ------
    HessbenchError
        No conformer of a molecule has a minimum.
    """
    frames = []
    for name in tqdm(SMILES, desc="md17", unit="molecule"):
        frames.append(lowest_minimum(name, config))
    with replacing(output) as temporary:
        write(temporary, frames, format="extxyz")
    return f"{output}: {len(frames)} molecules at {config.level}"


def lowest_minimum(name: str, config: GenerateConfig) -> Atoms:
    """Minimise the conformers of a molecule and keep the lowest true minimum."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(SMILES[name]))
    identifiers = rdDistGeom.EmbedMultipleConfs(molecule, CONFORMERS, randomSeed=config.seed)
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    level = make_level(config.level, numbers)
    found: list[tuple[float, np.ndarray]] = []
    failures = []
    for identifier in identifiers:
        try:
            start = molecule.GetConformer(identifier).GetPositions()
            positions = find_minimum(level, start, config.fmax_ev)
            found.append((level.gradient(positions)[0], positions))
        except (RefinementError, LevelError) as error:
            failures.append(str(error))
    for energy, positions in sorted(found, key=lambda item: item[0]):
        if normal_modes(positions, atomic_masses(numbers), level.hessian(positions)).imaginary == 0:
            return Atoms(
                numbers,
                positions - positions.mean(axis=0),
                info={
                    "name": name,
                    "smiles": SMILES[name],
                    "level": config.level,
                    "energy_kcal_mol": round(energy, 6),
                    "generator": f"hessbench {__version__}",
                },
            )
    raise HessbenchError(
        f"{name}: no minimum at {config.level} ({'; '.join(failures) or 'saddle points only'})."
    )
