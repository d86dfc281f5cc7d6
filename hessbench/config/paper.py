"""The protocol of the paper: what its authors set, each number once, with the section that states it.

Settings take their defaults from here. What the authors found, numbers to compare with, stands in
reproduce/published.yaml.
"""

FORCE_WEIGHT, HESSIAN_WEIGHT = 0.08, 0.02
"""eta_F and eta_H of eq. 6 (section 2.3.2)."""

TRAINING_PERCENTS = (2, 5, 10, 20, 40, 60, 80)
"""Sizes of the training sets, percent of all data (section 3.8, Figure 6); elsewhere it is the largest."""

START_K, INCREMENT_K = 5.0, 5.0
"""Thermostat: temperature of the first interval, and rise after each (section 2.4.1)."""
INTERVAL_FS, TIMESTEP_FS = 5000.0, 0.5
"""Time at each temperature, and of a step (section 2.4.1)."""
WINDOW = 50
"""Steps of the running mean of a bond length (eq. 7)."""
SHORTEST_BOND, LONGEST_BOND = 0.75, 1.5
"""Range of this mean in units of the optimized length (eq. 7)."""
STABLE_K = 500.0
"""Temperature of the MD17 trajectories, up to which no molecule should react (section 2.4.2)."""

NEB_IMAGES, NEB_SPRING_EV_A2 = 58, 50.0
"""Moving images of a band, and force constant of the springs between them (section 2.5.1)."""
BARRIERS = {"single hydrogen transfer": 63.99, "multi-process": 79.68}
"""Barriers of the two reactions at the paper's level of theory, kcal/mol (section 3.6, Figures 4 and S16)."""
SPECTRA_IMAGES = 60
"""Structures whose frequencies are compared: a band with its end points (section 3.7)."""

SINGLE_TS_MODELS = 100
"""Models of each ensemble that is trained on one transition state (section 3.1)."""
NEAREST_POINTS = 30
"""Structures nearest the transition state that these are judged by (section 3.1, Figure 2)."""
TS_NEAR, TS_FAR = 0.25, 0.6
"""amu^0.5 Angstrom from it: where E and E-F begin to fail, and up to where E-F-H holds (section 3.1)."""
