"""Pairs whose acceptances have closed forms: uniform laws on nested sets, and laws of two tokens."""

from __future__ import annotations

import math

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.distribution import bernoulli, total_variation, uniform
from specproof.theory.transport import optimal_acceptance
from specproof.theory.transport.without_replacement import optimal_acceptance_without_replacement
from specproof.theory.verifiers.kseq.factor import division_factor
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.recursive import recursive_rejection
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "uniform", uniform_pairs, {"tokens": settings.sized(120, 12_000)}),
        Cell(CLAIM.id, "two-tokens", two_tokens, {"instances": settings.sized(500, 20_000)}, cost=2),
    ]


CLAIM = Claim(
    "spectr2023.uniform-example",
    f"{SOURCE}, the example of section 3",
    "p uniform on d tokens and q on d/r of them: K-SEQ and recursive rejection reach the optimum, 1 - (1 - 1/r)^k.",
    _cells,
    formula=r"\alpha^*=1-\left(1-\frac{1}{r}\right)^k",
)


def uniform_pairs(_: CellContext, tokens: int) -> Findings:
    r"""Check :math:`1-(1-1/r)^k` for i.i.d. drafts and :math:`1 - \binom{d-d/r}{k} / \binom{d}{k}` for distinct ones.

    Every rule accepts whatever can be accepted, and the division factor is :math:`\rho^* = r (1-(1-1/r)^k)`.
    """
    worst = Worst(d=tokens, r="2, 3, 5, 10", k="1, 2, 5, 20")
    few = Worst(d=12, r="2, 3, 4", k="1, 2, 3")
    for ratio in (2, 3, 5, 10):
        draft, target = uniform(tokens), uniform(tokens, tokens // ratio)
        share = (tokens // ratio) / tokens
        for count in (1, 2, 5, 20):
            exact = 1.0 - (1.0 - share) ** count
            worst.see("optimum", optimal_acceptance(draft, target, count) - exact)
            worst.see("K-SEQ", kseq(draft, target, count).acceptance - exact)
            worst.see("rho*", division_factor(draft, target, count) - exact / share)
            worst.see("recursive rejection", recursive_rejection(draft, target, count).acceptance - exact)
            short = kseq(draft, target, count, rho=count).acceptance - exact
            worst.see("K-SEQ at rho = k", short, method=Method.CONTROL)
    for ratio in (2, 3, 4):
        draft, target = uniform(12), uniform(12, 12 // ratio)
        for count in (1, 2, 3):
            exact = 1.0 - math.comb(12 - 12 // ratio, count) / math.comb(12, count)
            rule = recursive_rejection_without_replacement(draft, target, count).acceptance
            few.see("recursive rejection without replacement", rule - exact)
            few.see("optimum without replacement", optimal_acceptance_without_replacement(draft, target, count) - exact)
    return Findings(worst.rows() + few.rows())


def two_tokens(context: CellContext, instances: int) -> Findings:
    r"""Check the closed forms for p = (x, 1-x) and q = (y, 1-y) with y >= x, where :math:`g(t) = 1-(1-t)^k`.

    The optimum is :math:`1 - [y - g(x)]_+` and recursive rejection accepts :math:`1 - (y-x)(1-x)^{k-1}`; two distinct
    drafts are all tokens. K-SEQ has an equation of degree k+1 for rho* given x and y, but none is needed the other way:
    for any :math:`0 \le x \le \beta \le 1` it accepts :math:`g(\beta)`, at :math:`\rho^* = g(\beta)/\beta`, where
    :math:`y = 1 - g(\beta)(1 - x/\beta)`.
    """
    worst = Worst(tokens=2, drafts="1..16")
    for x, y in np.sort(context.rng.random((instances, 2)), axis=-1):
        count = int(context.rng.integers(1, 17))
        draft, target = bernoulli(1.0 - x), bernoulli(1.0 - y)
        one, hit = 1.0 - (y - x), 1.0 - (1.0 - x) ** count
        best = optimal_acceptance(draft, target, count)
        worst.see("optimum", best - (1.0 - max(y - hit, 0.0)))
        found = recursive_rejection(draft, target, count).acceptance
        worst.see("recursive rejection", found - (1.0 - (y - x) * (1.0 - x) ** (count - 1)))
        both = recursive_rejection_without_replacement(draft, target, 2).acceptance
        worst.see("recursive rejection without replacement, k = 2", both - 1.0)
        worst.see("one draft", one - (1.0 - total_variation(draft, target)))
        worst.see("optimum as that of one draft", best - one, method=Method.CONTROL)
        # The same x, as a part of beta.
        beta = x + (1.0 - x) * y
        accepted = 1.0 - (1.0 - beta) ** count
        target = bernoulli(accepted * (1.0 - x / beta))
        worst.see("K-SEQ", kseq(draft, target, count).acceptance - accepted)
        worst.see("rho*", division_factor(draft, target, count) - accepted / beta)
    return Findings(worst.rows())
