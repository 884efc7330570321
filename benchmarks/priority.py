"""The priority coupling: its build beside a bare sort, and beside solvers of the transport problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import ot
import scipy.sparse as sp
from scipy.sparse.csgraph import maximum_flow

from benchmarks.max_flow import network, push_relabel_apart
from benchmarks.timing import Comparison, best, best_in_turns
from specproof.simulations.claims.priority.hard_pairs import llm_shaped_pair
from specproof.simulations.language_models.pairs import load_pair
from specproof.simulations.language_models.prompts import encode, load_prompts
from specproof.simulations.language_models.walking import walk_target
from specproof.simulations.language_models.weights import smollm2_is_cached
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.priority import PrioritySampler
from specproof.theory.distribution import Array, as_pair, dirichlet
from specproof.theory.ratio import likelihood_ratio
from specproof.theory.transport import DraftSets, solve_membership_lp
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.priority import PriorityCoupling

LIMITS = {1_000: 0.3e-3, 32_000: 8e-3, 152_064: 45e-3, 262_144: 80e-3}
"""Seconds for one build at a vocabulary size, input checks included."""

QUOTED = {(1_000, 2): 35e-3, (10, 5): 70e-3}
"""Seconds that Global Resolution reports for (tokens, drafts): arXiv 2511.15898, another machine, tolerance 1e-3."""

AT_TOKENS = (1_000, 49_152, 152_064)
"""Vocabulary sizes at which the laws at given tokens are timed."""

POSITIONS = 6
"""Of a text, whose laws are built for."""

REAL_REPEATS = 30
"""Several laws are worked on in one call, so that fewer of the calls are undisturbed."""

SMALL = ((10, 2), (10, 3), (40, 2))

FLOW_UNIT = 2**-28
"""The maximum flow is one of integers of 32 bits: capacities are rounded to this."""


def compare() -> Iterator[Comparison]:
    """Time builds against their limits, a bare argsort, published figures and solvers, and selections."""
    rng = np.random.default_rng(0)
    yield from _builds(rng)
    yield from _real_builds(rng)
    yield from _at_tokens(rng)
    for (tokens, count), seconds in QUOTED.items():
        pair = llm_shaped_pair(rng, tokens)
        ours = best(partial(PriorityCoupling, *pair, count))
        yield Comparison(_what(tokens, count), ours, seconds, "Global Resolution, as published", 1.0)
    for tokens, count in SMALL:
        yield from _solvers(dirichlet(tokens, 1.0, rng), dirichlet(tokens, 1.0, rng), count)
    draft, target = llm_shaped_pair(rng, 152_064)
    coupling, drafts = PriorityCoupling(draft, target, 8), invert(draft, rng.random((1_000_000, 8)))
    seconds = best(lambda: PrioritySampler(coupling).select(drafts, rng), repeats=3)
    yield Comparison("priority, a million selections, k = 8", seconds, 1.0, "floor of a million a second", 1.0)


def _builds(rng: np.random.Generator) -> Iterator[Comparison]:
    for tokens, limit in LIMITS.items():
        draft, target = llm_shaped_pair(rng, tokens)
        argsort = partial(np.argsort, target / draft)
        for count in (2, 8):
            seconds, sort = best_in_turns([partial(PriorityCoupling, draft, target, count), argsort])
            yield Comparison(_what(tokens, count), seconds, limit, f"limit of {limit * 1e3:g} ms", 1.0)
            yield Comparison(_what(tokens, count), seconds, sort, "numpy.argsort of q/p alone", 0.0)


def _real_builds(rng: np.random.Generator) -> Iterator[Comparison]:
    """The laws of the default pair of language models along a text, one after another in one call of the clock."""
    if not smollm2_is_cached():  # nothing is fetched for a benchmark
        return
    models, prompts = load_pair(device="cpu"), load_prompts()[:1]
    steps = list(walk_target(models, encode(prompts, models.tokenizer), POSITIONS, rng))
    pairs = [(step.draft.cpu().numpy()[0], step.target.cpu().numpy()[0]) for step in steps]
    ratios = [likelihood_ratio(draft, target) for draft, target in pairs]
    works: dict[str, Callable[[Array, Array], object]] = {
        "priority coupling, k = 2": lambda draft, target: PriorityCoupling(draft, target, 2),
        "priority coupling, k = 8": lambda draft, target: PriorityCoupling(draft, target, 8),
        "priority coupling, k = 8, tolerance 1e-5": lambda draft, target: PriorityCoupling(draft, target, 8, 1e-5),
        "K-SEQ, its law, k = 8": lambda draft, target: kseq(draft, target, 8),
    }
    for name, work in works.items():
        ours, sort = best_in_turns([partial(_do_all, work, pairs), partial(_sort_all, ratios)], REAL_REPEATS)
        what = f"{name}, real laws, V = {ratios[0].size:,}"
        yield Comparison(
            what,
            ours / len(pairs),
            sort / len(pairs),
            f"numpy.argsort of q/p alone, mean of {len(pairs)} positions",
            0.0,
        )


def _at_tokens(rng: np.random.Generator) -> Iterator[Comparison]:
    """The coupling within a tolerance, and the laws of agreement at one token of a row for k = 1..8."""
    for tokens in AT_TOKENS:
        draft, target = (law[np.newaxis] for law in as_pair(*llm_shaped_pair(rng, tokens)))
        likely = np.argmax(target, axis=-1)
        argsort = partial(np.argsort, (target / draft)[0])
        near, sort = best_in_turns([partial(PriorityCoupling, draft, target, 8, 1e-5), argsort])
        yield Comparison(f"{_what(tokens, 8)}, tolerance 1e-5", near, sort, "numpy.argsort of q/p alone", 0.0)
        for name, rule in VERIFIERS.items():
            assert rule.agreement_at is not None
            seconds, sort = best_in_turns([partial(rule.agreement_at, draft, target, likely, 8), argsort])
            what = f"{name}, agreement at a token, V = {tokens:,}, k = 1..8"
            yield Comparison(what, seconds, sort, "numpy.argsort of q/p alone", 0.0)


def _sort_all(ratios: list[Array]) -> None:
    for ratio in ratios:
        np.argsort(ratio)


def _do_all(work: Callable[[Array, Array], object], pairs: list[tuple[Array, Array]]) -> None:
    for pair in pairs:
        work(*pair)


def _solvers(draft: Array, target: Array, num_drafts: int) -> Iterator[Comparison]:
    what = _what(draft.size, num_drafts)
    ours = best(lambda: PriorityCoupling(draft, target, num_drafts))
    highs = best(lambda: solve_membership_lp(draft, target, num_drafts), repeats=3)
    yield Comparison(what, ours, highs, "HiGHS, its simplex method", 20.0)
    # Posed outside what is timed.
    drafts = DraftSets.iid(draft, num_drafts)
    masses, cost = drafts.probability / drafts.probability.sum(), 1.0 - drafts.membership.toarray()
    pot = best(lambda: ot.emd(masses, target, cost, numItermax=10_000_000), repeats=3)
    yield Comparison(what, ours, pot, "POT, network simplex", 1.0)
    arcs = network(drafts, target)
    _, push = push_relabel_apart(arcs, repeats=3)
    yield Comparison(what, ours, push, "OR-Tools, maximum flow, 50 bits", 0.0)
    capacities = np.rint(arcs.capacities / FLOW_UNIT).astype(np.int32)
    graph = sp.csr_array((capacities, (arcs.tails, arcs.heads)), shape=(arcs.sink + 1, arcs.sink + 1))
    flow = best(lambda: maximum_flow(graph, 0, arcs.sink), repeats=3)
    yield Comparison(what, ours, flow, "SciPy, maximum flow (Dinic), 28 bits", 1.0)


def _what(tokens: int, num_drafts: int) -> str:
    return f"priority coupling, V = {tokens:,}, k = {num_drafts}"
