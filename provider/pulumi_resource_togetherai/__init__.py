"""Pulumi provider for GPU node remediations on Together AI clusters."""

__version__ = "0.1.0"

__all__ = ["__version__"]
