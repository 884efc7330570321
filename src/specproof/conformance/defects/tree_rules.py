"""Verifiers of drafted trees as exact walks: at each node the siblings are tested in turn, and the last word is a draw.

Sampler and law are made from one :class:`TreeRule`, as those of a chain are from a
:class:`~specproof.conformance.defects.rules.Rule`. It works on trees of one shape; a batch is taken apart by shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from specproof.conformance.defects.rules import normalised, pick, quotient, residual
from specproof.conformance.problems import Tokens, TreeProblem
from specproof.conformance.problems.topology import children_of
from specproof.conformance.tree import Drawn, Tree
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array

Parents = Sequence[int]


class Node(NamedTuple):
    """What becomes of m trials that have come to one node."""

    children: Tokens
    """The children in the order of their tests, shape (m, k)."""
    accept: Array
    """The probability of each, given that the ones before were rejected, shape (m, k)."""
    last: Array
    """The law of the token that ends the row if none is accepted, shape (m, V)."""


def told_as_drawn(draft: Array, tokens: Tokens, kind: Drawn) -> Array:
    """Test a certain child as a point mass, any other by the law it was drawn from."""
    certain: Array = np.eye(draft.shape[-1])[tokens]
    return certain if kind is Drawn.CERTAIN else draft


def own_row(parents: Parents, node: int) -> int:
    """Use the target's law after the node itself."""
    del parents
    return node


@dataclass(frozen=True)
class TreeRule:
    """Test the children of a node in turn, go on from the first that passes, and end where none does."""

    told: Callable[[Array, Tokens, Drawn], Array] = told_as_drawn
    """The law that a child is tested with."""
    updated: bool = True
    """Whether a rejection takes its part from the target before the next sibling is tested."""
    likeliest_first: bool = False
    """Whether siblings are tested in the order of the target's liking."""
    row: Callable[[Parents, int], int] = own_row
    """The node whose target law is used at a node."""

    def at(self, problem: TreeShape, node: int, tokens: Tokens, draft: Array, target: Array) -> Node:
        """Test all children of a node; arrays of m trials."""
        below = np.array(children_of(problem.parents)[node], dtype=np.int64)
        children = np.tile(below, (len(tokens), 1))
        left, law = target[:, self.row(problem.parents, node)], draft[:, node]
        if self.likeliest_first and below.size:
            liked = np.take_along_axis(left, tokens[:, below], axis=1)
            children = np.take_along_axis(children, np.argsort(-liked, axis=1, kind="stable"), axis=1)
        accept = np.zeros(children.shape)
        for place, child in enumerate(children.T):
            token = pick(tokens, child)
            told = self.told(law, token, problem.kind)
            accept[:, place] = quotient(told, left, token)
            if self.updated or place == children.shape[1] - 1:
                left = residual(told, left, token)
            if problem.kind is Drawn.DISTINCT:
                others = law.copy()
                np.put_along_axis(others, token[:, np.newaxis], 0.0, axis=1)
                law = normalised(others, law)
        return Node(children, accept, left)

    def sampler(self, tree: Tree, target_probs: Array, draft_probs: Array | None, rng: np.random.Generator) -> Tokens:
        """Verify n trees."""
        draft = np.zeros_like(target_probs) if draft_probs is None else draft_probs
        shapes, shape_of = np.unique(tree.parents, axis=0, return_inverse=True)
        emitted = np.full((len(target_probs), tree.depth + 1), -1)
        for index, parents in enumerate(shapes.tolist()):
            rows = np.flatnonzero(shape_of.reshape(-1) == index)
            shape = TreeShape(parents, tree.drawn)
            self._draw(shape, rows, tree.tokens[rows], draft[rows], target_probs[rows], emitted, rng)
        return emitted

    def _draw(
        self,
        shape: TreeShape,
        places: Tokens,
        tokens: Tokens,
        draft: Array,
        target: Array,
        emitted: Tokens,
        rng: np.random.Generator,
    ) -> None:
        at = np.zeros(len(tokens), dtype=np.int64)
        for node in range(len(shape.parents)):
            here = np.flatnonzero(at == node)
            found = self.at(shape, node, tokens[here], draft[here], target[here])
            failed = np.cumprod(rng.random(found.accept.shape) >= found.accept, axis=1).sum(axis=1)
            ends = failed == found.children.shape[1]
            path = shape.path(node)
            emitted[places[here[:, np.newaxis]], np.arange(len(path))] = tokens[here[:, np.newaxis], path]
            last = invert(found.last, rng.random(here.size))
            emitted[places[here[ends]], len(path)] = last[ends]
            at[here[ends]] = -1
            at[here[~ends]] = found.children[~ends, failed[~ends]]

    def law(self, problem: TreeProblem) -> Array:
        """Give the law of the emitted rows, shape (V+1,) * (D+1), by going through all trees."""
        weights, tokens = every_tree(problem)
        draft, target = problem.rows(tokens)
        draft = draft if problem.declared else np.zeros_like(draft)
        shape = TreeShape(problem.parents, problem.kind)
        trials, size, longest = np.arange(len(tokens)), problem.num_tokens, problem.longest
        reach = np.zeros(tokens.shape)
        reach[:, 0] = weights
        law = np.zeros(problem.emitted_shape)
        for node in range(len(problem.parents)):
            found, waiting = self.at(shape, node, tokens, draft, target), reach[:, node].copy()
            for child, accept in zip(found.children.T, found.accept.T, strict=True):
                reach[trials, child] += waiting * accept
                waiting *= 1.0 - accept
            path = shape.path(node)
            index = np.zeros((longest, len(tokens), size), dtype=np.int64)
            index[: len(path)] = tokens[:, path].T[..., np.newaxis] + 1
            index[len(path)] = np.arange(1, size + 1)
            np.add.at(law, tuple(index), waiting[:, np.newaxis] * found.last)
        return law


class TreeShape(NamedTuple):
    """The shape of trees, and how they were drawn."""

    parents: Parents
    kind: Drawn

    def path(self, node: int) -> list[int]:
        """List the nodes from the root's child down to a node."""
        return [*self.path(self.parents[node]), node] if node else []


def every_tree(problem: TreeProblem) -> tuple[Array, Tokens]:
    """Give the tokens of all possible trees, shape (trees, N), with their probabilities."""
    weights, tokens = np.ones(1), np.full((1, len(problem.parents)), -1)
    for node in range(1, len(problem.parents)):
        law = problem.child_law(tokens, node)
        tree, token = np.nonzero(law)
        weights, tokens = weights[tree] * law[tree, token], tokens[tree]
        tokens[:, node] = token
    return weights, tokens
