"""Whether what a call emits has the target's law: each published rule for drafted trees, on small models.

There is a claim for each rule. Of a rule that is published as lossless and is not, as it is stated there, the claim
says so: its smallest counterexample is computed, and the published statement is the control that has to be refuted.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.trees.small_models import Instance, heated, small_models
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.trees.draft_trees import Node, NodeLaw
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.levels import target_draw, walk
from specproof.theory.trees.rules.registry import Given, TreeVerifier, call_law

CONTROLLED = 12
"""Controls are enumerated on so many of the instances."""

DISTINCT = ("distinct", "hub", "top-and-one")
"""The draws that take no more drafts than there are first tokens."""

WITHOUT_LAW = ("argmax", "exact-match", "target-walk")
"""The rules that ask nothing of the draft's law, whose control is another one."""


class Counterexample(NamedTuple):
    """A pair of models on which a rule is not lossless, with what it does there in fractions."""

    draft: TabularModel
    target: TabularModel
    num_drafts: int
    length: int
    bias: Fraction
    """The total variation distance of the joint law from the target's."""
    accepted: Fraction
    """E[tau]."""


def _independent(law: Array | list[float], positions: int) -> TabularModel:
    """The same law at each position, whatever came before."""
    row = np.asarray(law)
    return TabularModel([np.broadcast_to(row, (row.size,) * index + row.shape) for index in range(positions)])


COUNTEREXAMPLES = {
    "spectr-gbv": Counterexample(
        _independent([0.5, 0.5], 2), _independent([0.25, 0.75], 2), 2, 1, Fraction(1, 54), Fraction(275, 324)
    ),
    "hierarchical": Counterexample(
        _independent([1 / 3, 2 / 3], 3), _independent([2 / 3, 1 / 3], 3), 1, 2, Fraction(1, 9), Fraction(4, 3)
    ),
}
"""Of each rule that is not lossless the smallest that was found, by the denominators of its laws."""


def _cells(claim: str, rule: str, settings: Settings) -> list[Cell]:
    return [Cell(claim, "enumeration", enumeration, {"rule": rule, "instances": settings.sized(200, 2000)}, cost=2)]


def _claim(rule: TreeVerifier) -> Claim:
    name = f"{rule.name}.lossless"
    statement = f"What one call by {rule.label} emits has the target's joint law."
    if not rule.is_lossless:
        statement = f"Published as lossless, {rule.label} is not, as its code states it: a counterexample in fractions."
    return Claim(name, rule.source, statement, partial(_cells, name, rule.name))


def enumeration(context: CellContext, rule: str, instances: int) -> Findings:
    """Enumerate a rule on small models of every kind, and on its counterexample where it has one."""
    verifier = TREE_VERIFIERS[rule]
    worst = Worst(tokens="2..4", length="1..3", drafts="1..3")
    method = Method.IDENTITY if verifier.is_lossless else Method.CONTROL
    for index in range(instances):
        instance = small_models(context.rng, index)
        count = verifier.takes or instance.num_drafts
        if verifier.draws in DISTINCT:
            count = min(count, int(np.count_nonzero(instance.draft.conditionals[0])))
        if verifier.takes not in (None, count):
            continue
        worst.see("joint law of what is emitted", bias(verifier, instance, count), method=method)
        if verifier.is_lossless and index < CONTROLLED:
            quantity, control = broken(verifier)
            worst.see(f"joint law, {quantity}", bias(control, instance, count), method=Method.CONTROL)
    return Findings(worst.rows() + ([] if verifier.is_lossless else _counterexample(verifier)))


def bias(verifier: TreeVerifier, instance: Instance, num_drafts: int) -> float:
    """The total variation between what a call and then the target emit, and the target's law."""
    law = call_law(verifier, instance.draft, instance.target, num_drafts, instance.length)
    return law.bias(instance.target)


def broken(verifier: TreeVerifier) -> tuple[str, TreeVerifier]:
    """The rule with a fault that engines have had, and what it is."""
    if verifier.name in WITHOUT_LAW:
        return "siblings tested one after the other against the whole target", replace(verifier, prepare=walk(careless))

    def prepare(draft: NodeLaw, target: NodeLaw, num_drafts: int, length: int) -> Given:
        return verifier.prepare(lambda node: heated(draft(node)), target, num_drafts, length)

    return "a rule that takes the draft's law for another temperature's", replace(verifier, prepare=prepare)


def careless(draft: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
    """Accept each sibling with min(1, q/p), against the whole target each time: what an engine has shipped.

    Examples
    --------
    >>> goes_on, ends = careless(np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.5, 0.3]), (0, 1))
    >>> goes_on.round(6).tolist(), ends.round(6).tolist()
    ([0.333333, 0.666667, 0.0], [0.0, 0.0, 0.0])
    """
    goes_on, rejected = np.zeros_like(target), 1.0
    for token in dict.fromkeys(drafts):
        chance = rejected * min(1.0, float(target[token]) / float(draft[token]))
        goes_on[token] += chance
        rejected -= chance
    _, ends = target_draw(draft, target, drafts)
    return goes_on, rejected * (ends / ends.sum() if ends.any() else target)


def _counterexample(verifier: TreeVerifier) -> list[Evidence]:
    """Say what the rule does on its counterexample, to the last digit."""
    case = COUNTEREXAMPLES[verifier.name]
    law = call_law(verifier, case.draft, case.target, case.num_drafts, case.length)
    facts = (
        (f"bias of the counterexample, which is {case.bias}", case.bias, law.bias(case.target)),
        (f"expected accepted length there, which is {case.accepted}", case.accepted, law.mean),
    )
    sizes = {"tokens": 2, "length": case.length, "num_drafts": case.num_drafts}
    return [
        within(text, exact=float(exact), estimate=found, tolerance=1e-12, method=Method.CERTIFICATE, **sizes)
        for text, exact, found in facts
    ]


CLAIMS: tuple[Claim, ...] = tuple(_claim(rule) for rule in TREE_VERIFIERS.values() if "-layers" not in rule.name)
"""A claim for each rule; the layer lifts have theirs in :mod:`specproof.simulations.claims.trees.yardstick`."""
