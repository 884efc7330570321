"""The rules that a trace prices: each makes the reach weights of a text from what the trace holds of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.traces.trace import ACCEPTED_DISTINCT, AGREEMENT, DRAFTED
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.texts import block_by_block, by_depth, by_shape, draft_sequences, token_by_token
from specproof.theory.trees.shapes import Place
from specproof.theory.verifiers import VERIFIERS

if TYPE_CHECKING:
    import pandas as pd

ONE_DRAFT, BLOCK, MATCH, ARGMAX = "single", "block", "match", "argmax"
DISTINCT, CERTAIN = "recursive_distinct", "certain"

SIMPLE = {
    ONE_DRAFT: "one draft, token by token",
    BLOCK: "one draft, block verification",
    MATCH: "exact match with the draft",
    ARGMAX: "the draft's likeliest token",
}
"""The rules of one draft sequence, with their labels; the last takes no draw of the draft."""

OF_ANY_SHAPE = ("recursive", CERTAIN)
"""The rules for trees of any shape, which do with a child what they do whatever children follow it."""


@dataclass(frozen=True)
class Configuration:
    """One way to draft and to verify.

    Attributes
    ----------
    rule : str
        One of ``SIMPLE``; a verifier's name; ``recursive_distinct``, recursive rejection of distinct drafts; or, for
        trees alone, ``certain``: the likeliest tokens under the draft, walked by the target's own draws.
    num_drafts : int
        K draft sequences; of distinct ones only the first tokens are sure to differ. It is 1 for ``SIMPLE``.
    length : int
        L tokens a sequence, or the depth of the tree.
    widths : tuple of int
        Children of each node by depth, for a tree; empty for sequences.
    draft_temperature : float, optional
        The draft's temperature; the trace's first by default.
    places : tuple of tuples of int
        For a tree of any shape its nodes, each by which child to take at each depth: for ``recursive`` in the order in
        which children are tried, for ``certain`` by the draft's ranks from 0. Empty for all else.

    Examples
    --------
    >>> from specproof.traces import Configuration
    >>> sequences, tree = Configuration("kseq", num_drafts=2, length=3), Configuration("kseq", 1, 2, widths=(3, 2))
    >>> sequences.label, sequences.shape, sequences.rows, sequences.scored
    ('K-SEQ', 'K = 2, L = 3', 2, 7)
    >>> tree.label, tree.shape, tree.rows, tree.scored
    ('K-SEQ, tree', 'widths 3-2', 6, 10)
    >>> uneven = Configuration("recursive", length=2, places=((0,), (1,), (0, 0)))
    >>> uneven.shape, uneven.rows, uneven.scored
    ('3 nodes, by depth 2-1', 2, 4)
    """

    rule: str
    num_drafts: int = 1
    length: int = 4
    widths: tuple[int, ...] = ()
    draft_temperature: float | None = None
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        known = {DISTINCT, *VERIFIERS} - {ONE_DRAFT} | ({CERTAIN} if self.widths else set(SIMPLE))
        known = set(OF_ANY_SHAPE) if self.places else known
        if self.rule not in known:
            where = "a tree's rule" if self.is_tree else "rule"
            raise InvalidInput(f"{where} is {shown(self.rule)}: it must be one of {', '.join(sorted(known))}")
        for name in ("num_drafts", "length"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidInput(f"{name} is {shown(value)}: it must be an integer of at least 1")
        if any(not isinstance(width, int) or width < 1 for width in self.widths) or len(self.widths) not in (
            0,
            self.length,
        ):
            raise InvalidInput(f"widths is {self.widths}: give a positive number for each of {self.length} depths")
        if self.places:
            self._check_places()
        if self.rule in SIMPLE and self.num_drafts > 1:
            raise InvalidInput(f"num_drafts is {self.num_drafts}, but {self.rule} has one draft: leave it at 1")

    @property
    def is_tree(self) -> bool:
        """Whether drafts branch after the first."""
        return bool(self.widths or self.places)

    @property
    def label(self) -> str:
        """The rule in words."""
        if self.rule in SIMPLE:
            return SIMPLE[self.rule]
        if self.rule == CERTAIN:
            return "certain tree"
        name = "recursive, distinct" if self.rule == DISTINCT else VERIFIERS[self.rule].label
        return f"{name}, tree" if self.is_tree else name

    @property
    def shape(self) -> str:
        """The sizes in words: "K = 4, L = 8", or the widths of a tree."""
        if self.widths:
            return "widths " + "-".join(map(str, self.widths))
        if self.places:
            return f"{len(self.places)} nodes, by depth " + "-".join(map(str, self._nodes_by_depth()))
        return f"L = {self.length}" if self.rule in SIMPLE else f"K = {self.num_drafts}, L = {self.length}"

    @property
    def rows(self) -> int:
        """How many sequences are drafted side by side: the most nodes of a depth of a tree."""
        if self.places:
            return max(self._nodes_by_depth())
        return int(np.prod(self.widths)) if self.widths else self.num_drafts

    @property
    def scored(self) -> int:
        """How many tokens a call of the target scores, with the one before the drafts."""
        if self.places:
            return 1 + len(self.places)
        return 1 + int(np.cumprod(self.widths).sum()) if self.widths else 1 + self.num_drafts * self.length

    @property
    def most_drafts(self) -> int:
        """For how many drafts at a position the trace must hold agreement; 0 if it need not."""
        if self.rule in SIMPLE or self.rule == CERTAIN:
            return 0
        if self.places:
            return self.most_children
        return max(self.widths) if self.widths else self.num_drafts

    @property
    def most_children(self) -> int:
        """Children of a node that a tree of any shape tells apart."""
        return 1 + max(place[-1] for place in self.places)

    def _nodes_by_depth(self) -> list[int]:
        depths = [len(place) for place in self.places]
        return [depths.count(depth) for depth in range(1, self.length + 1)]

    def _check_places(self) -> None:
        known = {(), *self.places}
        for place in self.places:
            if not all(isinstance(child, int) and child >= 0 for child in place) or place[:-1] not in known:
                raise InvalidInput(f"places has {shown(place)}: give numbers from 0, and the node above each node too")
            if self.rule != CERTAIN and place[-1] > 0 and (*place[:-1], place[-1] - 1) not in known:
                raise InvalidInput(f"places has {shown(place)}: {self.rule} tries the children before it, give them")
        if self.widths or max(map(len, self.places)) != self.length or len(known) <= len(self.places):
            raise InvalidInput(f"places is {shown(self.places)}: give its depth as length, no node twice and no widths")


def reach_weights(rows: pd.DataFrame, configuration: Configuration) -> Array:
    """P(a call after s tokens accepts at least l drafts | the text), shape (T, L+1), from a text's rows of a trace.

    Raises
    ------
    InvalidInput
        If the trace does not hold what the rule needs.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import Configuration, capture_arrays, reach_weights
    >>> target = np.log([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    >>> draft = np.log([[0.75, 0.25]] * 4)
    >>> trace = capture_arrays(draft, target, [0, 1, 1, 0], num_drafts=2)
    >>> reach_weights(trace.table, Configuration("single", length=1)).round(3).tolist()
    [[1.0, 1.0], [1.0, 0.333], [1.0, 0.5], [1.0, 1.0]]
    """
    reach = _reach(rows, configuration)
    if DRAFTED in rows:
        reach[~rows[DRAFTED].to_numpy(), 1:] = 0.0
    return reach


def _reach(rows: pd.DataFrame, configuration: Configuration) -> Array:
    """Give the reach weights of calls that all draft."""
    if configuration.rule in _SIMPLE_REACH:
        return _SIMPLE_REACH[configuration.rule](rows, configuration.length)
    if configuration.widths:
        chances = {width: child_chances(rows, configuration.rule, width) for width in set(configuration.widths)}
        return by_depth(np.stack([chances[width] for width in configuration.widths]), configuration.length)
    if configuration.places:
        children = range(1, configuration.most_children + 1)
        one_of = np.array([child_chances(rows, configuration.rule, width) for width in children])
        return by_shape(chance_of_each(one_of), configuration.places)
    if configuration.rule == DISTINCT:
        first, later = child_chances(rows, DISTINCT, configuration.num_drafts), _one_draft(rows)
        return by_depth(np.stack([first] + [later] * (configuration.length - 1)), configuration.length)
    agreement = _agreement(rows, configuration.rule, configuration.num_drafts)
    wanted = rows["target_logprob"].to_numpy()
    return draft_sequences(agreement, wanted, configuration.num_drafts, configuration.length)


def _match(rows: pd.DataFrame, length: int) -> Array:
    return by_depth(np.exp(rows["draft_logprob"].to_numpy()), length)


def _argmax(rows: pd.DataFrame, length: int) -> Array:
    return by_depth(child_chances(rows, CERTAIN, 1), length)


_SIMPLE_REACH: dict[str, Callable[[pd.DataFrame, int], Array]] = {
    ONE_DRAFT: lambda rows, length: token_by_token(*_logprobs(rows), length),
    BLOCK: lambda rows, length: block_by_block(*_logprobs(rows), length),
    MATCH: _match,
    ARGMAX: _argmax,
}


def _logprobs(rows: pd.DataFrame) -> tuple[Array, Array]:
    return rows["draft_logprob"].to_numpy(), rows["target_logprob"].to_numpy()


def _one_draft(rows: pd.DataFrame) -> Array:
    draft, target = _logprobs(rows)
    chances: Array = np.exp(np.minimum(draft - target, 0.0))
    return chances


def child_chances(rows: pd.DataFrame, rule: str, width: int) -> Array:
    """The chance, given the text, that one of ``width`` children of a node is accepted and is the text's next token.

    Raises
    ------
    InvalidInput
        If the trace does not hold what the rule needs.
    """
    if rule == CERTAIN:
        ranks = rows["draft_rank"].to_numpy()
        if np.any(ranks < 0):
            raise InvalidInput(
                f"position {int(np.flatnonzero(ranks < 0)[0])} of a text has no draft_rank: the draft's likeliest "
                "tokens are needed there, so capture with more top log-probabilities, or leave the rule out"
            )
        return np.asarray(ranks < width, dtype=np.float64)
    if rule == DISTINCT:
        accepted = _held(rows, ACCEPTED_DISTINCT, width, lambda drafts: drafts)[:, width - 1]
    else:
        accepted = _agreement(rows, rule, width)[:, width - 1].sum(axis=-1)
    chances: Array = np.minimum(accepted / np.exp(rows["target_logprob"].to_numpy()), 1.0)
    return chances


def chance_of_each(one_of: Array) -> Array:
    """The chances of single children, from those that one of the first so many is entered, along the first axis.

    Examples
    --------
    >>> chance_of_each(np.array([0.5, 0.75])).tolist()
    [0.5, 0.25]
    """
    chances: Array = np.maximum(np.diff(one_of, axis=0, prepend=0.0), 0.0)
    return chances


def _agreement(rows: pd.DataFrame, name: str, num_drafts: int) -> Array:
    """Unpack the agreement of a verifier with the text's tokens, shape (T, K, K)."""
    numbers = _held(rows, f"{AGREEMENT}{name}", num_drafts, lambda drafts: drafts * (drafts + 1) // 2)
    agreement = np.zeros((len(rows), num_drafts, num_drafts))
    below = np.tril_indices(num_drafts)
    agreement[:, *below] = numbers[:, : len(below[0])]
    return agreement


def _held(rows: pd.DataFrame, column: str, num_drafts: int, size: Callable[[int], int]) -> Array:
    if column not in rows:
        raise InvalidInput(
            f"the trace has no column {column!r}: capture from full distributions, or leave the rule out"
        )
    numbers = np.stack(rows[column].to_list())
    if numbers.shape[1] < size(num_drafts):
        raise InvalidInput(
            f"num_drafts is {num_drafts}, more than the trace holds: capture with --num-drafts {num_drafts}"
        )
    return numbers
