"""Samplers, vectorised over trials: each draws from a law that theory/ states exactly.

A file a verifier, which registers its sampler at its end under the verifier's name; beside them samplers of rules that
are no verifier of k i.i.d. drafts, and of whole runs.
"""

from specproof.simulations.samplers.registry import SAMPLERS, register_sampler
from specproof.theory.registry import load_rooms

load_rooms(__name__, list(__path__))

__all__ = ["SAMPLERS", "register_sampler"]
