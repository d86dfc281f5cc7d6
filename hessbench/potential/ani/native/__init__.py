"""The native path: numba kernels for geometry and tangents around the networks in torch."""

from hessbench.potential.ani.native.evaluation import evaluate_native

__all__ = ["evaluate_native"]
