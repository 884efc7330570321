"""Priority layer verification beside the priority coupling level by level: one whole round at full vocabulary."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Comparison
from specproof.simulations.claims.priority.hard_pairs import llm_shaped_pair
from specproof.simulations.samplers import priority, priority_layers
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.sequences import agreeing, verify_level
from specproof.theory.distribution import Array
from specproof.theory.trees.layer_tree import LayerTree

TOKENS, NUM_DRAFTS, LENGTH = 49_152, 4, 4
ROUNDS = 24
"""Drafted trees that both rules verify in turn; how many sequences agree, and how far, differs from one to another."""

LEAST = 1 / 1.5
"""A round may take at most one and a half times what it takes level by level."""


def compare() -> Iterator[Comparison]:
    """Time rounds of the same drafted trees, tilings included, after one that compiles."""
    rng = np.random.default_rng(0)
    seconds = np.array([_round(rng) for _ in range(ROUNDS + 1)])[1:]
    ours, theirs = seconds.mean(axis=0)
    what = f"priority layer verification, V = {TOKENS:,}, K = {NUM_DRAFTS}, L = {LENGTH}"
    yield Comparison(what, ours, theirs, "priority coupling level by level", LEAST)


def _round(rng: np.random.Generator) -> tuple[float, float]:
    """Draft a tree, verify it both ways and give the seconds of either."""
    draft, target, drafts = _drafted(rng)
    tree, uniforms = LayerTree.sequences(NUM_DRAFTS, LENGTH), rng.random((1, LENGTH + 1))
    start = time.perf_counter()
    priority_layers.verify(draft, target, drafts, uniforms, tree)
    between = time.perf_counter()
    _level_by_level(draft, target, drafts, rng)
    return between - start, time.perf_counter() - between


def _drafted(rng: np.random.Generator) -> tuple[Array, Array, NDArray[np.int64]]:
    """Draw sequences, each context with laws of its own."""
    drafts = np.empty((1, NUM_DRAFTS * LENGTH), dtype=np.int64)
    rows = np.empty((2, 1, NUM_DRAFTS * LENGTH + 1, TOKENS))
    known: dict[tuple[int, ...], tuple[Array, Array]] = {}
    begun: list[tuple[int, ...]] = [()] * NUM_DRAFTS
    for row in range(NUM_DRAFTS * LENGTH + 1):
        context = begun[(row - 1) % NUM_DRAFTS] if row else ()
        if context not in known:
            known[context] = llm_shaped_pair(rng, TOKENS)
        rows[:, 0, row] = known[context]
        for sequence in range(NUM_DRAFTS) if not row else [(row - 1) % NUM_DRAFTS]:
            place = sequence if not row else row - 1 + NUM_DRAFTS
            if place < drafts.size:
                drafts[0, place] = invert(rows[0, 0, row], rng.random(1))[0]
                begun[sequence] += (int(drafts[0, place]),)
    return rows[0], rows[1], drafts


def _level_by_level(draft: Array, target: Array, drafts: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Do what the decoding loop does with the tree, to the first rejection or the bonus token."""
    alive, row = np.ones((1, NUM_DRAFTS), dtype=np.bool_), 0
    for level in range(LENGTH):
        tokens, uniforms = drafts[:, level * NUM_DRAFTS :][:, :NUM_DRAFTS], rng.random((1, NUM_DRAFTS + 1))
        found = verify_level(draft[:, row], target[:, row], tokens, alive, uniforms, priority.verify)
        if found.accepted[0] < 0:
            return
        alive = agreeing(alive, tokens, found)
        row = 1 + level * NUM_DRAFTS + int(alive[0].argmax())
    invert(target[:, row], rng.random(1))
