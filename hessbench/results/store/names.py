"""Words of the results tables: quantities and their units, test sets."""

QUANTITIES = ("energy", "force", "hessian")
UNITS = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
SETS = ("rtp", "irc", "nms")
