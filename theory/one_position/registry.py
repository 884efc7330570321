"""The registry of rules for one position, whatever they draft: what each accepts, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import ArrayLike

from specproof.theory.display import shown
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.registry import Registry
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.published import source_of
from specproof.theory.verifiers import VERIFIERS


class Draws(NamedTuple):
    """One way to draft at one position."""

    label: str
    """The short name of the drafts in tables."""
    optimum: str
    """The name of the rule of which no lossless rule with these drafts accepts more."""


DRAWS_AT_ONE_POSITION: dict[str, Draws] = {
    "iid": Draws("i.i.d.", "optimal"),
    "distinct": Draws("distinct", "optimal_distinct"),
    "top-and-one": Draws("top k-1 + 1", "top-and-one"),
    "hub": Draws("top 1 + 1", "top-and-one"),
    "likeliest": Draws("top k", "target-walk"),
    "greedy": Draws("top 1", "argmax"),
}
"""Every way to draft, by name: independent draws, draws without replacement, the k - 1 likeliest tokens and a draw from
the others, the likeliest and a draw from the others in either order, the k likeliest, and the likeliest alone.

Where fewer tokens can be drafted than have to be distinct, all of them are drafted.
"""


@dataclass(frozen=True)
class OnePositionRule:
    """A rule that emits one token, which is one of the drafts as often as the rule can make it.

    Attributes
    ----------
    name, label : str
        The name is the key in :func:`one_position_rules`; tables show the label.
    source : str
        The rule is published here.
    draws : str
        The rule takes drafts of this kind, a key of ``DRAWS_AT_ONE_POSITION``.
    acceptance : callable
        ``acceptance(draft, target, num_drafts) -> array (...)`` of trusted laws of one shape (..., V). It raises
        InvalidInput where the law is too dear to compute.
    takes : int, optional
        The one number of drafts that it takes; by default it takes any.
    is_lossless : bool
        Whether the emitted token has the target's law.
    note : str
        What else is to be known of what it accepts.

    Examples
    --------
    >>> from specproof import one_position_rules
    >>> rule = one_position_rules()["exact-match"]
    >>> rule.draws, float(rule.acceptance_of([0.5, 0.5], [0.25, 0.75], 2))
    ('iid', 0.75)
    """

    name: str
    label: str
    source: str
    draws: str
    acceptance: Callable[[Array, Array, int], Array]
    takes: int | None = None
    is_lossless: bool = True
    note: str = ""

    def acceptance_of(self, draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
        """The probability that a draft is accepted, shape (...), for laws of shape (..., V).

        Raises
        ------
        InvalidInput
            If an argument is not a distribution, the two do not match, the rule does not take so many drafts, or its
            law is too dear to compute.
        """
        pair, count = as_pair(draft, target), one_num_drafts(num_drafts)
        self.check_takes(count)
        return self.acceptance(*pair, count)

    def check_takes(self, num_drafts: int) -> None:
        """Refuse a number of drafts that the rule does not take, as InvalidInput."""
        if self.takes not in (None, num_drafts):
            raise InvalidInput(
                f"num_drafts is {shown(num_drafts)}, and {self.name} takes {self.takes}: give num_drafts={self.takes}"
            )

    @property
    def optimum(self) -> str:
        """The name of the rule of which no lossless rule with these drafts accepts more."""
        return DRAWS_AT_ONE_POSITION[self.draws].optimum


_REGISTERED: Registry[OnePositionRule] = Registry("rule")

_ALSO = {
    "single": "block verification of one draft is this rule",
    "recursive": "traversal verification is this rule",
    "priority": "it attains the optimum",
}
"""What is to be known of the verifiers of i.i.d. drafts at one position."""


def register_one_position_rule(rule: OnePositionRule) -> None:
    """Let a rule be known to :func:`one_position_rules`, and by it to ``specproof bound``.

    Raises
    ------
    InvalidInput
        If it is no OnePositionRule, it drafts in no way of ``DRAWS_AT_ONE_POSITION``, or another rule or a verifier has
        its name.

    Examples
    --------
    >>> from specproof import one_position_rules
    >>> register_one_position_rule(one_position_rules()["exact-match"])  # as it already is: nothing changes
    """
    if not isinstance(rule, OnePositionRule):
        raise InvalidInput(f"rule is a {type(rule).__name__}: give a OnePositionRule(name, label, ...)")
    if rule.draws not in DRAWS_AT_ONE_POSITION:
        raise InvalidInput(
            f"draws is {shown(rule.draws)}: it must be one of {', '.join(sorted(DRAWS_AT_ONE_POSITION))}"
        )
    if rule.name in VERIFIERS:
        raise InvalidInput(f"name is {shown(rule.name)}: a verifier is registered by it, so take another name")
    _REGISTERED.add(rule.name, rule)


def register_tree_rule(name: str, draws: str, acceptance: Callable[[Array, Array, int], Array], note: str = "") -> None:
    """Let what a rule of ``TREE_VERIFIERS`` is at one position be known by its name, label and source.

    Examples
    --------
    >>> rule = one_position_rules()["spechub"]
    >>> register_tree_rule("spechub", "hub", rule.acceptance)  # as it already is: nothing changes
    """
    rule = TREE_VERIFIERS[name]
    register_one_position_rule(
        OnePositionRule(name, rule.label, rule.source, draws, acceptance, rule.takes, rule.is_lossless, note)
    )


def one_position_rules() -> dict[str, OnePositionRule]:
    """Every rule for one position by name: the verifiers of i.i.d. drafts, and all that draft in another way.

    Examples
    --------
    >>> from specproof import one_position_rules
    >>> [name for name, rule in one_position_rules().items() if rule.draws == "distinct"]
    ['optimal_distinct', 'recursive_distinct']
    """
    verifiers = {
        name: OnePositionRule(
            name,
            verifier.label,
            source_of(verifier),
            "iid",
            verifier.acceptance if verifier.acceptance is not None else verifier.acceptance_of,
            note=_ALSO.get(name, ""),
        )
        for name, verifier in VERIFIERS.items()
    }
    return verifiers | dict(_REGISTERED)
