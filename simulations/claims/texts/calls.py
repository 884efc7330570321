"""Calls given a text: their expected number follows from the reach weights, as that of calls that are made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.texts import SOURCE
from specproof.simulations.claims.texts.priced_rules import TargetTexts, priced_rules, texts_of
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.blocks import simulate_blocks
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.sequences import Blocks, simulate
from specproof.simulations.statistics import check_mean
from specproof.theory.chain import MarkovChain, random_tabular_pair
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.independent.calls_by_enumeration import calls_by_enumeration
from specproof.theory.independent.sequences_by_enumeration import enumerable
from specproof.theory.sequences import block_efficiency, long_run
from specproof.theory.texts import call_starts, draft_sequences, expected_calls
from specproof.theory.verifiers import VERIFIERS

STATES, TOKENS = 3, 6
"""Texts of the simulated calls: so many that all can be weighed."""

DRAFTS, LENGTH = 2, 2
"""K and L of the simulated calls and of the long run."""

Sampled = Callable[..., Blocks]
"""``sampled(draft, target, trials=..., rng=...)``: independent calls from the start of two chains."""

FORGOTTEN, COUNTED = 100, 120
"""In the long run starts of calls count from here to there: by then the text's beginning changes no rate by 1e-9."""


def _cells(settings: Settings) -> list[Cell]:
    trials, texts = settings.sized(20_000, 1_000_000), settings.sized(10_000, 50_000)
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(6, 120)}, cost=4),
        *(
            Cell(CLAIM.id, f"simulation-{_short(rule)}", simulation, {"rule": rule, "trials": trials}, tests=1, cost=2)
            for rule in sampled()
        ),
        *(
            Cell(CLAIM.id, f"long-run-{name}", long_texts, {"verifier": name, "trials": texts}, tests=1, cost=2)
            for name in VERIFIERS
        ),
    ]


CLAIM = Claim(
    "text.calls",
    SOURCE,
    "Given a text its calls are a renewal process, whose steps follow from the reach weights of the text.",
    _cells,
    formula=r"\frac{\text{tokens}}{\text{calls}}=\frac{\sum_s S_s e_s}{\sum_s S_s},\qquad e_s=1+\sum_l v_l(s)",
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare with calls that follow each other, each enumerated, text by text, on models of the whole history."""
    rng = context.rng
    worst = Worst(states=2, tokens=3, drafts=2, length="1..2")
    for index in range(instances):
        length, tokens = 1 + index % 2, 3
        draft, target = random_tabular_pair(2, tokens + length, rng, concentration=float(rng.choice([0.3, 1.0, 3.0])))
        texts = texts_of(draft, target, tokens)
        chance, places = texts.probability(texts.target), tuple(texts.tokens.T)
        for name, rule in priced_rules(2).items():
            made = calls_by_enumeration(draft, target, tokens, partial(rule.call, length=length))
            reach = rule.reach(texts, length)
            found = np.array([expected_calls(weights) for weights in reach])
            worst.see(f"law of the texts that calls emit, {name}", np.abs(made.law[places] - chance).max())
            worst.see(f"calls of each text, {name}", np.abs(made.calls[places] - chance * found).max())
            worst.see(f"mean number of calls, {name}", made.calls.sum() - chance @ found)
            alike = tokens / float(chance @ reach[:, 0].sum(axis=-1))
            quantity = f"every call as long as the first, {name}"
            worst.see(quantity, made.calls.sum() - alike, method=Method.CONTROL)
    return Findings(worst.rows())


def simulation(context: CellContext, rule: str, trials: int) -> Findings:
    """Make calls with the sampler until texts are emitted, and compare their mean number with that of all texts."""
    level = context.level
    draft, target = _pair(TOKENS)
    texts = texts_of(draft.tabulate(), target.tabulate(), TOKENS)
    calls = simulated_calls(draft, target, trials, partial(sampled()[rule], rng=context.rng))
    rows = []
    for quantity, weighed, method in (
        ("number of calls", rule, Method.SIMULATION),
        ("number of calls, weights of another rule", "the draft's likeliest token", Method.CONTROL),
    ):
        exact = _mean_calls(texts, priced_rules(DRAFTS)[weighed].reach(texts, LENGTH))
        check = check_mean(calls, TOKENS // (LENGTH + 1), TOKENS, exact, level)
        instance = {"states": STATES, "tokens": TOKENS, "rule": rule, "drafts": DRAFTS, "length": LENGTH}
        rows.append(from_check(quantity, check, level=level, resolution=0.1, method=method, **instance))
    return Findings(rows)


def sampled() -> dict[str, Sampled]:
    """The samplers of calls, by the names that their rules have in :func:`priced_rules`."""
    found: dict[str, Sampled] = {
        f"draft sequences, {name}": partial(simulate, num_drafts=DRAFTS, length=LENGTH, verifier=sampler)
        for name, sampler in SAMPLERS.items()
        if name in enumerable()
    }
    return {"block verification": partial(simulate_blocks, length=LENGTH), **found}


def long_texts(context: CellContext, verifier: str, trials: int) -> Findings:
    """Sample texts of a chain: late in them calls start at the rate of one over the tokens per call in the long run."""
    level = context.level
    draft, target = _pair(LENGTH + 1)
    text = np.zeros((trials, COUNTED + LENGTH + 1), dtype=np.int64)
    for place in range(1, text.shape[1]):
        text[:, place] = invert(target.transitions[text[:, place - 1]], context.rng.random(trials))
    steps, logprobs = _along(draft, target, text, verifier)
    reach = draft_sequences(steps, logprobs, DRAFTS, LENGTH).reshape(trials, -1, LENGTH + 1)[:, :COUNTED]
    late = np.array([call_starts(weights)[FORGOTTEN:].mean() for weights in reach])
    running = long_run(draft, target, DRAFTS, LENGTH, verifier).efficiency
    start = block_efficiency(draft, target, DRAFTS, LENGTH, verifier, _stationary(target))
    instance = {"states": STATES, "verifier": verifier, "drafts": DRAFTS, "length": LENGTH}
    rows = []
    for quantity, efficiency, method in (
        ("calls per token in the long run", running, Method.SIMULATION),
        ("calls per token, contexts of calls as those of tokens", start, Method.CONTROL),
    ):
        check = check_mean(late, 0.0, 1.0, 1.0 / efficiency, level)
        rows.append(from_check(quantity, check, level=level, resolution=0.03, method=method, **instance))
    return Findings(rows)


def _short(rule: str) -> str:
    return rule.split(", ")[-1].replace(" ", "-")


def simulated_calls(draft: MarkovChain, target: MarkovChain, trials: int, call: Sampled) -> Array:
    """Let calls follow each other from the start of a chain until ``TOKENS`` are emitted; how many it took, each time.

    The calls of all texts that stand at one last token are drawn together, from the chain that goes on from there.
    """
    position, calls = np.zeros(trials, dtype=np.int64), np.zeros(trials)
    last = np.full(trials, -1)
    while (running := position < TOKENS).any():
        came = last.copy()
        for context in np.unique(came[running]):
            here = np.flatnonzero(running & (came == context))
            proposal, law = (_from(chain, int(context)) for chain in (draft, target))
            blocks = call(proposal, law, trials=here.size)
            position[here] += blocks.accepted + 1
            last[here] = blocks.tokens[np.arange(here.size), blocks.accepted]
        calls[running] += 1
    return calls


def _from(chain: MarkovChain, context: int) -> MarkovChain:
    """The chain of a call after a last token, or at the start of the text where that is -1."""
    start = chain.initial if context < 0 else chain.transitions[context]
    return MarkovChain(start, chain.transitions, LENGTH + 1)


def _mean_calls(texts: TargetTexts, reach: Array) -> float:
    return float(texts.probability(texts.target) @ np.array([expected_calls(weights) for weights in reach]))


def _along(draft: MarkovChain, target: MarkovChain, text: NDArray[np.int64], verifier: str) -> tuple[Array, Array]:
    """Agreement laws and log-probabilities of all tokens but the first of each text, one text after the other."""
    before, after = text[:, :-1].reshape(-1), text[:, 1:].reshape(-1)
    agreement = np.zeros((STATES, STATES, DRAFTS, DRAFTS))
    for k in range(1, DRAFTS + 1):
        agreement[..., k - 1, :k] = VERIFIERS[verifier].agreement(draft.transitions, target.transitions, k)
    return agreement[before, after], np.log(target.transitions[before, after])


def _stationary(chain: MarkovChain) -> Array:
    law: Array = np.linalg.matrix_power(chain.transitions, 1000)[0]
    return law


def _pair(horizon: int) -> tuple[MarkovChain, MarkovChain]:
    """A target that stays where it is, and a draft that knows it after one state and hardly after the others."""
    rng = np.random.default_rng(STATES)
    rows = 0.6 * np.eye(STATES) + 0.4 * dirichlet(STATES, 1.0, rng, STATES)
    known = np.vstack((rows[:1], 0.1 * rows[1:] + 0.9 * dirichlet(STATES, 1.0, rng, STATES - 1)))
    start = np.full(STATES, 1.0 / STATES)
    return MarkovChain(start, known, horizon), MarkovChain(start, rows, horizon)
