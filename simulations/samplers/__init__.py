"""Samplers, vectorised over trials: each draws from a law that theory/ states exactly."""

from specproof.simulations.samplers.registry import SAMPLERS

__all__ = ["SAMPLERS"]
