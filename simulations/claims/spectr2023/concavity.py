"""More drafts never hurt the optimum, and each helps less than the one before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from specproof.simulations.attack import minimise
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import named_pairs, random_pair, random_rows
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.worst import TOLERANCE, Least
from specproof.simulations.evidence import Method, at_least
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.distribution import Array, bernoulli, dirichlet, softmax, uniform, zipf
from specproof.theory.transport import certify, optimal_acceptance
from specproof.theory.transport.without_replacement import optimal_acceptance_without_replacement
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.recursive import recursive_rejection
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement
from specproof.theory.verifiers.single import maximal_coupling

MOST = 12
"""Drafts."""

BENT = np.array([0.02, 0.98]), np.array([0.04, 0.96])
"""A pair on which K-SEQ gains more from the third draft than from the second."""

FAMILY_TOKENS, FAMILY_DRAFTS = 12, 6
"""As many as all histories of rejected distinct drafts can be followed for."""

_DIRICHLET = 402
"""Seed of the Dirichlet pair: it is part of the claim's definition, not of a run."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "random", random, {"instances": settings.sized(500, 25_000)}, cost=2),
        Cell(CLAIM.id, "fractions", fractions, {"instances": settings.sized(100, 2_000)}, cost=2),
        Cell(CLAIM.id, "attack", attack, {"generations": settings.sized(40, 2_000)}, cost=2),
        Cell(CLAIM.id, "families", families, cost=2),
    ]


CLAIM = Claim(
    "spectr2023.concavity",
    f"{SOURCE}, section 3; Hu et al. 2025, arXiv 2502.18779",
    "The optimal acceptance with k i.i.d. drafts rises with k and is concave in k; that of K-SEQ need not be concave.",
    _cells,
    formula=r"\alpha^*_{k+1}-\alpha^*_k\ \le\ \alpha^*_k-\alpha^*_{k-1}",
)
r"""For a fixed set A, 1 + q(A) - p(A)^k rises with k and is concave, as its differences (1-p(A)) p(A)^k fall.

The optimum is the minimum of these over A, and a minimum of rising concave functions rises and is concave. Recursive
rejection is concave too: draft m+1 adds :math:`\sum_i \min(u_i, |u| p_i)` where u, what is left, only shrinks.
"""


def random(context: CellContext, instances: int) -> Findings:
    """Look at first and second differences of the exact acceptances of many pairs."""
    pairs = [*named_pairs().values(), BENT, *(random_rows(context.rng, tokens, instances) for tokens in (2, 3, 8, 40))]
    least = Least(tokens="1..40", drafts=f"1..{MOST}")
    for draft, target in pairs:
        instances, acceptances = draft.size // draft.shape[-1], _acceptances(draft, target)
        for rule, values in acceptances.items():
            least.see(f"least gain from one more draft, {rule}", np.diff(values, axis=-1), instances=instances)
        for rule, values in acceptances.items():
            method = Method.CONTROL if rule == "K-SEQ" else Method.IDENTITY
            least.see(f"least loss of gain, {rule}", -np.diff(values, 2, axis=-1), instances=instances, method=method)
    return Findings(least.rows())


def fractions(context: CellContext, instances: int) -> Findings:
    """Compare three neighbouring optima, each proved, without rounding."""
    least = Least(tokens="1..6", drafts="1..7")
    for _ in range(instances):
        draft, target = random_pair(context.rng, 6)
        count = int(context.rng.integers(1, 6))
        proofs = [certify(draft, target, count + step) for step in range(3)]
        first, second, third = (proof.acceptance for proof in proofs)
        proved = all(proof.is_proof for proof in proofs)
        found = float(min(second - first, 2 * second - first - third)) if proved else -np.inf
        # With one token, or equal laws, there is neither gain nor loss.
        for bound, method in ((0.0, Method.CERTIFICATE), (1.0, Method.CONTROL)):
            least.see("least gain, or loss of gain, in fractions", found, bound=bound, tolerance=0.0, method=method)
    return Findings(least.rows())


def attack(context: CellContext, generations: int) -> Findings:
    """Search for a gain that exceeds the one before, of the optimum and of K-SEQ, where there is one."""
    rows = []
    for rule, method in (("optimum", Method.ATTACK), ("K-SEQ", Method.CONTROL)):
        found = minimise(partial(_bends, rule=rule), -15.0, 0.0, 6, generations, context.rng)
        draft, target = (softmax(logits).tolist() for logits in np.split(found.point, 2))
        rows.append(
            at_least(
                f"least loss of gain found, {rule}",
                bound=0.0,
                estimate=found.value,
                tolerance=TOLERANCE,
                trials=found.evaluations,
                method=method,
                draft=draft,
                target=target,
            )
        )
    return Findings(rows)


def families(_: CellContext) -> Findings:
    """Tabulate the exact acceptance of every rule on a pair of each family, and compare it with its optimum."""
    records: Records = []
    for family, (draft, target) in _families().items():
        support = int(np.count_nonzero(draft))
        for count in range(1, FAMILY_DRAFTS + 1):
            laws = {"single": maximal_coupling(draft, target), "kseq": kseq(draft, target, count)}
            laws["recursive"] = recursive_rejection(draft, target, count)
            found = {rule: float(law.acceptance) for rule, law in laws.items()}
            found["optimal"] = float(optimal_acceptance(draft, target, count))
            if count <= support:
                distinct = recursive_rejection_without_replacement(draft, target, count)
                found["recursive_distinct"] = float(distinct.acceptance)
                found["optimal_distinct"] = float(optimal_acceptance_without_replacement(draft, target, count))
            about = {"family": family, "num_drafts": count}
            records += [about | {"rule": rule, "acceptance": value} for rule, value in found.items()]

    least = Least(families=len(_families()), drafts=f"1..{FAMILY_DRAFTS}")

    def see(better: str, worse: str, method: Method = Method.IDENTITY) -> None:
        gaps = [one["acceptance"] - other["acceptance"] for one, other in _matched(records, better, worse)]
        least.see(f"acceptance of {_NAMES[better]} minus that of {_NAMES[worse]}", np.array(gaps), method=method)

    for rule in ("single", "kseq", "recursive"):
        see("optimal", rule)
    see("optimal_distinct", "recursive_distinct")
    see("optimal_distinct", "optimal")
    see("optimal", "recursive_distinct", Method.CONTROL)
    return Findings(least.rows(), {"families": records})


_NAMES = {
    "single": "one draft",
    "kseq": "K-SEQ",
    "recursive": "recursive rejection",
    "recursive_distinct": "recursive rejection of distinct drafts",
    "optimal": "the optimum",
    "optimal_distinct": "the optimum of distinct drafts",
}


def _families() -> dict[str, tuple[Array, Array]]:
    rng = np.random.default_rng(_DIRICHLET)
    return {
        "Bernoulli, 0.2 and 0.7": (bernoulli(0.2), bernoulli(0.7)),
        f"Uniform on {FAMILY_TOKENS} and on 3 of them": (uniform(FAMILY_TOKENS), uniform(FAMILY_TOKENS, 3)),
        f"Zipf and uniform, {FAMILY_TOKENS} tokens": (zipf(FAMILY_TOKENS), uniform(FAMILY_TOKENS)),
        f"Dirichlet(0.5), {FAMILY_TOKENS} tokens": (
            dirichlet(FAMILY_TOKENS, 0.5, rng),
            dirichlet(FAMILY_TOKENS, 0.5, rng),
        ),
    }


def _matched(records: Records, first: str, second: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pair the records of two rules on the same family with the same number of drafts, where both have one."""
    by_place = {(record["rule"], record["family"], record["num_drafts"]): record for record in records}
    for (rule, *place), record in by_place.items():
        if rule == first and (second, *place) in by_place:
            yield record, by_place[second, *place]


def _acceptances(draft: Array, target: Array) -> dict[str, Array]:
    """Acceptances with 1..MOST drafts, on the last axis."""
    counts = range(1, MOST + 1)
    return {
        "optimum": optimal_acceptance(draft, target, list(counts)),
        "recursive rejection": np.stack([recursive_rejection(draft, target, k).acceptance for k in counts], axis=-1),
        "K-SEQ": np.stack([kseq(draft, target, k).acceptance for k in counts], axis=-1),
    }


def _bends(logits: Array, rule: str) -> Array:
    """The least loss of gain of each member of a population, shape (2 V, members)."""
    draft, target = (softmax(part) for part in np.split(logits.T, 2, axis=-1))
    bends: Array = -np.diff(_acceptances(draft, target)[rule], 2, axis=-1).max(axis=-1)
    return bends
