"""Products of marginal acceptance rates are not the probability to accept so many drafts."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.texts import SOURCE
from specproof.simulations.claims.texts.priced_rules import texts_of
from specproof.simulations.claims.worst import TOLERANCE, Worst
from specproof.simulations.evidence import Evidence, Method, at_least, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.chain import MarkovChain, random_markov_pair
from specproof.theory.distribution import Array
from specproof.theory.rejections import rejection_rates
from specproof.theory.sequences import accepted_length_law
from specproof.theory.texts import token_by_token

LENGTH = 8
"""Drafts a call on the chains whose gap is stated."""

STAYS = 0.95
"""With this probability a chain in runs stays where it is, and one that alternates goes to the other state."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "instances", instances_of_texts, {"instances": settings.sized(20, 400)}),
        Cell(CLAIM.id, "gap", gap),
    ]


CLAIM = Claim(
    "text.marginal-products",
    SOURCE,
    "The probability to accept l drafts is the mean of a product along the text, not the product of mean acceptances.",
    _cells,
)


def instances_of_texts(context: CellContext, instances: int) -> Findings:
    """Compare both with theory on random chains: the mean of products, and the product of means, from all texts."""
    rng = context.rng
    worst = Worst(states="2..3", length=3)
    for index in range(instances):
        draft, target = random_markov_pair(2 + index % 2, 4, rng, concentration=float(rng.choice([0.3, 1.0])))
        texts = texts_of(draft.tabulate(), target.tabulate(), 3)
        chance = texts.probability(texts.target)
        pairs = zip(texts.logprobs(texts.draft), texts.logprobs(texts.target), strict=True)
        weights = [token_by_token(ours, theirs, 3) for ours, theirs in pairs]
        accepted = chance @ np.array([reach[0] for reach in weights])
        law = accepted_length_law(draft, target, 1, 3, "single")
        worst.see("mean of products over all texts", np.abs(accepted - np.cumsum(law[::-1])[::-1]).max())
        # The chance of each single token is the weight of one draft after the tokens before it.
        rates = chance @ np.array([reach[:, 1] for reach in weights])
        worst.see("mean acceptance at each depth", np.abs(rates - (1.0 - rejection_rates(draft, target)[:3])).max())
        products = np.concatenate(([1.0], np.cumprod(rates)))
        worst.see("product of means in place of the mean", np.abs(accepted - products).max(), method=Method.CONTROL)
    return Findings(worst.rows())


def gap(_: CellContext) -> Findings:
    """State the gap on two chains with the same acceptance at each depth: easy tokens in runs, and by turns.

    From the second draft on half of the tokens are accepted for sure and the others with probability 1 - ``STAYS``,
    twice, so the product of means adds up to a geometric sum on both chains.
    """
    rows: list[Evidence] = []
    records: Records = []
    rate = 0.5 + (1.0 - STAYS)
    geometric = (1.0 - rate**LENGTH) / (1.0 - rate)
    for name, stays, sign in (("easy tokens in runs", STAYS, 1.0), ("easy tokens by turns", 1.0 - STAYS, -1.0)):
        draft, target = _easy_and_hard(stays)
        law = accepted_length_law(draft, target, 1, LENGTH, "single")
        accepted = np.cumsum(law[::-1])[::-1]
        products = np.concatenate(([1.0], np.cumprod(1.0 - rejection_rates(draft, target)[:LENGTH])))
        exact, mean, product = _by_overlaps(draft, target), float(accepted[1:].sum()), float(products[1:].sum())
        compare = partial(within, tolerance=TOLERANCE, states=2, length=LENGTH, chain=name)
        wrong = "accepted drafts a call, as the product of mean acceptances"
        rows += [
            compare("accepted drafts a call", exact=exact, estimate=mean),
            compare("accepted drafts a call less the product", exact=exact - geometric, estimate=mean - product),
            compare(wrong, exact=exact, estimate=product, method=Method.CONTROL),
            at_least(f"size of the gap, {name}", bound=0.5, estimate=sign * (mean - product), tolerance=0.0),
        ]
        records += _records(name, accepted, products)
    return Findings(rows, {"marginal_products": records})


def _records(name: str, accepted: Array, products: Array) -> Records:
    pairs = zip(accepted[1:], products[1:], strict=True)
    return [
        {"chain": name, "drafts": level, "accepted": float(mean), "product": float(product)}
        for level, (mean, product) in enumerate(pairs, start=1)
    ]


def _by_overlaps(draft: MarkovChain, target: MarkovChain) -> float:
    """The accepted drafts a call, by powers of the matrix of min(p, q)."""
    reached, found = np.minimum(draft.initial, target.initial), 0.0
    for _ in range(LENGTH):
        found += float(reached.sum())
        reached = reached @ np.minimum(draft.transitions, target.transitions)
    return found


def _easy_and_hard(stays: float) -> tuple[MarkovChain, MarkovChain]:
    """Two states, of which the draft knows what follows the first, and takes the second for it."""
    first, second = [stays, 1.0 - stays], [1.0 - stays, stays]
    start = [0.5, 0.5]
    return MarkovChain(start, [first, first], LENGTH + 1), MarkovChain(start, [first, second], LENGTH + 1)
