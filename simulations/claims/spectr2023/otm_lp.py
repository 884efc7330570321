"""The best acceptance as a linear program, for drafts of every kind of law."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.spectr2023.draft_laws import Instance, draw_instances
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.independent.optimum_by_subsets import optimum_by_subsets
from specproof.theory.independent.plan_by_cvxpy import plan_by_cvxpy
from specproof.theory.transport import (
    DraftSets,
    MembershipPlan,
    bracket,
    optimal_acceptance,
    optimal_plan,
    solve_membership_lp,
)

LP_TOLERANCE = 1e-9
"""HiGHS is asked for feasibility to 1e-10 in each constraint."""

_REFERENCE_EVERY = 16
"""One instance in so many is also stated in cvxpy, whose own time is most of it; all have a proof in fractions."""

PER_BATCH = 101
"""Instances of a batch, the plain one and a hundred drawn at random: a thousand of these in a quick run's ten."""


def _cells(settings: Settings) -> list[Cell]:
    batches = range(settings.sized(10, 60))
    return [
        *(Cell(CLAIM.id, f"routes-{batch}", routes, {"instances": PER_BATCH}, cost=3) for batch in batches),
        Cell(CLAIM.id, "larger", larger, {"tokens": settings.sized(60, 300)}, cost=settings.sized(1, 20)),
        Cell(CLAIM.id, "example", example),
    ]


CLAIM = Claim(
    "spectr2023.otm-lp",
    f"{SOURCE}, section 3",
    "The best acceptance with k drafts of any joint law is the value of a linear program over sets of drafted tokens.",
    _cells,
    formula=r"\max_{\pi\ge 0}\ \sum_S\sum_{x\in S}\pi(S,x)\quad\text{with}\quad\sum_x\pi(S,x)\le P(S),\quad"
    r"\sum_S\pi(S,x)\le q(x)",
)


def routes(context: CellContext, instances: int) -> Findings:
    """Solve the program for every kind of drafts, and compare it with all that should give the same number."""
    worst = Worst(tokens="2..6", drafts="1..3")
    for index, instance in enumerate(draw_instances(context.rng, instances, largest=6, most=3)):
        closed, values = instance.closed_forms(), dict[str, float]()
        for kind, drafts in instance.sets(exact=True).items():
            plan = optimal_plan(drafts, instance.target)
            values[kind] = value = plan.acceptance
            worst.see(f"duality gap, {kind}", plan.gap, tolerance=LP_TOLERANCE)
            if kind in closed:
                worst.see(f"closed form, {kind}", value - closed[kind], tolerance=LP_TOLERANCE)
            exact = optimum_by_subsets(drafts, instance.target).acceptance
            worst.see(f"minimum over all sets, {kind}", value - exact, tolerance=LP_TOLERANCE)
            if index % _REFERENCE_EVERY == 0:
                stated = plan_by_cvxpy(drafts, instance.target).acceptance
                worst.see(f"program stated in cvxpy, {kind}", value - stated, tolerance=LP_TOLERANCE)
            proof = bracket(drafts, instance.target, plan)
            worst.see(
                f"width of the rational bracket, {kind}",
                float(proof.gap),
                method=Method.CERTIFICATE,
                tolerance=LP_TOLERANCE,
            )
        _see_merged(worst, instance, values["joint"])
        _see_controls(worst, instance, values)
    return Findings(worst.rows())


def larger(context: CellContext, tokens: int) -> Findings:
    """Solve programs with thousands of variables, and compare with the closed forms."""
    worst = Worst(tokens=tokens, drafts=2)
    laws = context.rng.dirichlet(np.ones(tokens), size=3)
    instance = Instance(laws[:2], np.outer(laws[0], laws[1]), laws[2])
    closed = instance.closed_forms()
    closed["joint"] = closed["different"]
    for kind, drafts in instance.sets().items():
        plan = optimal_plan(drafts, instance.target)
        worst.see(f"closed form, {kind}", plan.acceptance - closed[kind], tolerance=LP_TOLERANCE)
        worst.see(f"duality gap, {kind}", plan.gap, tolerance=LP_TOLERANCE)
    return Findings(worst.rows())


EXAMPLE_DRAFT = np.array([0.40, 0.25, 0.20, 0.10, 0.05])
EXAMPLE_TARGET = np.array([0.15, 0.20, 0.15, 0.30, 0.20])


def example(_: CellContext) -> Findings:
    """Tabulate the optimal plan of one small instance, for the figure."""
    plan = solve_membership_lp(EXAMPLE_DRAFT, EXAMPLE_TARGET, 2)
    exact = float(optimal_acceptance(EXAMPLE_DRAFT, EXAMPLE_TARGET, 2))
    worst = Worst(tokens=EXAMPLE_DRAFT.size, drafts=2)
    worst.see("closed form, i.i.d.", plan.acceptance - exact, tolerance=LP_TOLERANCE)
    worst.see("duality gap, i.i.d.", plan.gap, tolerance=LP_TOLERANCE)
    return Findings(worst.rows(), _tables(plan))


def _tables(plan: MembershipPlan) -> dict[str, Records]:
    """The plan by pairs (set, token in it), and its margins; sets of one token first."""
    order = sorted(range(len(plan.sets)), key=lambda index: (len(plan.sets[index]), plan.sets[index]))
    mass = plan.plan.toarray()[order]
    emitted = mass.sum(axis=0)
    pairs: Records = []
    sets: Records = []
    for row, index in enumerate(order):
        drawn, probability = plan.sets[index], float(plan.set_probability[index])
        accepted = float(mass[row].sum())
        name = "{" + ", ".join(str(token + 1) for token in drawn) + "}"
        sets.append(
            {"row": row, "set": name, "probability": probability, "accepted": accepted}
            | {"rejected": probability - accepted}
        )
        pairs += [{"row": row, "token": token + 1, "mass": float(mass[row, token])} for token in drawn]
    tokens: Records = [
        {"token": token + 1, "draft": float(EXAMPLE_DRAFT[token]), "target": float(EXAMPLE_TARGET[token])}
        | {"drafted": float(emitted[token]), "resampled": float(EXAMPLE_TARGET[token] - emitted[token])}
        | {"in_dual_set": bool(plan.dual_tokens[token] > 0.5), "acceptance": plan.acceptance}
        for token in range(EXAMPLE_TARGET.size)
    ]
    return {"plan": pairs, "sets": sets, "tokens": tokens}


def _see_merged(worst: Worst, instance: Instance, merged: float) -> None:
    """Merging draft tuples into sets loses nothing: ``merged`` is the optimum with them merged."""
    joint = instance.joint
    tuples = list(product(range(len(joint)), repeat=2))
    unmerged = DraftSets(
        len(joint), tuple(tuple(sorted(set(drawn))) for drawn in tuples), tuple(float(joint[drawn]) for drawn in tuples)
    )
    plain = optimal_plan(unmerged, instance.target)
    worst.see("draft tuples not merged, joint", merged - plain.acceptance, tolerance=LP_TOLERANCE)


def _see_controls(worst: Worst, instance: Instance, values: Mapping[str, float]) -> None:
    """Take drafts of one kind for drafts of another, given the optimum of each kind."""
    draft, target = instance.drafts[0], instance.target
    iid = float(optimal_acceptance(draft, target, instance.distinct))
    gap = values["without replacement"] - iid
    worst.see("distinct drafts taken for i.i.d. ones", gap, method=Method.CONTROL, tolerance=LP_TOLERANCE)
    mean = float(optimal_acceptance(instance.drafts.mean(axis=0), target, instance.num_drafts))
    gap = values["different"] - mean
    worst.see("different drafts taken for their mean", gap, method=Method.CONTROL, tolerance=LP_TOLERANCE)
    margins = DraftSets.of_different([instance.joint.sum(axis=1), instance.joint.sum(axis=0)])
    gap = values["joint"] - optimal_plan(margins, target).acceptance
    worst.see("joint drafts taken for independent", gap, method=Method.CONTROL, tolerance=LP_TOLERANCE)
