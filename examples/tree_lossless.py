"""Lossless: draw from the target at each node of the drafted tree and go on to the child of that token."""

import numpy as np


def verify(tree, target_probs, draft_probs, rng):
    """Contract tree, one trial at a time; exact however the tree was drawn."""
    del draft_probs  # a draw from the target needs no draft law
    emitted = np.full((len(tree.tokens), tree.depth + 1), -1)
    for row, tokens, first, following, q in zip(
        emitted, tree.tokens, tree.first_child, tree.next_sibling, target_probs, strict=True
    ):
        node = 0
        for place in range(len(row)):
            row[place] = rng.choice(q.shape[1], p=q[node])
            node = first[node]
            while node >= 0 and tokens[node] != row[place]:
                node = following[node]
            if node < 0:
                break
    return emitted
