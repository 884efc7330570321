"""Block verification drawn: forced uniforms against the law for given drafts, and whole calls against the exact law.

Statistical tests: level 1e-8 each, 100,000 blocks, deviations of 0.02 in any probability are seen with 0.99 (each test
asserts it). Seeds are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chains import chains

from specproof import InvalidInput, block_verification
from specproof.simulations.claims.texts.block_lossless import with_one_token_residual
from specproof.simulations.samplers.blocks import laid_out, simulate_blocks
from specproof.simulations.samplers.sequences import complete
from specproof.simulations.samplers.whole_blocks import verify
from specproof.simulations.statistics import check_law
from specproof.theory.chain import MarkovChain
from specproof.theory.independent.blocks_by_enumeration import blocks_by_enumeration

LEVEL, TRIALS, LENGTH = 1e-8, 100_000, 2
LONG = {name: pair for name, pair in chains().items() if pair[0].horizon > LENGTH}


def test_the_longest_length_that_its_number_allows_is_accepted() -> None:
    rng = np.random.default_rng(141)
    draft, target = rng.dirichlet(np.ones(4), (200, 3)), rng.dirichlet(np.ones(4), (200, 4))
    drafts, uniforms = rng.integers(4, size=(200, 3)), rng.random((200, 4))
    found = laid_out(drafts, verify(draft, target, drafts, uniforms))
    stopping = block_verification(draft, target, drafts).stopping
    for row in range(200):
        allowed = [level for level in (1, 2, 3) if uniforms[row, level - 1] < stopping[row, level]]
        accepted = max(allowed, default=0)
        assert found.accepted[row] == accepted
        assert found.tokens[row, :accepted].tolist() == drafts[row, :accepted].tolist()
        assert found.tokens[row, accepted] >= 0
        assert (found.tokens[row, accepted + 1 :] == -1).all()


@pytest.mark.parametrize("name", LONG)
def test_calls_have_the_law_of_the_algorithm(name: str) -> None:
    draft, target = LONG[name]
    rng = np.random.default_rng(142)
    blocks = simulate_blocks(draft, target, LENGTH, TRIALS, rng)
    enumerated = blocks_by_enumeration(draft.tabulate(), target.tabulate(), LENGTH)
    exact = np.minimum([block.sum() for block in enumerated], 1.0)  # a sum of one may be rounded past it
    lengths = check_law(blocks.accepted, exact, LEVEL)
    law = target.tabulate().joint()
    law = law.sum(axis=tuple(range(LENGTH + 1, law.ndim)))
    texts = check_law(np.ravel_multi_index(tuple(complete(blocks, target, rng).T), law.shape), law.reshape(-1), LEVEL)
    for check in (lengths, texts):
        assert check.detectable <= 0.02
        assert not check.is_refuted


def test_the_residual_of_one_token_is_refuted() -> None:
    draft = MarkovChain([0.6, 0.2, 0.2], [[0.1, 0.3, 0.6]] * 3, 3)
    target = MarkovChain([0.3, 0.35, 0.35], [[0.5, 0.4, 0.1]] * 3, 3)
    rng, law = np.random.default_rng(143), target.tabulate().joint()
    broken = simulate_blocks(draft, target, LENGTH, TRIALS, rng, with_one_token_residual)
    texts = np.ravel_multi_index(tuple(complete(broken, target, rng).T), law.shape)
    assert check_law(texts, law.reshape(-1), LEVEL).is_refuted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": 4}, r"^length is 4: it must lie in 1\.\.horizon - 1 = 3"),
        ({"length": 0}, "^length is 0"),
        ({"trials": 0}, "^trials is 0"),
        ({"draft": None}, "^draft is a NoneType"),
    ],
)
def test_what_is_no_block_is_refused(changes: dict[str, Any], message: str) -> None:
    draft, target = LONG["stationary"]
    arguments = {"draft": draft, "target": target, "length": 2, "trials": 5, "rng": np.random.default_rng(0)}
    with pytest.raises(InvalidInput, match=message):
        simulate_blocks(**{**arguments, **changes})
