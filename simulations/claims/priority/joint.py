"""The priority coupling inside draft sequences: the joint law of what a block emits is exactly the target's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_rows
from specproof.simulations.claims.priority import SOURCE
from specproof.simulations.claims.spectr2023.sequences_lossless import joint_law_tests
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.inversion import AnyArray, invert
from specproof.simulations.samplers.priority import verify
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.sequences import Survivors, agreeing
from specproof.theory.chain import MarkovChain, TabularModel
from specproof.theory.draft_length import expected_tokens
from specproof.theory.independent.sequences_by_enumeration import completed, sequences_by_enumeration
from specproof.theory.sequences import accepted_length_law
from specproof.theory.verifiers import VERIFIERS

NAME = "priority"

SIZES = ((2, 2, 3), (2, 3, 3), (2, 4, 2), (3, 2, 3), (3, 3, 2), (4, 2, 2))
"""(V, K, L) that are enumerated: up to 4096 sets of draft sequences in seconds, with one to K of them left a level."""

DRAFTS, LENGTH = 4, 2
"""Blocks whose joint law is tested by simulation."""


def _cells(settings: Settings) -> list[Cell]:
    trials = settings.sized(200_000, 10_000_000)
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(8, 160)}, cost=6),
        Cell(CLAIM.id, "simulation", simulation, {"trials": trials}, tests=1, cost=6),
    ]


CLAIM = Claim(
    "priority.joint",
    f"{SOURCE}; inside the draft sequences of Sun et al. 2023, arXiv 2310.15141, Algorithm 3",
    "A priority coupling at each level of SpecTr's draft sequences, made for those that are left, emits exactly q.",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Follow every set of drafts through every level, on full-history models that often have zeros."""
    worst = Worst(sizes=", ".join(f"V={v} K={k} L={n}" for v, k, n in SIZES))
    for size, count, length in SIZES:
        for draft, target in _tabular_pairs(size, length + 1, context.rng, instances):
            blocks = sequences_by_enumeration(draft, target, count, length, NAME)
            worst.see("joint law of block and continuation", np.abs(completed(blocks, target) - target.joint()).max())
            law = np.array([block.sum() for block in blocks])
            worst.see(
                "law of the accepted length against the recursion",
                np.abs(accepted_length_law(draft, target, count, length, NAME) - law).max(),
            )
            broken_control = np.abs(completed(blocks, draft) - target.joint()).max()
            worst.see("joint law when the draft goes on in place of the target", broken_control, method=Method.CONTROL)
            first = float(VERIFIERS[NAME].law(draft.conditionals[0], target.conditionals[0], count).acceptance)
            tokens = float(law @ np.arange(1, length + 2))
            alike = expected_tokens(first, length) - tokens
            worst.see("tokens if K drafts were left at every level", alike, method=Method.CONTROL)
    return Findings(worst.rows())


def simulation(context: CellContext, trials: int) -> Findings:
    """Test the joint law of the sampler, and of three rules that each break one assumption."""
    rules = {"": (verify, agreeing), **_broken_controls(context.rng)}
    return Findings(joint_law_tests(tested_pair(), DRAFTS, LENGTH, NAME, rules, trials, context.rng, context.level))


def tested_pair() -> tuple[MarkovChain, MarkovChain]:
    """Rows with a token that is thinned, one whose set is split in two, and one that the draft never proposes."""
    draft_row, target_row = np.array([0.25, 0.5, 0.25, 0.0]), np.array([0.12, 0.28, 0.5, 0.1])
    rows = [np.stack([np.roll(row, shift) for shift in range(4)]) for row in (draft_row, target_row)]
    draft, target = (MarkovChain(row[0], row, LENGTH + 1) for row in rows)
    return draft, target


def _tabular_pairs(
    size: int, horizon: int, rng: np.random.Generator, instances: int
) -> list[tuple[TabularModel, TabularModel]]:
    shapes = [(size,) * index for index in range(horizon)]
    pairs = []
    for _ in range(instances):
        tables = [random_rows(rng, size, size**index) for index in range(horizon)]
        draft, target = (
            TabularModel(
                [rng.permutation(table).reshape(*shape, size) for table, shape in zip(side, shapes, strict=True)]
            )
            for side in zip(*tables, strict=True)
        )
        pairs.append((draft, target))
    return pairs


def _broken_controls(rng: np.random.Generator) -> Mapping[str, tuple[SelectionSampler, Survivors]]:
    def shared(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
        earlier = drafts[:, :, np.newaxis] == drafts[:, np.newaxis, :]
        priorities = np.take_along_axis(uniforms, earlier.argmax(axis=-1), axis=-1)
        return verify(draft, target, drafts, np.concatenate([priorities, uniforms[:, -1:]], axis=-1))

    def for_all(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
        """Cut the sets for K drafts whatever is left, as a table made once for a prefix would be."""
        left = drafts.shape[1]
        places = np.arange(DRAFTS) % left
        cut = np.concatenate((uniforms[:, :-1][:, places], uniforms[:, -1:]), axis=1)
        tokens, accepted = verify(draft, target, drafts[:, places], cut)
        return Selection(tokens, np.where(accepted < 0, -1, places[accepted]))

    def from_target(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
        tokens, accepted = verify(draft, target, drafts, uniforms)
        return Selection(np.where(accepted < 0, invert(target, rng.random(tokens.shape)), tokens), accepted)

    return {
        "copies of a token share one priority": (shared, agreeing),
        "sets cut for K drafts at every level": (for_all, agreeing),
        "rejections resampled from the target": (from_target, agreeing),
    }
