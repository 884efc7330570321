"""Recursive rejection is lossless, whether its drafts are drawn with or without replacement."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import named_pairs, random_pair
from specproof.simulations.claims.recursive import SOURCE
from specproof.simulations.claims.sampler_tests import TESTS_PER_PAIR, control_tests, selection_tests, token_test
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers import recursive, recursive_without_replacement
from specproof.simulations.samplers.distinct import draw_distinct
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection, replace_rejected
from specproof.theory.distribution import Array
from specproof.theory.transport import optimal_acceptance
from specproof.theory.transport.without_replacement import optimal_acceptance_without_replacement
from specproof.theory.verifiers.recursive import recursive_rejection
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement

SKEWED = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.4, 0.5])
"""A pair on which a wrong second step shows: the first draft is rejected half of the time."""

DRAFT_COUNTS = (2, 4)


def _cells(settings: Settings) -> list[Cell]:
    trials, tests = settings.sized(800_000, 20_000_000), TESTS_PER_PAIR * len(named_pairs())
    return [
        Cell(CLAIM.id, "exact", exact, {"instances": settings.sized(600, 20_000)}, cost=4),
        *(
            Cell(CLAIM.id, f"{name}-k{k}", function, {"num_drafts": k, "trials": trials}, tests, cost=3)
            for name, function in (("with", with_replacement), ("without", without_replacement))
            for k in DRAFT_COUNTS
        ),
    ]


CLAIM = Claim(
    "recursive.lossless",
    SOURCE,
    "Recursive rejection emits exactly q, with drafts drawn independently and with drafts drawn without replacement.",
    _cells,
)


def exact(context: CellContext, instances: int) -> Findings:
    """Compare both laws with the target and the optimum, and the one without replacement with all of its runs."""
    worst = Worst(tokens="1..5", drafts="1..4")
    for draft, target in [SKEWED, *(random_pair(context.rng, 5) for _ in range(instances))]:
        count = min(int(context.rng.integers(2, 5)), int(np.count_nonzero(draft)))
        replaced = recursive_rejection(draft, target, count)
        distinct = recursive_rejection_without_replacement(draft, target, count)
        best = optimal_acceptance(draft, target, count)
        best_distinct = optimal_acceptance_without_replacement(draft, target, count)
        worst.see("output law, with replacement", np.abs(replaced.output - target).max())
        worst.see("output law, without replacement", np.abs(distinct.output - target).max())
        worst.see("acceptance above the optimum, with replacement", np.maximum(replaced.acceptance - best, 0.0))
        worst.see(
            "acceptance above the optimum, without replacement", np.maximum(distinct.acceptance - best_distinct, 0.0)
        )
        output, acceptance = _all_runs(draft, target, count)
        worst.see("output law of all runs, without replacement", np.abs(output - target).max())
        worst.see("acceptance against that of all runs, without replacement", acceptance - distinct.acceptance)
        for name, broken in _BROKEN.items():
            output, _ = _all_runs(draft, target, count, **broken)
            worst.see(f"output law of all runs, {name}", np.abs(output - target).max(), method=Method.CONTROL)
    return Findings(worst.rows())


def with_replacement(context: CellContext, num_drafts: int, trials: int) -> Findings:
    """Run both forms of the sampler with independent drafts, and a broken control."""
    rng, level = context.rng, context.level
    rows: list[Evidence] = []
    for name, (draft, target) in named_pairs().items():
        law = recursive_rejection(draft, target, num_drafts)
        emitted = recursive.simulate(draft, target, num_drafts, trials, rng)
        rows += selection_tests(emitted, law, target, level, pair=name, k=num_drafts)
        drafts, uniforms = (
            invert(draft, rng.random((trials // 10, num_drafts))),
            rng.random((trials // 10, num_drafts + 1)),
        )
        emitted = recursive.verify(draft, target, drafts, uniforms)
        rows.append(token_test("emitted tokens, array form", emitted, target, level, pair=name, k=num_drafts))
    draft, target = SKEWED
    drafts, uniforms = draw_distinct(draft, 2, rng.random((trials, 3))), rng.random((trials, 3))
    broken_controls = {
        "drafts drawn without replacement all the same": recursive.verify(draft, target, drafts, uniforms)
    }
    return Findings(rows + control_tests(broken_controls, target, level, pair="skewed", k=2))


def without_replacement(context: CellContext, num_drafts: int, trials: int) -> Findings:
    """Run both forms of the sampler with distinct drafts, and broken controls that forget one of the two updates."""
    rng, level = context.rng, context.level
    rows: list[Evidence] = []
    for name, (draft, target) in named_pairs().items():
        count = min(num_drafts, int(np.count_nonzero(draft)))
        law = recursive_rejection_without_replacement(draft, target, count)
        emitted = recursive_without_replacement.simulate(draft, target, count, trials, rng)
        rows += selection_tests(emitted, law, target, level, pair=name, k=count)
        few = trials // 10
        drafts, uniforms = draw_distinct(draft, count, rng.random((few, draft.size))), rng.random((few, count + 1))
        emitted = recursive_without_replacement.verify(draft, target, drafts, uniforms)
        rows.append(token_test("emitted tokens, array form", emitted, target, level, pair=name, k=count))
    draft, target = SKEWED
    drafts, uniforms = draw_distinct(draft, 2, rng.random((trials, 3))), rng.random((trials, 3))
    broken_controls = {
        name: _broken_control(draft, target, drafts, uniforms, **broken) for name, broken in _BROKEN.items()
    }
    return Findings(rows + control_tests(broken_controls, target, level, pair="skewed", k=2))


_BROKEN = {
    "p not renormalised": {"renormalised": False},
    "residual of the target itself": {"chained": False},
}


def _all_runs(
    draft: Array, target: Array, num_drafts: int, *, renormalised: bool = True, chained: bool = True
) -> tuple[Array, float]:
    """Output law and acceptance, from every draft and outcome of the algorithm as written, or of a broken control."""
    output, acceptance = np.zeros_like(target), 0.0

    def follow(probability: float, proposal: Array, law: Array, drafts_left: int) -> None:
        nonlocal output, acceptance
        if not drafts_left:
            output += probability * law
            return
        drawn = proposal / proposal.sum()
        judged = drawn if renormalised else proposal
        following = _residual(judged, law if chained else target)
        for token in np.flatnonzero(drawn):
            accepted = min(1.0, law[token] / judged[token])
            output[token] += probability * drawn[token] * accepted
            acceptance += probability * drawn[token] * accepted
            if accepted < 1.0:
                rest = np.where(np.arange(draft.size) == token, 0.0, proposal)
                follow(probability * drawn[token] * (1.0 - accepted), rest, following, drafts_left - 1)

    follow(1.0, draft, target, num_drafts)
    return output, acceptance


def _broken_control(
    draft: Array, target: Array, drafts: Array, uniforms: Array, *, renormalised: bool = True, chained: bool = True
) -> Selection:
    """Run the array form with two drafts, as :func:`_all_runs` with the same mistakes."""
    first, second = drafts.T
    following = _residual(draft, target)
    rest = np.where(np.arange(draft.size) == first[:, np.newaxis], 0.0, draft)
    judged = rest / rest.sum(axis=-1, keepdims=True) if renormalised else rest
    last = np.maximum((following if chained else target) - judged, 0.0)
    rows = np.arange(len(drafts))
    kept_first = uniforms[:, 0] * draft[first] < target[first]
    kept_second = uniforms[:, 1] * judged[rows, second] < following[second]
    accepted = np.where(kept_first, 0, np.where(kept_second, 1, -1))
    tokens = np.where(kept_first, first, second)
    return Selection(replace_rejected(tokens, accepted >= 0, last, uniforms[:, 2]), accepted)


def _residual(proposal: Array, law: Array) -> Array:
    """[law - proposal]+, normalised; the law itself where nothing is left, which is never reached but by rounding."""
    excess = np.maximum(law - proposal, 0.0)
    total = excess.sum()
    return excess / total if total > 0 else law
