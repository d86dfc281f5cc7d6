"""ANI models of molecules with exact first and second derivatives."""

from hessbench.potential.ani.evaluation import evaluate
from hessbench.potential.ani.model import ANI
from hessbench.potential.batch import Batch, Prediction

__all__ = ["ANI", "Batch", "Prediction", "evaluate"]
