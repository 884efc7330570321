r"""The registry of rules for drafted trees, and the exact law of one call by any of them.

A rule says, for a drafted tree that is given, what the call emits: the accepted path and one more token. It sees the
models by their laws at the nodes of that tree, whatever the vocabulary. The law of the call follows by enumeration of
the trees that may be drafted; nothing else is used of a rule, so that whether it is lossless is seen from the joint law
of the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from specproof.theory.chain import Chain, check_same_size
from specproof.theory.display import html_record, one_line, shown
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.looks import LOOKS, Look
from specproof.theory.registry import Registry
from specproof.theory.trees.branches import Branches, ListedTrees
from specproof.theory.trees.draft_trees import Node, NodeLaw, joint_law, laws_of, next_token_law
from specproof.theory.trees.drawn_trees import drawn_trees

Emitted = Iterator[tuple[Node, Array]]
"""Accepted paths, each with the probabilities that it and then each token end the call, shape (V,).

A path may come more than once.
"""

Given = Callable[[Branches], Emitted]
"""What is emitted for a drafted tree."""

Prepare = Callable[[NodeLaw, NodeLaw, int, int], Given]
"""``prepare(draft, target, num_drafts, length) -> given``: the rule for two models, by their laws at nodes."""


@dataclass(frozen=True)
class TreeVerifier:
    """A published rule that verifies a drafted tree in one call of the target.

    Attributes
    ----------
    name : str
        The name is the key in ``TREE_VERIFIERS``.
    label, colour, marker : str
        Tables and figures show the rule with these.
    source : str
        The rule is published here.
    draws : str
        Trees are drafted in this way, a key of :data:`specproof.theory.trees.drawn_trees.DRAWS`.
    prepare : callable
        See :data:`~specproof.theory.trees.rules.registry.Prepare`.
    takes : int, optional
        The one number of drafts that it takes; by default it takes any.
    is_lossless : bool
        Whether the rule emits the target's law, as it is stated where it is published; claims show this either way.

    Examples
    --------
    >>> from specproof.theory.trees.rules import TREE_VERIFIERS
    >>> rule = TREE_VERIFIERS["traversal"]
    >>> rule.label, rule.draws, rule.takes
    ('traversal verification', 'sequences', None)
    """

    name: str
    label: str
    colour: str
    marker: str
    source: str
    draws: str
    prepare: Prepare
    takes: int | None = None
    is_lossless: bool = True


TREE_VERIFIERS: Registry[TreeVerifier] = Registry("verifier")
"""All rules for drafted trees by name."""


def register_tree_verifier(verifier: TreeVerifier) -> None:
    """Let a rule for trees be known to ``TREE_VERIFIERS``, and by it to claims and figures.

    Raises
    ------
    InvalidInput
        If it is no TreeVerifier, or another verifier or another look has its name.

    Examples
    --------
    >>> from specproof.theory.trees.rules import TREE_VERIFIERS
    >>> register_tree_verifier(TREE_VERIFIERS["traversal"])  # as it already is: nothing changes
    """
    if not isinstance(verifier, TreeVerifier):
        raise InvalidInput(f"verifier is a {type(verifier).__name__}: give a TreeVerifier(name, label, ...)")
    if verifier.name not in TREE_VERIFIERS:
        LOOKS.add(verifier.name, Look(verifier.label, verifier.colour, verifier.marker))
    TREE_VERIFIERS.add(verifier.name, verifier)


@dataclass(frozen=True, eq=False, repr=False)
class CallLaw:
    """The law of what one call emits.

    Attributes
    ----------
    emitted : mapping from Node to float
        The call emits exactly these tokens with this probability; the last is the rule's own.
    length : int
        L, the most that can be accepted.

    Examples
    --------
    >>> law = CallLaw({(0,): 0.25, (1, 0): 0.5, (1, 1): 0.25}, length=1)
    >>> law.accepted_length.tolist(), law.mean
    ([0.25, 0.75], 0.75)
    """

    emitted: Mapping[Node, float]
    length: int

    __repr__ = one_line
    _repr_html_ = html_record

    @property
    def accepted_length(self) -> Array:
        """The law of the accepted length, shape (L + 1,)."""
        law = np.zeros(self.length + 1)
        for node, mass in self.emitted.items():
            law[len(node) - 1] += mass
        return law

    @property
    def mean(self) -> float:
        """E[tau], the expected accepted length; a call emits one token more."""
        return float(self.accepted_length @ np.arange(self.length + 1))

    def completed(self, target: Chain) -> Array:
        """The joint law of L + 1 tokens, shape (V,) * (L + 1), where the target goes on after a shorter call."""
        law: Array = np.zeros((target.num_states,) * (self.length + 1))

        def go_on(node: Node, mass: float) -> None:
            if len(node) > self.length:
                law[node] += mass
                return
            for token, chance in enumerate(next_token_law(target, node)):
                go_on((*node, token), mass * float(chance))

        for node, mass in self.emitted.items():
            go_on(node, mass)
        return law

    def bias(self, target: Chain) -> float:
        """The total variation distance between the joint law of L + 1 tokens and the target's."""
        return 0.5 * float(np.abs(self.completed(target) - joint_law(target, self.length + 1, "target")).sum())


def call_law(verifier: str | TreeVerifier, draft: Chain, target: Chain, num_drafts: int, length: int) -> CallLaw:
    """The exact law of one call from the models' start, by enumeration of the drafted trees.

    Parameters
    ----------
    verifier : str or TreeVerifier
        A name in ``TREE_VERIFIERS``.
    draft, target : MarkovChain or TabularModel
        Both of one kind, vocabulary and horizon, which is at least L + 1: a call emits up to L + 1 tokens.
    num_drafts, length : int
        K and L, each at least 1.

    Raises
    ------
    InvalidInput
        If the models differ in kind, size or horizon, the horizon is too short, the verifier has no such name or does
        not take so many drafts, a number is not an integer >= 1, too few tokens can be drafted, or the trees are too
        many.

    Examples
    --------
    >>> from specproof import MarkovChain, call_law
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 3) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> law = call_law("traversal", draft, target, num_drafts=1, length=2)
    >>> law.mean, law.bias(target)
    (1.75, 0.0)
    """
    rule = verifier if isinstance(verifier, TreeVerifier) else TREE_VERIFIERS.named(verifier)
    drawn = drawn_for(rule, draft, target, num_drafts, length)
    given = rule.prepare(laws_of(draft), laws_of(target), num_drafts, length)
    return CallLaw(
        by_block((path, chance * ends) for branches, chance in drawn for path, ends in given(branches)), length
    )


def by_block(emitted: Emitted) -> dict[Node, float]:
    """The probability of each block of tokens, the accepted path and the token after it.

    Examples
    --------
    >>> by_block(iter([((), np.array([0.25, 0.0])), ((1,), np.array([0.5, 0.25]))]))
    {(0,): 0.25, (1, 0): 0.5, (1, 1): 0.25}
    """
    masses: dict[Node, float] = {}
    for path, ends in emitted:
        for token in map(int, np.flatnonzero(ends)):
            block = (*path, token)
            masses[block] = masses.get(block, 0.0) + float(ends[token])
    return masses


def drawn_for(rule: TreeVerifier, draft: Chain, target: Chain, num_drafts: int, length: int) -> ListedTrees:
    """The trees that are drafted for a rule, with their probabilities; all arguments are checked.

    Raises
    ------
    InvalidInput
        As :func:`call_law`.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> from specproof.theory.trees.rules import TREE_VERIFIERS
    >>> model = MarkovChain([0.75, 0.25], [[0.5, 0.5]] * 2, 2)
    >>> drawn_for(TREE_VERIFIERS["argmax"], model, model, num_drafts=1, length=1)
    [(((0, ()),), 1.0)]
    """
    check_same_size(draft, target)
    count, steps = one_num_drafts(num_drafts), positive_integer(length, "length")
    if target.horizon <= steps:
        raise InvalidInput(f"length is {shown(steps)} but the models have horizon {target.horizon}: take a longer one")
    if rule.takes not in (None, count):
        raise InvalidInput(
            f"num_drafts is {shown(count)}, and {rule.name} takes {rule.takes}: give num_drafts={rule.takes}"
        )
    return drawn_trees(rule.draws, draft, count, steps)
