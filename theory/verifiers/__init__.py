"""The verifiers of k drafts for one position: a room each, which holds all that is exact about the rule."""

from specproof.theory.verifiers.registry import VERIFIERS, Verifier

__all__ = ["VERIFIERS", "Verifier"]
