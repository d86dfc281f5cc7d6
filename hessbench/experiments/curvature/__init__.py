"""What predicted Hessians say about vibrations, saddle points and minima."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment("curvature", "Compare normal modes of predicted Hessians with the reference's.")
