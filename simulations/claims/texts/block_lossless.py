"""Block verification emits the target's joint law, and never accepts less than one token after the other."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.texts.reach_weights import degenerate_pairs
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.blocks import simulate_blocks
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import or_target
from specproof.simulations.samplers.sequences import complete
from specproof.simulations.samplers.whole_blocks import Block, verify
from specproof.simulations.statistics import check_law
from specproof.theory.blocks import block_verification
from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.independent.blocks_by_enumeration import blocks_by_enumeration
from specproof.theory.independent.calls_by_enumeration import reaching
from specproof.theory.independent.sequences_by_enumeration import completed, sequences_by_enumeration

Pair = tuple[TabularModel, TabularModel]


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(30, 600)}, cost=3),
        Cell(CLAIM.id, "degenerate", degenerate),
        Cell(CLAIM.id, "simulation", simulation, {"trials": settings.sized(100_000, 2_000_000)}, tests=2),
    ]


CLAIM = Claim(
    "block.lossless",
    "Sun et al. 2024, arXiv 2403.10444, Algorithm 2",
    "Block verification emits the target's joint law; no length is less likely than token by token.",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Enumerate blocks of random models that look at the whole history, and of one on which the control is plain."""
    rng = context.rng
    worst, least = Worst(states="2..4", length="1..3"), Least(states="2..4", length="1..3")
    for index in range(instances):
        size, length = 2 + index % 3, 1 + index // 3 % 3
        pair = random_tabular_pair(size, length + 1, rng, concentration=float(rng.choice([0.3, 1.0, 3.0])))
        _compare(worst, least, pair, length)
        _broken(worst, pair, length)
    _broken(worst, plain_pair(), 2)
    return Findings(worst.rows() + least.rows())


def degenerate(_: CellContext) -> Findings:
    """Enumerate blocks where draft and target are equal, disjoint, without some tokens, of one token, or denormal."""
    worst, least = Worst(length=2), Least(length=2)
    for pair in degenerate_pairs().values():
        _compare(worst, least, pair, 2)
    return Findings(worst.rows() + least.rows())


def simulation(context: CellContext, trials: int) -> Findings:
    """Draw blocks with the sampler and test the joint law of what is emitted, and the accepted length."""
    level, rng = context.level, context.rng
    draft, target = plain_chains()
    exact = np.array([block.sum() for block in blocks_by_enumeration(draft.tabulate(), target.tabulate(), 2)])
    joint = target.tabulate().joint()
    blocks = simulate_blocks(draft, target, 2, trials, rng)
    broken = simulate_blocks(draft, target, 2, trials, rng, with_one_token_residual)
    test = partial(from_check, level=level, resolution=0.02, states=3, length=2)
    rows = [test("accepted length", check_law(blocks.accepted, exact, level))]
    for quantity, found, method in (
        ("joint law of what is emitted", blocks, Method.SIMULATION),
        ("joint law, the residual of one token after the accepted part", broken, Method.CONTROL),
    ):
        numbers = np.ravel_multi_index(tuple(complete(found, target, rng).T), joint.shape)
        rows.append(test(quantity, check_law(numbers, joint.reshape(-1), level), method=method))
    return Findings(rows)


def with_one_token_residual(draft: Array, target: Array, drafts: NDArray[np.int64], uniforms: Array) -> Block:
    """Keep as much of each block as the rule does, and draw the token after it from [q - p]+: the control."""
    accepted = verify(draft, target, drafts, uniforms).accepted
    rows, length = np.arange(len(drafts)), drafts.shape[1]
    law, proposal = target[rows, accepted], draft[rows, np.minimum(accepted, length - 1)]
    after = or_target(np.maximum(law - proposal, 0.0), law)
    return Block(accepted, invert(np.where((accepted < length)[:, np.newaxis], after, law), uniforms[:, -1]))


def plain_chains() -> tuple[MarkovChain, MarkovChain]:
    """After token 0, of weight 1/2, one token alone has w q > p, and two tokens have q > p."""
    draft = MarkovChain([0.6, 0.2, 0.2], [[0.1, 0.3, 0.6]] * 3, 3)
    return draft, MarkovChain([0.3, 0.35, 0.35], [[0.5, 0.4, 0.1]] * 3, 3)


def plain_pair() -> Pair:
    """The plain chains as tables."""
    draft, target = plain_chains()
    return draft.tabulate(), target.tabulate()


def _compare(worst: Worst, least: Least, pair: Pair, length: int) -> None:
    draft, target = pair
    made = blocks_by_enumeration(draft, target, length)
    worst.see("joint law of what is emitted", np.abs(completed(made, target) - _prefix(target, length + 1)).max())
    stated, weights = _stated(pair, length)
    for ours, theirs in zip(stated, made, strict=True):
        worst.see("law of a call, against the algorithm enumerated", np.abs(ours - theirs).max())
    accepted = np.array([float(np.sum(part)) for part in reaching(made)])
    worst.see("expected accepted length, as the sum of mean weights", accepted[1:].sum() - weights[1:].sum())
    alone = [float(np.sum(part)) for part in reaching(sequences_by_enumeration(draft, target, 1, length, "single"))]
    least.see("gain over token by token in the probability of a length", (accepted - np.array(alone)).min())


def _broken(worst: Worst, pair: Pair, length: int) -> None:
    """Draw what follows an accepted part as token by token does."""
    draft, target = pair
    made = blocks_by_enumeration(draft, target, length, lambda _, p, q: np.maximum(q - p, 0.0))
    error = np.abs(completed(made, target) - _prefix(target, length + 1)).max()
    worst.see("joint law, the residual of one token after the accepted part", error, method=Method.CONTROL)


def _stated(pair: Pair, length: int) -> tuple[list[Array], Array]:
    """The joint law of a call and the mean weights, from the law for given drafts, of all drafts at once."""
    draft, target = pair
    blocks = np.array(list(product(range(draft.num_states), repeat=length)))
    rows, laws = _along(draft, blocks, length), _along(target, blocks, length + 1)
    chance = np.take_along_axis(rows, blocks[..., np.newaxis], axis=-1)[..., 0].prod(axis=-1)
    law = block_verification(rows, laws, blocks)
    emitted = (chance[:, np.newaxis] * law.accepted)[..., np.newaxis] * law.residual
    size = draft.num_states
    found = [np.zeros((size,) * n) for n in range(1, length + 2)]
    for level, part in enumerate(found):
        number = blocks[:, :level] @ size ** np.arange(level)[::-1]  # of the accepted part, in the order of the axes
        np.add.at(part.reshape(-1, size), number, emitted[:, level])
    return found, chance @ law.weights


def _along(model: TabularModel, blocks: NDArray[np.int64], positions: int) -> Array:
    """The laws of a model at the first positions along every block, shape (N, positions, V)."""
    return np.array([[model.conditionals[n][tuple(block[:n])] for n in range(positions)] for block in blocks])


def _prefix(model: TabularModel, tokens: int) -> Array:
    """The joint law of the first tokens."""
    law: Array = model.joint().sum(axis=tuple(range(tokens, model.horizon)))
    return law
