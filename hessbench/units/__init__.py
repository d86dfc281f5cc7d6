"""The one unit system inside: kcal/mol and Angstrom (section 2, Table 1 of the paper).

Conversion happens at the edges only: readers and writers of files (Eh), levels of theory (Eh, bohr)
and the ASE calculator (eV). Values are CODATA 2014 through ASE's atomic units.
"""

from ase import units as _ase

HARTREE = _ase.Hartree / (_ase.kcal / _ase.mol)
"""One hartree in kcal/mol."""
EV = 1.0 / (_ase.kcal / _ase.mol)
"""One electronvolt in kcal/mol."""
BOHR = _ase.Bohr
"""One bohr in Angstrom."""
