"""What no black box can see at the default budget, with the numbers that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from specproof.conformance.arguments import DEFAULT, LEVEL
from specproof.conformance.defects.rules import Rows, Rule, emitted_law
from specproof.conformance.evidence.detectable_bias import detectable_bias
from specproof.conformance.problems import ChainProblem
from specproof.conformance.problems.degenerate_pairs import DEGENERATE_LAWS
from specproof.theory.distribution import Array

TESTS = 100
"""A check shares its level among about as many tests."""
FLOOR = 2.0**-24
"""The least positive value of a uniform of 24 bits."""
UNDERFLOW = 2.0**-25
"""A number that rounds to 0 in half precision."""


def in_half(rows: Array) -> Array:
    """Round to float16."""
    rounded: Array = rows.astype(np.float16).astype(np.float64)
    return rounded


def in_bfloat(rows: Array) -> Array:
    """Round to bfloat16, the upper half of a float32, ties to even."""
    bits = rows.astype(np.float32).view(np.uint32)
    kept = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    rounded: Array = kept.view(np.float32).astype(np.float64)
    return rounded


def in_single(rows: Array) -> Array:
    """Round to float32."""
    rounded: Array = rows.astype(np.float32).astype(np.float64)
    return rounded


def rounding_bias(rounded: Callable[[Array], Array]) -> tuple[float, str, int]:
    """The largest bias on the ladder of a verifier that rounds p, in total variation; where; how many outcomes."""
    rule = Rule(wire=partial(_rounded_draft, rounded=rounded))
    biases = []
    for name, problem in ChainProblem.examples().items():
        gap = problem.completed(emitted_law(problem, rule.kernel)) - problem.target_law
        biases.append((0.5 * float(np.abs(gap).sum()), name, problem.target_law.size))
    return max(biases)


def trials_to_see(bias: float, outcomes: int) -> float:
    """Give the number of trials of one problem after which the law's test sees a bias."""
    default = DEFAULT.first * (2**DEFAULT.rounds - 1)
    return float(default * (detectable_bias(outcomes, default, LEVEL / TESTS) / bias) ** 2)


def forbidden_drafts() -> int:
    """How many first drafts that the target forbids the degenerate problems of a check hand out, on average."""
    shares = [
        float(problem.draft.conditionals[0][problem.target.conditionals[0] == 0].sum())
        for problem in (ChainProblem.degenerate(*pair) for pair in DEGENERATE_LAWS.values())
    ]
    return round(sum(shares) * DEFAULT.degenerate)


def rows() -> Iterator[tuple[str, str, str]]:
    """What it is, why it cannot be seen, and where it was reported."""
    for name, rounded in (("bfloat16", in_bfloat), ("float16", in_half), ("float32", in_single)):
        bias, problem, outcomes = rounding_bias(rounded)
        yield (
            f"p is rounded to {name} before the test and the residual",
            f"at most a TV of {bias:.1e} on the ladder ('{problem}'), which takes {trials_to_see(bias, outcomes):.0e} "
            "trials of that problem to see; a comparison of the declared law with the drawn one, bit by bit, sees it "
            "at once",
            "deepseek-ai/DeepSpec#31",
        )
    yield (
        "p below 3e-8 underflows to 0 in float16, and the draft is accepted whatever q is",
        f"such a token is drafted once in {1 / UNDERFLOW:.0e} trials or less often",
        "lablup/mlxcel#992",
    )
    yield (
        "noise or uniforms of 24 bits: tokens of probability below 6e-8 are never drawn",
        f"that one never comes is told at level {LEVEL:g} after {np.log(1 / LEVEL) / FLOOR:.0e} draws",
        "vllm-project/vllm#43150, vllm-project/vllm#47524",
    )
    missed = forbidden_drafts()
    yield (
        "u <= q/p in place of u < q/p: a token with q = 0 is emitted where u = 0",
        f"a check hands out about {missed:,} drafts with q = 0, so that it sees this with probability "
        f"{-np.expm1(missed * np.log1p(-FLOOR)):.0e} where uniforms have 24 bits and {missed * 2.0**-53:.0e} where "
        "they have 53. With uniforms of eight bits it is in the table above. To see it, hand the sampler a generator "
        "whose `random` returns 0",
        "sgl-project/sglang#35771",
    )
    yield (
        "a uniform that can be exactly 1",
        f"with probability {129 / 2**32:.0e}, as was reported; it rejects a draft that it should accept",
        "sgl-project/sglang#30822",
    )
    yield from _OUTSIDE


_OUTSIDE = (
    (
        "rows of NaN, and what is put in their place",
        "the kit hands out probabilities. NaN that a sampler makes itself of a residual of sum 0 is in the table; it "
        "is seen where the sampler refuses it, and not where a constant token is emitted after a rejection that has "
        "probability 0",
        "vllm-project/vllm#21876, vllm-project/vllm-ascend#14116",
    ),
    (
        "a request without drafts, or with none accepted, advances its generator",
        "a call has one generator for all its trials: no law is wrong, only "
        "reproducibility across batches, which the contracts do not promise",
        "vllm-project/vllm-ascend#13608",
    ),
    (
        "ties at temperature 0",
        "verifiers are handed laws, not logits; a draft by argmax, declared certain, is exact whichever way a tie goes",
        "ohdearquant/lattice#280, Pushkinist/rMLX#373",
    ),
    (
        "stop strings, and tokens after an end of sequence in loops without a parameter `end_token`",
        "texts of the contract `generate` end at one token, and only for loops that can be told which",
        "LostRuins/koboldcpp#1276, ggml-org/llama.cpp#28049",
    ),
    (
        "kernels that fail at large sizes, and seeds of their own for the rows of a call",
        "the ladder's vocabularies are small, and a call has one generator",
        "vllm-project/vllm-ascend#15656",
    ),
    (
        "a wrong count of what was accepted",
        "in the contract `chain` the kit counts for itself, and `generate` reports nothing. In `multi` the index that "
        "is returned is the only source: one that names another token than was emitted is seen, one that is missing "
        "looks like slowness",
        "vllm-project/vllm#2658, vllm-project/vllm#56101",
    ),
)


def _rounded_draft(draft: Array, target: Array, rounded: Callable[[Array], Array]) -> Rows:
    return Rows(rounded(draft), target[:, :-1], target[:, -1])
