"""Every kind of rule that a text prices: its call enumerated, and its reach weights along texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.independent.blocks_by_enumeration import blocks_by_enumeration
from specproof.theory.independent.sequences_by_enumeration import enumerable, sequences_by_enumeration
from specproof.theory.independent.walks_by_enumeration import (
    Node,
    certain_children,
    exact_match,
    iid_children,
    walks_by_enumeration,
)
from specproof.theory.texts import block_by_block, by_depth, draft_sequences, token_by_token
from specproof.theory.verifiers import VERIFIERS

CHILDREN = (2, 1, 3)
"""A node at this depth of a tree of i.i.d. children has so many."""

LIKELIEST = (1, 2, 1)
"""A node at this depth of a certain tree has so many children, the draft's likeliest tokens."""


class TargetTexts(NamedTuple):
    """All texts of T tokens that the target can make, N of them."""

    tokens: NDArray[np.int64]
    """Texts have shape (N, T)."""
    draft: Array
    """The draft's law at each position has shape (N, T, V)."""
    target: Array
    """The target's law there has shape (N, T, V)."""

    def probability(self, laws: Array) -> Array:
        """The probability of each text under a model, shape (N,)."""
        chosen: Array = self.at_tokens(laws).prod(axis=-1)
        return chosen

    def logprobs(self, laws: Array) -> Array:
        """The log-probability of each token, shape (N, T)."""
        with np.errstate(divide="ignore"):  # the draft may give a token no probability
            found: Array = np.log(self.at_tokens(laws))
        return found

    def at_tokens(self, laws: Array) -> Array:
        """The entries of laws (N, T, V) at the tokens of the texts, shape (N, T)."""
        found: Array = np.take_along_axis(laws, self.tokens[..., np.newaxis], axis=-1)[..., 0]
        return found


Reach = Callable[[TargetTexts, int], Array]
"""``reach(texts, length)``: the reach weights of every text, shape (N, T, L + 1)."""


class Call(Protocol):
    """The algorithm of one call, enumerated."""

    def __call__(self, draft: TabularModel, target: TabularModel, length: int) -> list[Array]:
        """Entry n-1, shape (V,) * n, is the probability that the call emits just these n tokens."""


@dataclass(frozen=True)
class PricedRule:
    """A rule with both routes to what a call accepts."""

    call: Call
    reach: Reach


def texts_of(draft: TabularModel, target: TabularModel, tokens: int) -> TargetTexts:
    """List all texts of positive probability under the target."""
    texts = list(product(range(target.num_states), repeat=tokens))
    laws = [
        np.array([[model.conditionals[n][text[:n]] for n in range(tokens)] for text in texts])
        for model in (draft, target)
    ]
    found = TargetTexts(np.array(texts), *laws)
    possible = found.probability(found.target) > 0
    return TargetTexts(found.tokens[possible], found.draft[possible], found.target[possible])


def priced_rules(num_drafts: int) -> dict[str, PricedRule]:
    """Every rule that can be enumerated, the verifiers with ``num_drafts`` sequences."""
    rules = {
        "one draft, token by token": PricedRule(_sequences_call("single", 1), _one_by_one(token_by_token)),
        "block verification": PricedRule(blocks_by_enumeration, _one_by_one(block_by_block)),
        "certain tree": PricedRule(_walk(certain_children(LIKELIEST)), _certain(LIKELIEST)),
        "the draft's likeliest token": PricedRule(_walk(certain_children((1, 1, 1))), _certain((1, 1, 1))),
        "exact match": PricedRule(_walk(exact_match), _exact_match),
    }
    for name in enumerable():
        rules[f"draft sequences, {name}"] = PricedRule(_sequences_call(name, num_drafts), _sequences(name, num_drafts))
        rules[f"tree of i.i.d. children, {name}"] = PricedRule(_walk(iid_children(name, CHILDREN)), _children(name))
    return rules


def _sequences_call(verifier: str, count: int) -> Call:
    return partial(sequences_by_enumeration, num_drafts=count, verifier=verifier)


def _walk(node: Node) -> Call:
    return partial(walks_by_enumeration, node=node)


def _one_by_one(weights: Callable[[Array, Array, int], Array]) -> Reach:
    def reach(texts: TargetTexts, length: int) -> Array:
        pairs = zip(texts.logprobs(texts.draft), texts.logprobs(texts.target), strict=True)
        return np.array([weights(ours, theirs, length) for ours, theirs in pairs])

    return reach


def _sequences(verifier: str, count: int) -> Reach:
    def reach(texts: TargetTexts, length: int) -> Array:
        agreement = np.zeros((*texts.tokens.shape, count, count))
        for k in range(1, count + 1):
            laws = VERIFIERS[verifier].agreement(texts.draft, texts.target, k)
            agreement[..., k - 1, :k] = np.take_along_axis(laws, texts.tokens[..., None, None], axis=-2)[..., 0, :]
        pairs = zip(agreement, texts.logprobs(texts.target), strict=True)
        return np.array([draft_sequences(laws, logprobs, count, length) for laws, logprobs in pairs])

    return reach


def _children(verifier: str) -> Reach:
    def reach(texts: TargetTexts, length: int) -> Array:
        target = texts.at_tokens(texts.target)
        depths = []
        for count in CHILDREN[:length]:
            law = VERIFIERS[verifier].law(texts.draft, texts.target, count)
            depths.append(np.minimum(texts.at_tokens(law.accepted) / target, 1.0))
        return _by_depth(np.stack(depths, axis=1), length)

    return reach


def _certain(counts: tuple[int, ...]) -> Reach:
    def reach(texts: TargetTexts, length: int) -> Array:
        own = texts.at_tokens(texts.draft)[..., np.newaxis]
        earlier = np.arange(texts.draft.shape[-1]) < texts.tokens[..., np.newaxis]
        rank = ((texts.draft > own) | ((texts.draft == own) & earlier)).sum(axis=-1)
        depths = [(rank < count).astype(np.float64) for count in counts[:length]]
        return _by_depth(np.stack(depths, axis=1), length)

    return reach


def _exact_match(texts: TargetTexts, length: int) -> Array:
    return np.array([by_depth(chances, length) for chances in texts.at_tokens(texts.draft)])


def _by_depth(depths: Array, length: int) -> Array:
    """Weights of every text from chances of shape (N, L, T)."""
    return np.array([by_depth(chances, length) for chances in depths])
