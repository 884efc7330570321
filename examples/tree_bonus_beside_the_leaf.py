"""Broken: after the last accepted node the bonus token is drawn from the law before it, not from the law after it."""

import numpy as np


def verify(tree, target_probs, draft_probs, rng):
    """Contract tree, one trial at a time."""
    del draft_probs  # a draw from the target needs no draft law
    emitted = np.full((len(tree.tokens), tree.depth + 1), -1)
    for row, tokens, first, following, q in zip(
        emitted, tree.tokens, tree.first_child, tree.next_sibling, target_probs, strict=True
    ):
        node = before = 0
        for place in range(len(row)):
            law = q[node] if first[node] >= 0 else q[before]
            row[place] = rng.choice(len(law), p=law)
            before, node = node, first[node]
            while node >= 0 and tokens[node] != row[place]:
                node = following[node]
            if node < 0:
                break
    return emitted
