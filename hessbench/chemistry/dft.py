"""Density functional theory through PySCF: wB97X-D/6-31G(d), the level of theory of the paper.

J.-D. Chai, M. Head-Gordon, Phys. Chem. Chem. Phys. 10, 6615 (2008). The functional is libxc's; PySCF adds no
dispersion to it, so `hessbench.chemistry.dispersion` does. The basis set has Cartesian d functions, as it was
published and as the paper's geometries have it: their forces are a third of those with spherical ones. As in
most programs, the derivatives leave out those of the integration grid, so the gradient is that of the energy
up to some 1e-5 Eh/bohr.
"""

from typing import Any

import numpy as np
import pyscf.dft
import pyscf.gto

from hessbench.chemistry.dispersion import dispersion
from hessbench.chemistry.level import LevelError
from hessbench.units import BOHR, HARTREE

FUNCTIONAL = "HYB_GGA_XC_WB97X_D"
BASIS = "6-31g*"
GRID = 3
"""PySCF's grid level: 50 radial x 302 angular points for H, 75 x 302 for C, N and O, pruned."""
ENERGY_THRESHOLD = 1e-9
"""The SCF has converged when the energy changes by less than this, Eh, ..."""
ORBITAL_THRESHOLD = 3e-5
"""... and the norm of the orbital gradient is below this, Eh."""
CYCLES = 100
"""Most SCF cycles."""


class WB97XD:
    """The energy of wB97X-D/6-31G(d) with analytic first and second derivatives.

    Restricted Kohn-Sham for singlets, unrestricted for the rest. The SCF starts from the last density matrix.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    charge, multiplicity
        Of the molecule.
    density_fitting
        Fit the density in Coulomb and exchange integrals, in PySCF's default auxiliary basis: about twice as
        fast.

    Raises
    ------
    LevelError
        The multiplicity does not fit the number of electrons.
    """

    def __init__(
        self, numbers: np.ndarray, charge: int = 0, multiplicity: int = 1, density_fitting: bool = True
    ) -> None:
        self.name = ("DF-" if density_fitting else "") + "wB97X-D/6-31G(d)"
        self.numbers = np.asarray(numbers)
        electrons = int(self.numbers.sum()) - charge
        if (electrons + multiplicity) % 2 == 0 or electrons < multiplicity - 1:
            raise LevelError(f"{self.name}: {electrons} electrons cannot have multiplicity {multiplicity}")
        self._options = {"charge": charge, "spin": multiplicity - 1}
        self._density_fitting = density_fitting
        self._field: Any = None
        self._density: np.ndarray | None = None
        """In the orthogonalised basis, which moves with the atoms: a better start than the density itself."""

    def gradient(self, coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient, see `Level.gradient`."""
        field = self._converged(coordinates)
        energy, gradient, _ = dispersion(self.numbers, coordinates)
        electronic = field.nuc_grad_method().kernel()
        return float(field.e_tot) * HARTREE + energy, electronic * (HARTREE / BOHR) + gradient

    def hessian(self, coordinates: np.ndarray) -> np.ndarray:
        """Analytic Hessian, see `Level.hessian`."""
        field = self._converged(coordinates)
        if field.mol.nelec[1] == 0:
            raise LevelError(f"{self.name}: PySCF has no Hessian of a system without beta electrons")
        electronic = _translationally_invariant(field.Hessian().kernel())
        hessian = electronic.transpose(0, 2, 1, 3).reshape(2 * (coordinates.size,)) * (HARTREE / BOHR**2)
        hessian += dispersion(self.numbers, coordinates)[2]
        return (hessian + hessian.T) / 2

    def _converged(self, coordinates: np.ndarray) -> Any:
        """Kohn-Sham object with a converged density at coordinates."""
        positions = coordinates / BOHR
        if self._field is not None and np.array_equal(self._field.mol.atom_coords(), positions):
            return self._field
        molecule = pyscf.gto.M(
            atom=[(int(number), position) for number, position in zip(self.numbers, positions, strict=True)],
            unit="Bohr",
            basis=BASIS,
            cart=True,
            verbose=0,
            **self._options,
        )
        field = (pyscf.dft.UKS if molecule.spin else pyscf.dft.RKS)(molecule, xc=FUNCTIONAL)
        if self._density_fitting:
            field = field.density_fit()
        field.grids.level = GRID
        field.conv_tol, field.conv_tol_grad = ENERGY_THRESHOLD, ORBITAL_THRESHOLD
        field.max_cycle = CYCLES
        root, inverse = _square_roots(field.get_ovlp())
        field.kernel(dm0=None if self._density is None else inverse @ self._density @ inverse)
        if not field.converged and self._density is not None:
            # A bad start can keep an SCF from converging that converges from the default guess.
            field.kernel()
        if not field.converged:
            self._field = self._density = None
            raise LevelError(f"{self.name}: the SCF did not converge in {CYCLES} cycles")
        self._field, self._density = field, root @ np.asarray(field.make_rdm1()) @ root
        return field


def _translationally_invariant(blocks: np.ndarray) -> np.ndarray:
    """Hessian (N, N, 3, 3) whose own block of each atom cancels its blocks with the others.

    The missing derivatives of the grid spoil the own blocks most, by 1 kcal/mol/Angstrom^2 for water.
    """
    own = np.arange(len(blocks))
    invariant = blocks.copy()
    invariant[own, own] -= blocks.sum(axis=1)
    return invariant


def _square_roots(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Square root of a positive definite matrix and the inverse of the root."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T, (vectors / np.sqrt(values)) @ vectors.T
