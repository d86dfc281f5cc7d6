"""Benchmark and reproducibility package for Hessian-trained machine learning potentials."""

__version__ = "0.1.0"
