"""The sets of the priority coupling tile [0, 1], each of the length p of its token."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.priority import SOURCE
from specproof.simulations.claims.priority.hard_pairs import adversarial_pair, llm_shaped_pair
from specproof.simulations.claims.priority.lossless import ANY_DRAFT_COUNT
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method, at_least
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.independent.tiling_by_fractions import tiling_by_fractions
from specproof.theory.rationals import as_fractions
from specproof.theory.verifiers.priority import Intervals, PriorityCoupling

PICTURE = (np.array([0.3, 0.1, 0.15, 0.25, 0.2]), np.array([0.015, 0.06, 0.14, 0.265, 0.52]))
"""Five tokens whose coupling for three drafts has all that there can be: thinned, split, split twice, held down."""

PICTURE_DRAFTS = 3


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "intervals", intervals, {"instances": settings.sized(8000, 100_000)}, cost=4),
        Cell(CLAIM.id, "large", large, {"tokens": settings.sized(152_064, 262_144)}, cost=2),
        Cell(CLAIM.id, "rational", rational, {"instances": settings.sized(60, 1000)}, cost=3),
        Cell(CLAIM.id, "picture", picture),
    ]


CLAIM = Claim(
    "priority.tiling",
    SOURCE,
    "The tokens' sets are disjoint, cover [0, 1] and have lengths p, in fewer than 2V intervals.",
    _cells,
    formula=r"\bigcup_x S_x=[0,1],\qquad |S_x|=p(x)",
)


def intervals(context: CellContext, instances: int) -> Findings:
    """Measure overlaps, gaps and lengths on pairs made to break it, and on a broken control that does not step over."""
    rng = context.rng
    worst, spare = Worst(tokens="1..60", drafts=", ".join(map(str, ANY_DRAFT_COUNT))), np.inf
    for _ in range(instances):
        draft, target = adversarial_pair(rng, 60)
        count = int(rng.choice(ANY_DRAFT_COUNT))
        coupling = PriorityCoupling(draft, target, count)
        _see_tiling(worst, coupling)
        spare = min(spare, float(2 * np.count_nonzero(coupling.draft) - coupling.intervals.lengths.size))
    draft, target = (dirichlet(30, 1.0, rng) for _ in range(2))
    worst.see("overlap, not stepping over what was taken", _misfit(_alone(draft, target, 3)), method=Method.CONTROL)
    return Findings([*worst.rows(), _spare(spare, instances)])


def large(context: CellContext, tokens: int) -> Findings:
    """Measure the same at the vocabulary size of language models."""
    worst, spare = Worst(tokens=tokens, drafts="2, 8"), np.inf
    for count in (2, 8):
        coupling = PriorityCoupling(*llm_shaped_pair(context.rng, tokens), count)
        _see_tiling(worst, coupling)
        spare = min(spare, 2 * tokens - coupling.intervals.lengths.size)
    return Findings([*worst.rows(), _spare(spare, 2)])


def rational(context: CellContext, instances: int) -> Findings:
    """Compare the rates with those of the same cuts in rational numbers."""
    rng = context.rng
    worst = Worst(tokens="1..6", drafts="1..3")
    for _ in range(instances):
        size, count = int(rng.integers(1, 7)), int(rng.integers(1, 4))
        coupling = PriorityCoupling(dirichlet(size, 0.5, rng), dirichlet(size, 0.5, rng), count)
        draft, target = (as_fractions(row) for row in (coupling.draft, coupling.target))
        exact = np.array([float(rate) for rate in tiling_by_fractions(draft, target, count).rates])
        # A pair of tokens may change places where rounding cannot tell which comes first: the sums do not see it.
        worst.see("acceptance against rational cuts", coupling.rates.sum() - exact.sum())
        worst.see("rates against rational cuts", np.abs(coupling.rates - exact).max(), tolerance=1e-9)
        short = np.array([float(rate) for rate in tiling_by_fractions(draft, target, count + 1).rates])
        worst.see("rates against rational cuts for one draft more", np.abs(short - exact).max(), method=Method.CONTROL)
    return Findings(worst.rows())


def picture(_: CellContext) -> Findings:
    """Tabulate one coupling for the figure: the density over each interval, and the rates beside the target."""
    coupling = PriorityCoupling(*PICTURE, PICTURE_DRAFTS)
    found = coupling.intervals
    profile: Records = []
    for entry, (start, length, token) in enumerate(zip(found.starts, found.lengths, found.tokens, strict=True)):
        for point in np.linspace(start, start + length, 40):
            density = PICTURE_DRAFTS * point ** (PICTURE_DRAFTS - 1)
            kept = density * coupling.thinning[token]
            place = {"interval": entry, "token": int(token), "priority": float(point), "num_drafts": PICTURE_DRAFTS}
            profile.append({**place, "density": float(density), "kept": float(kept)})
    tokens: Records = [
        {
            "token": token,
            "draft": float(p),
            "target": float(q),
            "rate": float(r),
            "acceptance": float(coupling.acceptance),
        }
        for token, (p, q, r) in enumerate(zip(coupling.draft, coupling.target, coupling.rates, strict=True))
    ]
    return Findings(tables={"profile": profile, "tokens": tokens})


def _see_tiling(worst: Worst, coupling: PriorityCoupling) -> None:
    found = coupling.intervals
    owned = np.bincount(found.tokens, weights=found.lengths, minlength=coupling.draft.size)
    worst.see("overlap or gap between neighbours", _misfit(found))
    worst.see("length of a token's set against p", np.abs(owned - coupling.draft).max())
    worst.see("end of the highest interval against 1", (found.starts + found.lengths).max() - 1.0)
    worst.see("length of a set against q", np.abs(owned - coupling.target).max(), method=Method.CONTROL)


def _misfit(found: Intervals) -> float:
    """The most that any interval overlaps the one above it, or leaves between them."""
    order = np.lexsort((found.lengths, found.starts))
    starts, lengths = found.starts[order], found.lengths[order]
    return float(np.abs(starts[1:] - (starts + lengths)[:-1]).max(initial=starts[0]))


def _alone(draft: Array, target: Array, num_drafts: int) -> Intervals:
    """Place each token as if it were the only one: where its interval has mass q, or as near as that can be."""
    middle = np.power(target / (num_drafts * draft), 1.0 / (num_drafts - 1))
    starts = np.clip(middle - 0.5 * draft, 0.0, 1.0 - draft)
    return Intervals(starts, draft, np.arange(draft.size), np.array([0, draft.size]))


def _spare(fewest: float, instances: int) -> Evidence:
    """Record how far the number of intervals stays below 2V."""
    quantity = "fewest intervals short of twice the drafted tokens"
    return at_least(quantity, bound=1.0, estimate=float(fewest), tolerance=0.0, trials=instances)
