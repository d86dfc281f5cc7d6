"""Words of the results tables: losses, quantities and their units, test sets."""

QUANTITIES = ("energy", "force", "hessian")
UNITS = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
SETS = ("rtp", "irc", "nms")
LABELS = {"e": "E", "ef": "E-F", "efh": "E-F-H", "efhvp": "E-F-HVP"}
"""Loss, as named in paths and settings, to its label in tables."""
PAPER_LOSSES = ("e", "ef", "efh")
PAPER_TRAININGS = ("E", "E-F", "E-F-H")
REFERENCE = "reference"
"""In the column `training`: the row is the level of theory itself, no model."""
