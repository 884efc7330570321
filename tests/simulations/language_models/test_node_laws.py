"""Laws at the nodes of trees after texts: those of the same tokens read from the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from decoded_laws import PROMPTS, next_laws

from specproof.simulations.language_models.node_laws import NodeLaws
from specproof.theory.errors import InvalidInput


def test_laws_at_nodes_are_those_of_the_whole_text(pair: Any) -> None:
    laws = NodeLaws(pair.target, PROMPTS[:2])
    depths = [[[(0,), (1,), (1,)], [(2,)]], [[(1, 2), (0, 0), (1, 0)], []], [[(1, 0, 1)], []]]
    for nodes in depths:
        laws.read(nodes)
    for text in (0, 1):
        for node in {(), *(node for nodes in depths for node in nodes[text])}:
            whole = next_laws(pair.target, [PROMPTS[text] + list(node)])[0]
            np.testing.assert_allclose(laws.at(text, node), whole, atol=1e-5)


def test_a_node_whose_parent_was_not_read_last_is_refused(pair: Any) -> None:
    laws = NodeLaws(pair.target, PROMPTS[:1])
    laws.read([[(0,)]])
    with pytest.raises(InvalidInput, match=r"node \(1, 0\) of text 0 does not follow one that was read last"):
        laws.read([[(1, 0)]])
