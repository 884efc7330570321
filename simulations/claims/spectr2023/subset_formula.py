"""The optimum without the linear program: a formula over sets of tokens, for three kinds of drafts."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, combinations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.spectr2023.draft_laws import PLAIN, draw_instances
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method, at_least
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.distribution import Array, dirichlet, softmax
from specproof.theory.independent.optimum_by_subsets import optimum_by_subsets
from specproof.theory.transport import (
    Bracket,
    DraftSets,
    certify,
    optimal_acceptance,
    optimal_acceptance_different,
    optimal_acceptance_without_replacement,
)
from specproof.theory.verifiers.priority.orders_certificate import certify_different, certify_without_replacement

SEARCH_TOLERANCE = 1e-12
"""The search for different drafts stops when it can gain no more than 1e-13."""

WIDTH_TOLERANCE = 1e-9
"""Proofs by priority orders close up to rounding but for ties.

See :mod:`specproof.theory.verifiers.priority.orders_certificate`.
"""


def _cells(settings: Settings) -> list[Cell]:
    batches = range(settings.sized(5, 50))
    return [
        *(Cell(CLAIM.id, f"routes-{batch}", routes, {"instances": 201}, cost=4) for batch in batches),
        Cell(CLAIM.id, "certificates", certificates, {"tokens": settings.sized(5_000, 50_000)}, cost=2),
        Cell(CLAIM.id, "order-certificates", order_certificates, {"tokens": settings.sized(60, 300)}, cost=2),
        Cell(CLAIM.id, "suffixes", suffixes, {"instances": settings.sized(2_000, 50_000)}, cost=4),
        Cell(CLAIM.id, "different", different, {"instances": settings.sized(100, 2_000)}, cost=4),
    ]


CLAIM = Claim(
    "spectr2023.subset-formula",
    "Hu et al. 2025, arXiv 2502.18779, for i.i.d. drafts; the minimum cut of the linear program",
    "The best acceptance is 1 + min over sets A of q(A) - P(all drafts in A); without replacement one sort finds A.",
    _cells,
    formula=r"\alpha^*=1+\min_A\bigl(q(A)-\Pr(X_1,\dots,X_k\in A)\bigr)",
)


def routes(context: CellContext, instances: int) -> Findings:
    """Compare the formulas with the minimum over all sets, and each with a certificate in rational arithmetic."""
    worst = Worst(tokens="2..7", drafts="1..4")
    for instance in draw_instances(context.rng, instances, largest=7, most=4):
        draft, target = instance.drafts[0], instance.target
        sets, closed = instance.sets(), instance.closed_forms()
        for kind, value in closed.items():
            exact = optimum_by_subsets(sets[kind], target).acceptance
            worst.see(f"formula against all sets, {kind}", value - exact, tolerance=SEARCH_TOLERANCE)
        brute = _all_sets(draft, target, instance.num_drafts)
        worst.see("formula against p(A)^k summed out, i.i.d.", closed["i.i.d."] - brute)
        many = optimal_acceptance(draft, target, np.arange(1, instance.num_drafts + 1))
        worst.see("all k at once against one by one, i.i.d.", many[-1] - closed["i.i.d."])
        error = _certificate_error(draft, target, instance.num_drafts)
        worst.see("formula against the rational certificate, i.i.d.", error, method=Method.CERTIFICATE)
        proof = certify_without_replacement(draft, target, instance.distinct)
        _see_proof(worst, proof, "without replacement", closed["without replacement"], broken_control=closed["i.i.d."])
        mean = float(optimal_acceptance(instance.drafts.mean(axis=0), target, instance.num_drafts))
        _see_proof(
            worst, certify_different(instance.drafts, target), "different", closed["different"], broken_control=mean
        )
        broken_control = _likeliest_first(sets["i.i.d."], draft, target)
        worst.see("sets by p instead of by q/p, i.i.d.", broken_control - closed["i.i.d."], method=Method.CONTROL)
        broken_control = _likeliest_first(sets["without replacement"], draft, target)
        gap = broken_control - closed["without replacement"]
        worst.see("sets by p instead of by q/p, without replacement", gap, method=Method.CONTROL)
        worst.see("all drafts from their mean law, different", mean - closed["different"], method=Method.CONTROL)
    return Findings(worst.rows())


def certificates(context: CellContext, tokens: int) -> Findings:
    """Certify a vocabulary that no linear program could take."""
    worst = Worst(tokens=tokens, drafts="1, 4, 8")
    draft = softmax(3.0 * context.rng.normal(size=tokens))
    target = softmax(np.log(draft) + context.rng.normal(size=tokens))
    for count in (1, 4, 8):
        error = _certificate_error(draft, target, count)
        worst.see("formula against the rational certificate, i.i.d.", error, method=Method.CERTIFICATE)
    return Findings(worst.rows())


def order_certificates(context: CellContext, tokens: int) -> Findings:
    """Certify vocabularies whose sets cannot all be tried, for different drafts and without replacement."""
    worst = Worst(tokens=tokens, drafts="2, 4")
    base = 2.0 * context.rng.normal(size=tokens)
    drafts, target = softmax(base + context.rng.normal(size=(4, tokens))), softmax(base)
    for count in (2, 4):
        rows = drafts[:count]
        mean = float(optimal_acceptance(rows.mean(axis=0), target, count))
        found = optimal_acceptance_different(rows, target)
        _see_proof(worst, certify_different(rows, target), "different", found, broken_control=mean)
    proof = certify_without_replacement(drafts[0], target, 2)
    found = float(optimal_acceptance_without_replacement(drafts[0], target, 2))
    _see_proof(
        worst, proof, "without replacement", found, broken_control=float(optimal_acceptance(drafts[0], target, 2))
    )
    return Findings(worst.rows())


def suffixes(context: CellContext, instances: int) -> Findings:
    """Attack the inequality that makes suffixes optimal without replacement, in rational arithmetic.

    With F(A) the probability that all drafts are in A: [F(B+i) - F(B)] / p_i <= [F(B+i+j) - F(B+i)] / p_j for all B.
    The broken control claims more than that: that j alone, without i, gains as much.
    """
    slack, alone = [], []
    for weights, others, count in [UNEVEN, *(_random_race(context.rng) for _ in range(instances - 1))]:
        law = [Fraction(weight, sum(weights)) for weight in weights]
        none, first, second, both = (_contained(law, others.union(more), count) for more in ((), (0,), (1,), (0, 1)))
        slack.append(float((both - first) / law[1] - (first - none) / law[0]))
        alone.append(float((second - none) / law[1] - (first - none) / law[0]))
    least = _least("what j gains a unit of p after i, less what i did", slack, Method.ATTACK)
    return Findings([least, _least("what j gains alone, less what i did", alone, Method.CONTROL)])


def different(context: CellContext, instances: int) -> Findings:
    """Compare the search for different drafts with the minimum over all 2^14 sets, where it has to branch."""
    rng = context.rng
    worst = Worst(tokens=14, drafts="2..4")
    members = (np.arange(1 << 14)[:, np.newaxis] >> np.arange(14) & 1).astype(np.float64)
    for index in range(instances):
        drafts = dirichlet(14, float(rng.choice([0.1, 1.0, 10.0])), rng, 2 + index % 3)
        target = dirichlet(14, float(rng.choice([0.1, 1.0, 10.0])), rng)
        values = members @ target - (members @ drafts.T).prod(axis=1)
        found = optimal_acceptance_different(drafts, target)
        worst.see("search against all sets, different", found - (1.0 + values.min()), tolerance=SEARCH_TOLERANCE)
        inside = members[values.argmin()] == 1
        prices = np.array([np.delete(drafts[:, inside].sum(axis=1), row).prod() for row in range(len(drafts))])
        margin = prices @ drafts - target
        # Tokens on the wrong side of the plane, by how much: some are so close to it that a sum cannot tell.
        worst.see("the best set against its own plane", np.abs(margin[(margin > 0) != inside]).sum())
    fixed = PLAIN.closed_forms()["different"] - optimum_by_subsets(PLAIN.sets()["i.i.d."], PLAIN.target).acceptance
    worst.see("the first draft's law for all, different", fixed, method=Method.CONTROL)
    return Findings(worst.rows())


Race = tuple[list[int], frozenset[int], int]
"""Weights of the tokens, of which 0 is i and 1 is j; the set B; the number of drafts."""

UNEVEN: Race = ([8, 1, 1], frozenset({2}), 2)
"""The broken control's claim fails here: once the likely token 0 is drafted, others soon follow."""


def _random_race(rng: np.random.Generator) -> Race:
    """Draw 3 to 6 tokens with weights from nearly equal to far apart, and 2 to 4 drafts."""
    tokens = int(rng.integers(3, 7))
    weights = np.ceil(np.exp(float(rng.choice([1.0, 3.0, 9.0])) * rng.random(tokens))).astype(np.int64)
    others = frozenset(token for token in range(2, tokens) if rng.random() < 0.7)
    return weights.tolist(), others, int(rng.integers(2, min(tokens, 4) + 1))


def _contained(draft: list[Fraction], tokens: frozenset[int], count: int, gone: Fraction = Fraction(0)) -> Fraction:
    """F(A) without replacement: the first draft is in A, and so are the others, drawn from what is left."""
    if count == 0:
        return Fraction(1)
    return sum(
        (
            draft[token] / (1 - gone) * _contained(draft, tokens - {token}, count - 1, gone + draft[token])
            for token in tokens
        ),
        Fraction(0),
    )


def _least(quantity: str, values: list[float], method: Method) -> Evidence:
    return at_least(quantity, bound=0.0, estimate=min(values), tolerance=0.0, trials=len(values), method=method)


def _certificate_error(draft: Array, target: Array, num_drafts: int) -> float:
    proof = certify(draft, target, num_drafts)
    return float(proof.acceptance) - float(optimal_acceptance(draft, target, num_drafts)) if proof.is_proof else np.inf


def _see_proof(worst: Worst, proof: Bracket, kind: str, value: float, *, broken_control: float) -> None:
    """A proof's width, how far outside it the formula's value is, and how far that of other drafts."""
    width = float(proof.gap)
    worst.see(f"width of the rational bracket, {kind}", width, method=Method.CERTIFICATE, tolerance=WIDTH_TOLERANCE)
    outside, missed = (
        max(float(proof.lower) - found, found - float(proof.upper), 0.0) for found in (value, broken_control)
    )
    quantity = f"formula outside the rational bracket, {kind}"
    worst.see(quantity, outside, method=Method.CERTIFICATE, tolerance=SEARCH_TOLERANCE)
    worst.see(f"other drafts' value outside the rational bracket, {kind}", missed, method=Method.CONTROL)


def _all_sets(draft: Array, target: Array, num_drafts: int) -> float:
    subsets = chain.from_iterable(combinations(range(draft.size), size) for size in range(draft.size + 1))
    return min(float(1.0 + target[list(inside)].sum() - draft[list(inside)].sum() ** num_drafts) for inside in subsets)


def _likeliest_first(drafts: DraftSets, draft: Array, target: Array) -> float:
    """The least value of the sets of the k most probable tokens, k = 0..V."""
    rank = np.empty(draft.size, dtype=np.int64)
    rank[np.argsort(-draft)] = np.arange(draft.size)
    complete = np.array([rank[list(drawn)].max() for drawn in drafts.sets])
    emitted = [target[rank < size].sum() for size in range(draft.size + 1)]
    contained = [drafts.probability[complete < size].sum() for size in range(draft.size + 1)]
    return float((1.0 + np.array(emitted) - np.array(contained)).min())
