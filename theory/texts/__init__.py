"""What a text tells: the exact price of every rule from texts of the target, with no draft drawn.

=================  =====================================================================================================
``reach_weights``  the probability that a call has accepted l drafts, given the text, for every kind of rule
``tree_shapes``    the same for trees of any shape whose children are tried in order
``marginals``      what tools print in its place: products of marginal acceptance rates
``calls``          the number of calls that a text takes, and the tokens per call
=================  =====================================================================================================
"""

from specproof.theory.texts.calls import call_starts, expected_calls, tokens_and_calls
from specproof.theory.texts.marginals import products_of_marginals
from specproof.theory.texts.reach_weights import block_by_block, by_depth, draft_sequences, token_by_token
from specproof.theory.texts.tree_shapes import by_shape

__all__ = [
    "block_by_block",
    "by_depth",
    "by_shape",
    "call_starts",
    "draft_sequences",
    "expected_calls",
    "products_of_marginals",
    "token_by_token",
    "tokens_and_calls",
]
