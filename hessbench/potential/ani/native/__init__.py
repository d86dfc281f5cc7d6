"""The native path: numba kernels for the geometry and the tangents, BLAS for matrix products."""

from hessbench.potential.ani.native.engine import evaluate_native

__all__ = ["evaluate_native"]
