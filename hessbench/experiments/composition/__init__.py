"""Elements and bonds of the data sets (Figures S1 and S2)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment("composition", "Count elements and bonds of data sets.")
