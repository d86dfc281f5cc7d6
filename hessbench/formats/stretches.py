"""Stretching frequencies of single bonds to hydrogen: the scale by which Hessians are known."""

from dataclasses import dataclass

import numpy as np

from hessbench.chemistry.bonds import BONDED, relative_distances
from hessbench.chemistry.normal_modes import WAVENUMBER, atomic_masses

USUAL = {
    1: ("H-H", 0.742, 4400.0),
    5: ("B-H", 1.19, 2520.0),
    6: ("C-H", 1.09, 3080.0),
    7: ("N-H", 1.014, 3530.0),
    8: ("O-H", 0.961, 3870.0),
    9: ("F-H", 0.917, 4140.0),
    14: ("Si-H", 1.48, 2230.0),
    15: ("P-H", 1.415, 2400.0),
    16: ("S-H", 1.337, 2700.0),
    17: ("Cl-H", 1.275, 2990.0),
    32: ("Ge-H", 1.53, 2150.0),
    33: ("As-H", 1.515, 2200.0),
    34: ("Se-H", 1.465, 2400.0),
    35: ("Br-H", 1.414, 2650.0),
    53: ("I-H", 1.609, 2310.0),
}
"""Atomic number of the partner: name of the bond, its length in Angstrom and harmonic wavenumber in cm-1.

Of diatomic molecules (K. P. Huber and G. Herzberg, Constants of Diatomic Molecules, 1979), and of hydrides
(means of the local modes of BH3, CH4, NH3, H2O, SiH4, GeH4, PH3, AsH3, H2S, H2Se).
"""
STEEPNESS = 1.9
"""Of the Morse curve of a bond to hydrogen, 1/Angstrom: how its frequency changes with its length."""
SQUEEZED, STRETCHED = -0.12, 0.10
"""Change of the length of a bond within which that curve tells its frequency, Angstrom."""
SLIGHT = 0.05
"""Change of the length within which a single bond is evidence, Angstrom."""


@dataclass(frozen=True)
class Stretches:
    """Stretches of b bonds to hydrogen.

    Attributes
    ----------
    partners
        (b,) atomic numbers of what hydrogen is bound to.
    lengths
        (b,) Angstrom.
    wavenumbers
        (b,) cm-1, negative where the curvature is.
    """

    partners: np.ndarray
    lengths: np.ndarray
    wavenumbers: np.ndarray

    def ratios(self, allowed: tuple[float, float] = (SQUEEZED, STRETCHED)) -> np.ndarray:
        """Wavenumbers over the usual ones of bonds of that kind and length.

        Parameters
        ----------
        allowed
            Changes of the length, in Angstrom, beyond which a bond does not count.

        Returns
        -------
        ndarray
            One number for each bond that counts: of a known kind, neither broken nor squeezed.
        """
        lengths, wavenumbers = self._usual()
        change = self.lengths - lengths
        counts = (change >= allowed[0]) & (change <= allowed[1])
        # The second derivative of D (1 - exp(-a x))^2 over that at x = 0.
        decay = np.exp(-STEEPNESS * change[counts])
        morse = 2 * decay**2 - decay
        return np.asarray(self.wavenumbers[counts] / (wavenumbers[counts] * np.sqrt(morse)))

    def kinds(self) -> str:
        """Names of the bonds that are of a known kind, such as "C-H, O-H"."""
        return ", ".join(sorted({USUAL[int(z)][0] for z in self.partners if int(z) in USUAL}))

    def _usual(self) -> tuple[np.ndarray, np.ndarray]:
        unknown = ("", np.nan, np.nan)
        found = np.array([USUAL.get(int(z), unknown)[1:] for z in self.partners]).reshape(-1, 2)
        return found[:, 0], found[:, 1]


def local_stretches(numbers: np.ndarray, coordinates: np.ndarray, hessians: np.ndarray) -> Stretches:
    """Stretches of hydrogen atoms that have one bond.

    The force constant is u . H_hh . u with the diagonal block of the hydrogen atom and the unit vector u
    along the bond. Unlike normal modes it can be had off a minimum, atom by atom.

    Parameters
    ----------
    numbers, coordinates, hessians
        (N,), (n, N, 3) in Angstrom, (n, 3N, 3N) in kcal/mol/Angstrom^2.
    """
    masses = atomic_masses(numbers)
    hydrogens = np.flatnonzero(numbers == 1)
    partners, lengths, wavenumbers = [], [], []
    for positions, hessian, separation in zip(
        coordinates, hessians, relative_distances(numbers, coordinates), strict=True
    ):
        for hydrogen in hydrogens:
            if np.count_nonzero(separation[hydrogen] < BONDED) != 1:
                continue
            partner = int(np.argmin(separation[hydrogen]))
            bond = positions[hydrogen] - positions[partner]
            length = float(np.linalg.norm(bond))
            block = hessian[3 * hydrogen : 3 * hydrogen + 3, 3 * hydrogen : 3 * hydrogen + 3]
            constant = bond @ block @ bond / length**2 * (1 / masses[hydrogen] + 1 / masses[partner])
            partners.append(int(numbers[partner]))
            lengths.append(length)
            wavenumbers.append(np.sign(constant) * np.sqrt(abs(constant)) * WAVENUMBER)
    return Stretches(np.array(partners, dtype=int), np.array(lengths), np.array(wavenumbers))


def joined(parts: list[Stretches]) -> Stretches:
    """Put stretches one after another."""
    return Stretches(
        *(
            np.concatenate([getattr(part, key) for part in parts]) if parts else np.empty(0)
            for key in ("partners", "lengths", "wavenumbers")
        )
    )
