"""The contract ``tree``: a drafted tree of tokens, and the target's law after each node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.contract import Contract
from specproof.conformance.problems.answers import Emission, as_ids, refuse_rows
from specproof.conformance.problems.description import describe_model
from specproof.conformance.problems.drawing import DrawnTrees, Tokens, deal, steps_down
from specproof.conformance.problems.emitted_rows import EmittedRows, refuse_gaps
from specproof.conformance.problems.example_models import certain, independent
from specproof.conformance.problems.next_token import check_models
from specproof.conformance.problems.problem import VerifierProblem
from specproof.conformance.problems.topology import children_of, depths_of, pruned, refuse_many_children, without_leaf
from specproof.conformance.tree import Drawn, Tree
from specproof.simulations.samplers.inversion import cumulative_shares, invert_after
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.transport.without_replacement import optimal_acceptance_without_replacement

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


class TreeInputs(NamedTuple):
    """What a verifier of trees is handed beside its generator: n independent trials."""

    tree: Tree
    target_probs: Array
    draft_probs: Any
    """The draft's law after each node, from which its children come; it may be None where these are certain."""

    @property
    def trials(self) -> int:
        """The number of trials, n."""
        return len(self.target_probs)


@dataclass(frozen=True, eq=False, repr=False)
class TreeProblem(EmittedRows, VerifierProblem):
    """A drafted tree of depth D: the contract ``tree``.

    What is emitted goes down the tree and ends with a token more. It is completed to D+1 tokens by the target.

    Parameters
    ----------
    draft, target : TabularModel over horizon D+1
        The law that children are drawn from, and the law to be preserved.
    parents : tuple of int
        The parent of each node; -1 for the root, which is the first.
    kind : Drawn or str
        How children are drawn: ``"certain"``, ``"iid"``, ``"distinct"`` or ``"paths"``.
    declared : bool
        Whether the sampler is told the draft law; of certain children alone it need not be.

    Raises
    ------
    InvalidInput
        If a model is no table, the vocabularies differ, the parents are not those of a tree, a horizon is not its depth
        plus one, there is no such way of drawing, or a node has more children than there are tokens to tell them apart.

    Examples
    --------
    >>> model = TabularModel([[0.6, 0.4], [[0.5, 0.5], [0.5, 0.5]]])
    >>> TreeProblem(model, model, (-1, 0, 0), "certain").acceptance_bounds
    array([1.])
    """

    contract: ClassVar = Contract.TREE
    size_name: ClassVar = "N"
    acceptance_title: ClassVar = "the first token is on the tree"
    in_small_batches: ClassVar = {
        "iid, two siblings": 1,
        "certain, no draft law, two branches": 1,
        "distinct, two siblings": 4,
        "distinct, three siblings": 4,
    }
    draft: TabularModel
    target: TabularModel
    parents: tuple[int, ...]
    kind: Drawn
    declared: bool = True

    def __post_init__(self) -> None:
        check_models(self.draft, self.target)
        if self.kind not in list(Drawn):
            raise InvalidInput(f"kind is {self.kind!r}: it must be one of {', '.join(Drawn)}")
        object.__setattr__(self, "kind", Drawn(self.kind))
        object.__setattr__(self, "parents", tuple(self.parents))
        needed = max(depths_of(self.parents)) + 1
        for name, model in (("draft", self.draft), ("target", self.target)):
            if model.horizon != needed:
                raise InvalidInput(f"{name} has horizon {model.horizon}: a tree of depth {needed - 1} needs {needed}")
        if not self.declared and self.kind is not Drawn.CERTAIN:
            raise InvalidInput(f"declared is False: children that are {self.kind} have a law, which is handed out")
        if self.kind in (Drawn.CERTAIN, Drawn.DISTINCT):
            refuse_many_children(self.parents, self.num_tokens)

    def with_models(self, draft: TabularModel, target: TabularModel) -> TreeProblem:
        """Put other models in the place of both; children that their tokens cannot tell apart are left out."""
        parents = self.parents
        if self.kind in (Drawn.CERTAIN, Drawn.DISTINCT):
            parents = pruned(parents, draft.num_states)
        return self._with_parents(parents, draft, target)

    def shorter(self) -> Iterator[TreeProblem]:
        """Leave the last node out, or any other leaf, if there are two nodes beside the root."""
        for parents in without_leaf(self.parents):
            yield self._with_parents(parents, *self.models)

    def _with_parents(self, parents: Sequence[int], *models: TabularModel) -> TreeProblem:
        needed = max(depths_of(parents)) + 1
        draft, target = (TabularModel(model.conditionals[:needed]) for model in models)
        return TreeProblem(draft, target, tuple(parents), self.kind, self.declared)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D, V, the way of drawing, 1 if the law is declared): problems of one shape fit into one batch."""
        return len(self.parents), self.longest - 1, self.num_tokens, list(Drawn).index(self.kind), int(self.declared)

    @property
    def size(self) -> tuple[int, int, int]:
        """What shrinking makes smaller: the outcomes, the nodes, and the length of the description."""
        return self.target_law.size, len(self.parents), len(self.describe())

    @cached_property
    def draft_law(self) -> Array:
        """The law of a sampler that accepts every first child."""
        children, node, steps = children_of(self.parents), 0, 0
        while children[node]:
            node, steps = children[node][0], steps + 1
        draft = certain(self.draft) if self.kind is Drawn.CERTAIN else self.draft
        return TabularModel([*draft.conditionals[:steps], *self.target.conditionals[steps:]]).joint()

    @cached_property
    def acceptance_bounds(self) -> Array:
        """The most that a lossless sampler can emit of the first level, shape (1,): the optimal transport value."""
        draft, target = self.draft.conditionals[0], self.target.conditionals[0]
        count = len(children_of(self.parents)[0])
        if self.kind is Drawn.CERTAIN:
            bound = target[np.argsort(-draft, kind="stable")[:count]].sum()
        elif self.kind is not Drawn.DISTINCT:
            bound = optimal_acceptance(draft, target, count)
        elif np.count_nonzero(draft) < count:
            bound = 1.0
        else:
            bound = optimal_acceptance_without_replacement(draft, target, count)
        limited: Array = np.minimum(np.atleast_1d(bound), 1.0)
        return limited

    def acceptances(self, accepted: Tokens) -> list[NDArray[np.bool_]]:
        """Say in which trials the first token is on the tree."""
        return [accepted > 0]

    def acceptance_event(self, index: int) -> str:
        """Name the event that :attr:`acceptance_bounds` bounds."""
        del index
        return "a first token of the tree was emitted"

    def empty_inputs(self, trials: int) -> TreeInputs:
        """Make room for n trials."""
        shape = trials, len(self.parents)
        tree = Tree(np.full(shape, -1), np.full(shape, -1), self.kind)
        draft = np.empty((*shape, self.num_tokens)) if self.declared else None
        return TreeInputs(tree, np.empty((*shape, self.num_tokens)), draft)

    def fill(self, inputs: TreeInputs, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trees into some rows of a batch, which may be one of several problems."""
        trees, first = self._trees, np.zeros(len(places), dtype=np.int64)
        drawn = invert_after(trees.shares, first, rng.random(len(places)))
        deal(np.array(self.parents)[np.newaxis, :, np.newaxis], first, places, inputs.tree.parents[..., np.newaxis])
        deal(trees.tokens[..., np.newaxis], drawn, places, inputs.tree.tokens[..., np.newaxis])
        deal(trees.target, drawn, places, inputs.target_probs)
        if inputs.draft_probs is not None:
            deal(trees.draft, drawn, places, inputs.draft_probs)

    @cached_property
    def _trees(self) -> DrawnTrees:
        """Every tree that can be drawn, with the laws along it."""
        tokens, chances = np.full((1, len(self.parents)), -1), np.ones(1)
        for node in range(1, len(self.parents)):
            law = chances[:, np.newaxis] * self.child_law(tokens, node)
            before, drawn = np.nonzero(law)
            tokens, chances = tokens[before], law[before, drawn]
            tokens[:, node] = drawn
        return DrawnTrees(tokens, cumulative_shares(chances[np.newaxis]), *self.rows(tokens))

    def rows(self, tokens: Tokens) -> tuple[Array, Array]:
        """Give both models' laws after each node of trees with these tokens (n, N), shape (n, N, V) each."""
        return self._rows(self.draft, tokens), self._rows(self.target, tokens)

    def _rows(self, model: TabularModel, tokens: Tokens) -> Array:
        columns = [self._after(model, tokens, node) for node in range(len(self.parents))]
        return np.stack(columns, axis=1)

    def _after(self, model: TabularModel, tokens: Tokens, node: int) -> Array:
        path = self.path(node)
        row = model.conditionals[len(path)][tuple(tokens[:, path].T)]
        return np.broadcast_to(row, (len(tokens), self.num_tokens))

    def path(self, node: int) -> list[int]:
        """List the nodes from the root's child down to a node; empty for the root."""
        return [*self.path(self.parents[node]), node] if node else []

    def child_law(self, tokens: Tokens, node: int) -> Array:
        """Give the law that a node's token is drawn from, given those of the nodes before, shape (n, V)."""
        parent = self.parents[node]
        elder = [other for other in range(1, node) if self.parents[other] == parent]
        row = self._after(self.draft, tokens, parent)
        if self.kind is Drawn.CERTAIN:
            chosen: Array = np.eye(self.num_tokens)[np.argsort(-row, axis=-1, kind="stable")[:, len(elder)]]
            return chosen
        if self.kind is not Drawn.DISTINCT or not elder:
            return row
        new = np.ones(row.shape)
        np.put_along_axis(new, tokens[:, elder], 0.0, axis=-1)
        left = row * new  # where the draft has no other token, any other will do
        left = np.where(left.sum(axis=-1, keepdims=True) > 0, left, new)
        law: Array = left / left.sum(axis=-1, keepdims=True)
        return law

    def chance_of_drafts(self, arguments: TreeInputs) -> Array:
        """Give at most the probability of the drafts of each trial, shape (n,)."""
        if self.kind is Drawn.CERTAIN:
            return np.ones(arguments.trials)
        tree, trials = arguments.tree, np.arange(arguments.trials)[:, np.newaxis]
        return np.asarray(arguments.draft_probs[trials, tree.parents[:, 1:], tree.tokens[:, 1:]].prod(axis=1))

    def parse(self, result: Any, arguments: TreeInputs) -> Emission:
        """Take emitted rows (n, D+1): tokens down the tree, one more, and -1 to the end."""
        tokens = as_ids(result, "emitted", (arguments.trials, self.longest), -1, self.num_tokens)
        refuse_gaps(tokens)
        accepted = steps_down(tokens, arguments.tree.tokens, arguments.tree.parents)
        left = (tokens >= 0).sum(axis=1) > accepted + 1
        refuse_rows(left, tokens, "goes on after a token that is not on the tree", "such a token is the last")
        return Emission(tokens, accepted)

    def describe(self) -> str:
        """Describe both models in lines of simple fractions, and the tree."""
        models = f"draft\n{describe_model(self.draft, self.longest - 1)}\ntarget\n{describe_model(self.target)}"
        told = "" if self.declared else ", draft_probs is None"
        return f"{models}\nparents {list(self.parents)}, drawn {self.kind}{told}"

    @classmethod
    def degenerate(cls, draft: Array, target: Array) -> TreeProblem:
        """Two i.i.d. siblings of a degenerate law, and a child of the first."""
        return TreeProblem(independent([draft] * 3), independent([target] * 3), (-1, 0, 0, 1), Drawn.IID)

    @classmethod
    def degenerates(cls) -> dict[str, TreeProblem]:
        """Make the degenerate problems: every pair, and certain trees of them."""
        iid = super().degenerates()
        certain_ones = {
            f"{name}, certain": TreeProblem(*it.models, pruned(it.parents, it.num_tokens), Drawn.CERTAIN, False)
            for name, it in iid.items()
            if it.num_tokens > 1
        }
        return {**iid, **certain_ones}

    @classmethod
    def examples(cls) -> dict[str, TreeProblem]:
        """Make the problems whose laws are tested, by name, the smallest first; no token of them is impossible."""
        from specproof.conformance.problems.tree_examples import tree_examples

        return tree_examples()

    @classmethod
    def drawn(cls, draw: DrawFn) -> TreeProblem:
        """Draw a tree of 1 to 4 nodes beside the root over 2 or 3 tokens, whose children are drawn in any way."""
        from hypothesis.strategies import integers, sampled_from

        from specproof.conformance.strategies.models import tabular_models

        kind, size, count = draw(sampled_from(list(Drawn))), draw(integers(2, 3)), draw(integers(1, 4))
        parents: tuple[int, ...] = (-1, *(draw(integers(0, node)) for node in range(count)))
        if kind in (Drawn.CERTAIN, Drawn.DISTINCT):
            parents = pruned(parents, size)
        horizon = max(depths_of(parents)) + 1
        return TreeProblem(draw(tabular_models(size, horizon)), draw(tabular_models(size, horizon)), parents, kind)
