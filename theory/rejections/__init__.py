"""Rejections over a horizon: token by token (Yin et al. 2024, Theorem 1) and with batches of drafts (Theorem 3)."""

from specproof.theory.rejections.batch import batch_limit, expected_rejections_batch
from specproof.theory.rejections.tokenwise import expected_rejections, rejection_law, rejection_rates

__all__ = ["batch_limit", "expected_rejections", "expected_rejections_batch", "rejection_law", "rejection_rates"]
