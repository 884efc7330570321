r"""Traversal verification: the drafted tree is verified from its leaves to its root, branch by branch.

At a node with laws p and q a node is accepted with probability :math:`\alpha`, 1 at the root, given that the call comes
to it. Its child x is given :math:`\min(1, \alpha q(x)/p(x))`, and its whole branch is tried first. If all of that is
refused, the node goes on with

.. math:: \alpha' = \frac{R}{R + 1 - \alpha}, \qquad q' = [\alpha q - p]_+ / R, \qquad
          R = \sum_x [\alpha q(x) - p(x)]_+,

and where siblings are distinct with p' = p without x, renormalised. After its last child the node itself is accepted
with probability :math:`\alpha`, and a token of q ends the call [1]_. On a chain it is block verification.

References
----------
.. [1] Weng et al. 2025, Traversal Verification for Speculative Tree Decoding, NeurIPS, arXiv 2505.12398. The rule is
   written down after the abstract, public implementations and block verification, of which it is the generalisation.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.trees.branches import Branches, refuse_repeated, refuse_undrafted, without
from specproof.theory.trees.draft_trees import Node, NodeLaw
from specproof.theory.trees.rules.registry import Given, Prepare


def traversal(distinct: bool) -> Prepare:
    """The rule for independent or for distinct siblings.

    Raises
    ------
    InvalidInput
        If a tree has a token that cannot have been drafted, or repeats one among distinct siblings.

    Examples
    --------
    >>> from specproof.theory.trees.branches import chain
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> [(path, ends.tolist()) for path, ends in traversal(distinct=False)(*laws, 1, 1)(chain([0]))]
    [((0,), [0.125, 0.375]), ((), [0.0, 0.5])]
    """

    def prepare(draft: NodeLaw, target: NodeLaw, _: int, __: int) -> Given:
        def visit(
            node: Node, branches: Branches, accept: float, mass: float
        ) -> Generator[tuple[Node, Array], None, float]:
            """Yield what is emitted at the node and below it; return the mass that all of it refuses."""
            law = target(node)
            proposal = draft(node) if branches else law
            drafts = tuple(token for token, _ in branches)
            refuse_undrafted(drafts, proposal)
            if distinct:
                refuse_repeated(drafts)
            for token, after in branches:
                chance = min(1.0, accept * float(law[token]) / float(proposal[token]))
                mass = yield from visit((*node, token), after, chance, mass)
                if mass <= 0.0:
                    return 0.0
                excess = np.maximum(accept * law - proposal, 0.0)
                left = float(excess.sum())
                accept = left / (left + (1.0 - accept)) if left > 0 else 0.0
                law = normalise_or_zero(excess)
                if distinct:
                    proposal = without(proposal, (token,))
            yield node, mass * accept * law
            return mass * (1.0 - accept)

        return lambda branches: visit((), branches, 1.0, 1.0)

    return prepare
