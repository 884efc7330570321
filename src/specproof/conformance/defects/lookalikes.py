"""Samplers that look wrong and are exact: a checker must pass them."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.conformance.defects import several_drafts
from specproof.conformance.defects.block_verification import block_kernel, round_sampler
from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.loop import Loop
from specproof.conformance.defects.rules import (
    RIGHT,
    ChainSampler,
    Ends,
    RoundKernel,
    Rule,
    emitted_law,
    normalised,
    pick,
    point_mass,
    quotient,
    residual,
    sharpened,
)
from specproof.conformance.defects.siblings import SiblingLoop
from specproof.conformance.problems import Contract, Tokens
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array


def _target_mass(draft: Array, target: Array, tokens: Tokens) -> Array:
    del draft
    return pick(target, tokens)


def _target_without(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Take the rejected token out of q and renormalise."""
    del draft
    weights = target.copy()
    np.put_along_axis(weights, tokens[..., np.newaxis], 0.0, axis=-1)
    return normalised(weights, target)


POINT_MASS = Rule(test=_target_mass, replace=_target_without)
"""A draft taken for certain, whatever it was drawn from; also what comparing it with a target draw amounts to."""


def _no_bonus_kernel(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
    """Without a bonus token, the last accepted draft is the last token."""
    ends = RIGHT.kernel(draft_probs, target_probs, draft_tokens)
    stop, token = ends.stop.copy(), ends.token.copy()
    rows = np.arange(len(draft_tokens))
    stop[:, -2] += stop[:, -1]
    # At the last draft: kept with what was the bonus's share, replaced otherwise.
    kept = np.divide(stop[:, -1], stop[:, -2], out=np.zeros(len(rows)), where=stop[:, -2] > 0)
    token[:, -2] *= (1.0 - kept)[:, np.newaxis]
    token[rows, -2, draft_tokens[:, -1]] += kept
    stop[:, -1] = 0.0
    return Ends(stop, token)


def residual_in_place(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> tuple[Tokens, Tokens]:
    """Recursive rejection whose last draw is from the array of the target, which by then holds the residual."""
    target_probs = target_probs.copy()
    accepted = np.full(len(draft_tokens), -1)
    for place, tokens in enumerate(draft_tokens.T):
        passed = rng.random(len(tokens)) < quotient(draft_probs, target_probs, tokens)
        accepted[(accepted < 0) & passed] = place
        target_probs[:] = residual(draft_probs, target_probs, tokens)
    emitted = invert(target_probs, rng.random(len(target_probs)))
    kept = accepted >= 0
    emitted[kept] = draft_tokens[kept, accepted[kept]]
    return emitted, accepted


def _chain(name: str, title: str, sampler: ChainSampler, kernel: RoundKernel, *threads: str) -> Defect:
    return Defect(name, title, Contract.CHAIN, sampler, partial(emitted_law, kernel=kernel), "", "", threads)


LOOKALIKES: tuple[Defect, ...] = (
    _chain("token-by-token", "the plain rule", RIGHT.sampler, RIGHT.kernel),
    _chain(
        "draft-as-point-mass",
        "the draft law is dropped: accepted with q(x), else q without x; the same as comparing with a target draw",
        POINT_MASS.sampler,
        POINT_MASS.kernel,
        "vllm-project/vllm-ascend#9936",
        "ml-explore/mlx-swift-lm#459",
        "vllm-project/vllm#40149",
    ),
    _chain(
        "block-verification",
        "the last passing index counts, not the first failing one",
        round_sampler(block_kernel),
        block_kernel,
        "vllm-project/vllm-ascend#11985",
    ),
    _chain(
        "bonus-thrown-away",
        "no bonus token after a fully accepted round",
        round_sampler(_no_bonus_kernel),
        _no_bonus_kernel,
        "ohdearquant/lattice#389",
    ),
    Defect(
        "recursive-rejection",
        "each draft against what those before it left of the target",
        Contract.MULTI,
        several_drafts.choice_sampler(several_drafts.recursive_kernel),
        partial(several_drafts.chosen_law, kernel=several_drafts.recursive_kernel),
        "",
        "",
    ),
    Defect(
        "residual-in-place",
        "the replacement is drawn from the array of the target, which has been overwritten with the residual",
        Contract.MULTI,
        residual_in_place,
        partial(several_drafts.chosen_law, kernel=several_drafts.recursive_kernel),
        "",
        "",
        ("NJUNLP/MCSD#5",),
    ),
    Defect("plain-loop", "rounds of the plain rule", Contract.GENERATE, Loop().sampler, Loop().law, "", ""),
    Defect(
        "greedy-draft-as-point-mass",
        "drafts by argmax, declared certain",
        Contract.GENERATE,
        Loop(POINT_MASS, drawn=point_mass).sampler,
        Loop(POINT_MASS, drawn=point_mass).law,
        "",
        "",
        ("SafeAILab/EAGLE#329", "lablup/mlxcel#902"),
    ),
    Defect(
        "draft-at-other-temperature",
        "drafts at another temperature, with a rule that does not use their law",
        Contract.GENERATE,
        Loop(POINT_MASS, drawn=sharpened).sampler,
        Loop(POINT_MASS, drawn=sharpened).law,
        "",
        "",
        ("z-lab/dflash#74",),
    ),
    Defect(
        "siblings-without-replacement",
        "two siblings drawn without replacement, the second tested with its conditional law",
        Contract.GENERATE,
        SiblingLoop().sampler,
        SiblingLoop().law,
        "",
        "",
        ("SafeAILab/EAGLE#74",),
    ),
    Defect(
        "certain-siblings",
        "the draft's two likeliest tokens, each declared certain: accepted with q, else taken out of it",
        Contract.GENERATE,
        SiblingLoop(drawn=point_mass).sampler,
        SiblingLoop(drawn=point_mass).law,
        "",
        "",
        ("SafeAILab/EAGLE#329", "SafeAILab/EAGLE#221", "SafeAILab/EAGLE#183"),
    ),
)
