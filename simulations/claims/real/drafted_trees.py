"""Trees that a draft model drafts along texts of the target, with both models' laws at their nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from specproof.simulations.claims.real.prompt_groups import PromptGroup, prepare
from specproof.simulations.samplers.inversion import invert_once
from specproof.simulations.tree_samplers.tree_drafting import drafted_tree
from specproof.theory.distribution import Array
from specproof.theory.trees.branches import Branches, nodes_of
from specproof.theory.trees.draft_trees import Node, NodeLaw

if TYPE_CHECKING:
    from specproof.simulations.language_models.model_pair import ModelPair
    from specproof.simulations.language_models.node_laws import NodeLaws


class Followed(NamedTuple):
    """A text of the target, and the trees that were drafted after it."""

    prompt: str
    """The id of the prompt."""
    trees: Mapping[str, Branches]
    """A tree for each way to draft."""
    draft: NodeLaw
    """The draft's law at every node that is followed by drafts."""
    target: NodeLaw
    """The target's law at the root and at every drafted node."""


def draft_along(
    group: PromptGroup,
    starts: Sequence[int],
    num_drafts: int,
    length: int,
    draws: Iterable[str],
    rng: np.random.Generator,
) -> Iterator[Followed]:
    """Sample the target from each prompt, and draft trees after so many tokens of the texts that have not ended there.

    Within a tree the end of a text is a token like others.
    """
    models, encoded = prepare(group)
    planted = [
        _Planted(text, start, rng.random((num_drafts, length))) for text in range(len(encoded)) for start in starts
    ]
    grove = _Grove(models, encoded, planted, tuple(dict.fromkeys(draws)))
    for numbers in rng.random((max(starts) + length, len(encoded))):
        for tree in grove.grow(numbers):
            trees, laws = {way: grove.drafted(tree, way) for way in grove.ways}, grove.laws(tree)
            yield Followed(str(group["prompts"][tree.text]["id"]), trees, *laws)


class _Planted(NamedTuple):
    """Where a tree grows, and by which numbers."""

    text: int
    start: int
    numbers: Array
    """Shape (K, L)."""


class _Grove:
    """Texts and the trees along them, which both models read a token deeper at a time, all of them together."""

    def __init__(
        self, models: ModelPair, prompts: list[list[int]], planted: Sequence[_Planted], ways: Sequence[str]
    ) -> None:
        from specproof.simulations.language_models.node_laws import NodeLaws

        self._draft, self._target = (NodeLaws(model, prompts) for model in (models.draft, models.target))
        self._texts: list[Node] = [()] * len(prompts)
        self._ends = set(models.target.eos_ids)
        self._planted, self.ways = planted, ways
        self._depth = 0

    def grow(self, numbers: Array) -> list[_Planted]:
        """Sample a token of each text by these numbers, draft one more of every tree; give back those now whole."""
        self._depth += 1
        growing = [tree for tree in self._planted if 0 < self._below(tree) <= tree.numbers.shape[1]]
        growing = [tree for tree in growing if self._is_reached(tree)]
        sampled = zip(range(len(numbers)), self._texts, numbers, strict=True)
        self._texts = [self._sampled(*each) for each in sampled]
        inner, every = ([[way] if len(way) == self._depth else [] for way in self._texts] for _ in range(2))
        whole = []
        for tree in growing:
            nodes = self._newest(tree)
            every[tree.text] += nodes
            if self._below(tree) < tree.numbers.shape[1]:
                inner[tree.text] += nodes
            else:
                whole.append(tree)
        self._target.read(every)
        self._draft.read(inner)
        return whole

    def drafted(self, tree: _Planted, way: str) -> Branches:
        """As much of a tree as is drafted by now."""
        draft, _ = self.laws(tree)
        count, length = tree.numbers.shape
        return drafted_tree(way, draft, count, length, tree.numbers, min(self._below(tree), length))

    def laws(self, tree: _Planted) -> tuple[NodeLaw, NodeLaw]:
        """The laws of draft and target at the nodes of a tree."""
        before = self._texts[tree.text][: tree.start]

        def law(source: NodeLaws, node: Node) -> Array:
            return source.at(tree.text, (*before, *node))

        return partial(law, self._draft), partial(law, self._target)

    def _below(self, tree: _Planted) -> int:
        return self._depth - tree.start

    def _is_reached(self, tree: _Planted) -> bool:
        before = self._texts[tree.text][: tree.start]
        return len(before) == tree.start and not self._ends & set(before)

    def _sampled(self, text: int, way: Node, number: float) -> Node:
        """The text with one more token, unless it has ended or no tree needs one."""
        if self._ends & set(way) or self._depth > max(tree.start for tree in self._planted):
            return way
        return (*way, int(invert_once(self._target.at(text, way), number)))

    def _newest(self, tree: _Planted) -> list[Node]:
        """The nodes of a tree of all ways that are as deep as it is now."""
        below, before = self._below(tree), self._texts[tree.text][: tree.start]
        drafted = dict.fromkeys(node for way in self.ways for node in nodes_of(self.drafted(tree, way)))
        return [(*before, *node) for node in drafted if len(node) == below]
