"""Reach weights: averaged over texts of the target they are the probabilities to accept so many drafts."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.texts import SOURCE
from specproof.simulations.claims.texts.priced_rules import PricedRule, priced_rules, texts_of
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.independent.calls_by_enumeration import reaching

Pair = tuple[TabularModel, TabularModel]


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(12, 240)}, cost=4),
        Cell(CLAIM.id, "degenerate", degenerate),
    ]


CLAIM = Claim(
    "text.reach-weights",
    SOURCE,
    "The reach weights of a text of the target have as mean the probability to accept so many drafts, for every rule.",
    _cells,
    formula=r"\mathbb{E}_{x\sim q}[v_l(x)]=\Pr(\text{at least } l \text{ drafts are accepted})",
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare weights of all texts with every rule enumerated, on random models that look at the whole history."""
    rng = context.rng
    worst = Worst(states="2..3", drafts="2..3", length="1..3")
    for index in range(instances):
        size, length = 2 + index % 2, 1 + index // 2 % 3
        pair = random_tabular_pair(size, length + 1, rng, concentration=float(rng.choice([0.3, 1.0, 3.0])))
        for name, rule in priced_rules(5 - size).items():
            compare(worst, name, rule, pair, length, with_control=True)
    return Findings(worst.rows())


def degenerate(_: CellContext) -> Findings:
    """Compare them where draft and target are equal, disjoint, without some tokens, of one token, or denormal."""
    worst = Worst(drafts=2, length=2)
    for pair in degenerate_pairs().values():
        for name, rule in priced_rules(2).items():
            compare(worst, name, rule, pair, 2, with_control=False)
    return Findings(worst.rows())


def compare(worst: Worst, name: str, rule: PricedRule, pair: Pair, length: int, *, with_control: bool) -> None:
    """Compare a rule's weights from the start with its enumerated call, prefix by prefix and in the mean."""
    texts = texts_of(*pair, length)
    chance, weights = texts.probability(texts.target), rule.reach(texts, length)[:, 0]
    accepted = reaching(rule.call(*pair, length=length))
    found = np.array([float(np.sum(part)) for part in accepted])
    worst.see(f"probability to accept so many drafts, {name}", np.abs(chance @ weights - found).max())
    for level, part in enumerate(accepted):
        prefix = tuple(texts.tokens[:, :level].T)
        given = texts.at_tokens(texts.target)[:, :level].prod(axis=-1)
        error = np.abs(part[prefix] - given * weights[:, level])
        worst.see(f"probability to accept these drafts, {name}", error.max())
    if with_control:
        drafted = texts.probability(texts.draft) @ weights
        quantity = f"weights averaged over texts of the draft, {name}"
        worst.see(quantity, np.abs(drafted - found)[1:].max(), method=Method.CONTROL)


def degenerate_pairs() -> dict[str, Pair]:
    """Pairs of models of three tokens or fewer at the edges of what a rule may meet."""
    rows = [[0.5, 0.25, 0.25], [0.125, 0.125, 0.75], [0.25, 0.5, 0.25]]
    usual = MarkovChain([0.25, 0.25, 0.5], rows, 3)
    sparse = MarkovChain([0.0, 0.5, 0.5], [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.25, 0.75, 0.0]], 3)
    tiny = MarkovChain([5e-324, 0.5, 0.5], [[1e-310, 0.5, 0.5]] * 3, 3)
    still, other = (MarkovChain(law, [law] * 2, 3) for law in ([1.0, 0.0], [0.0, 1.0]))
    one = MarkovChain([1.0], [[1.0]], 3)
    pairs = {
        "equal": (usual, usual),
        "target without some tokens": (usual, sparse),
        "draft without some tokens": (sparse, usual),
        "denormal draft": (tiny, usual),
        "disjoint": (still, other),
        "one token": (one, one),
    }
    return {name: (draft.tabulate(), target.tabulate()) for name, (draft, target) in pairs.items()}
