"""ANI models of molecules with exact first and second derivatives."""

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.evaluation import evaluate
from hessbench.potential.model import ANI

__all__ = ["ANI", "Batch", "Prediction", "evaluate"]
