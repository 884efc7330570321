"""Defects of verifiers of a drafted chain: tests, replacements, and rows."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import (
    Rows,
    Rule,
    emitted_law,
    normalised,
    pick,
    point_mass,
    quotient,
    residual,
    sharpened,
    straight,
)
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array

TWO_IDS = "a residual of two tokens or more, of unequal mass"
MARKOV = "target rows that differ by context"
ANY = "p != q"


def of_rule(name: str, title: str, rule: Rule, needs: str, witness: str, *threads: str) -> Defect:
    """Make a defect of a token-by-token rule."""
    return Defect(name, title, "chain", rule.sampler, partial(emitted_law, kernel=rule.kernel), needs, witness, threads)


def _from_target(draft: Array, target: Array, tokens: Tokens) -> Array:
    del draft, tokens
    return target


def _only_rejected_id(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Subtract p at the rejected id alone."""
    weights = target.copy()
    lowered = np.maximum(pick(target, tokens) - pick(draft, tokens), 0.0)
    np.put_along_axis(weights, tokens[..., np.newaxis], lowered[..., np.newaxis], axis=-1)
    return normalised(weights, target)


def _softmax(draft: Array, target: Array, tokens: Tokens) -> Array:
    del tokens
    weights = np.exp(np.maximum(target - draft, 0.0))
    return normalised(weights, target)


def _argmax(draft: Array, target: Array, tokens: Tokens) -> Array:
    return point_mass(residual(draft, target, tokens))


def _always(draft: Array, target: Array, tokens: Tokens) -> Array:
    del draft, target
    return np.ones(tokens.shape)


def _over_target_maximum(draft: Array, target: Array, tokens: Tokens) -> Array:
    del draft
    accept: Array = pick(target, tokens) / target.max(axis=-1)
    return accept


def _equal_or_ratio(draft: Array, target: Array, tokens: Tokens) -> Array:
    return 1.0 - (1.0 - pick(target, tokens)) * (1.0 - quotient(draft, target, tokens))


def _inverted(draft: Array, target: Array, tokens: Tokens) -> Array:
    return quotient(target, draft, tokens)


def _iff_larger(draft: Array, target: Array, tokens: Tokens) -> Array:
    return (pick(target, tokens) >= pick(draft, tokens)).astype(np.float64)


def _typical(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Whether q(x) >= min(0.09, 0.3 e^-H), H the entropy of q (Cai et al. 2024, arXiv 2401.10774)."""
    del draft
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(target > 0, target * np.log(target), 0.0).sum(axis=-1)
    accept: Array = (pick(target, tokens) >= np.minimum(0.09, 0.3 * np.exp(-entropy))).astype(np.float64)
    return accept


def _greedy_replacement(draft: Array, target: Array, tokens: Tokens) -> Array:
    del draft, tokens
    return point_mass(target)


def _after_residual(draft: Array, target: Array, tokens: Tokens) -> Array:
    """The target's row has been overwritten with [q - p]+ when the test reads it."""
    return quotient(draft, np.maximum(target - draft, 0.0), tokens)


def _inclusive_coarse_coin(draft: Array, target: Array, tokens: Tokens) -> Array:
    """A coin of 256 equally likely values, 0 among them, that is at most the ratio."""
    accept: Array = np.minimum((np.floor(256 * quotient(draft, target, tokens)) + 1) / 256, 1.0)
    return accept


def _twice_the_ratio(draft: Array, target: Array, tokens: Tokens) -> Array:
    """A threshold of one half on the ratio, in place of 1."""
    return quotient(draft, 2.0 * target, tokens)


def _first_unverified(draft: Array, target: Array, tokens: Tokens) -> Array:
    accept = quotient(draft, target, tokens)
    accept[:, 0] = 1.0
    return accept


def _blended_target(draft: Array, target: Array) -> Rows:
    return Rows(draft, 0.5 * (target[:, :-1] + draft), target[:, -1])


def _greedy_target(draft: Array, target: Array) -> Rows:
    return straight(draft, point_mass(target))


def _sharpened_target(draft: Array, target: Array) -> Rows:
    return straight(draft, sharpened(target))


def _other_vocabulary(draft: Array, target: Array) -> Rows:
    """The draft's probabilities are those of the ids one lower."""
    return Rows(np.roll(draft, 1, axis=-1), target[:, :-1], target[:, -1])


def _mask_on_bonus_alone(draft: Array, target: Array) -> Rows:
    """Where the target is 0 the verified rows have as much as the draft: a mask that both models would need."""
    unmasked = normalised(np.where(target > 0, target, 0.0)[:, :-1] + np.where(target[:, :-1] > 0, 0.0, draft), draft)
    return Rows(draft, unmasked, target[:, -1])


def _stale_bonus(draft: Array, target: Array) -> Rows:
    return Rows(draft, target[:, :-1], target[:, -2])


def _next_row(draft: Array, target: Array) -> Rows:
    return Rows(draft, target[:, 1:], target[:, -1])


def _unshifted_draft(draft: Array, target: Array) -> Rows:
    """The draft row of the first position for all of them."""
    return Rows(np.broadcast_to(draft[:, :1], draft.shape), target[:, :-1], target[:, -1])


def _plain_bonus(draft: Array, target: Array) -> Rows:
    """The bonus row is at another temperature."""
    return Rows(draft, target[:, :-1], sharpened(target[:, -1]))


REPLACED_FROM_TARGET = Rule(replace=_from_target)
ALWAYS_ACCEPTED = Rule(test=_always)
GREEDY_TARGET = Rule(wire=_greedy_target)
SHARPENED_TARGET = Rule(wire=_sharpened_target)
STALE_BONUS = Rule(wire=_stale_bonus)
TYPICAL = Rule(test=_typical, replace=_greedy_replacement)

_TRANSFORMERS, _VLLM, _ASCEND = "huggingface/transformers", "vllm-project/vllm", "vllm-project/vllm-ascend"

THREE, TWO_DRAFTS = "three tokens", "two drafts, three tokens"
ZEROS = "zeros on both sides"

CHAIN_DEFECTS: tuple[Defect, ...] = (
    of_rule(
        "replaced-from-target",
        "a rejected token is replaced from q instead of the residual",
        REPLACED_FROM_TARGET,
        ANY,
        THREE,
        "ShopeeLLM/Spec-RL#14",
    ),
    of_rule(
        "residual-at-rejected-id",
        "the residual subtracts p at the rejected token alone",
        Rule(replace=_only_rejected_id),
        "three tokens or more",
        THREE,
        "SafeAILab/EAGLE#20",
        "xLLM-AI/xllm#2175",
    ),
    of_rule(
        "residual-softmax",
        "softmax of [q - p]+ in place of its normalisation",
        Rule(replace=_softmax),
        ANY,
        THREE,
        f"{_TRANSFORMERS}#28508",
    ),
    of_rule(
        "residual-argmax", "the residual's most likely token in place of a draw", Rule(replace=_argmax), TWO_IDS, THREE
    ),
    of_rule(
        "always-accepted",
        "every draft is accepted: u = 0, p(x) = 0, or a wrong count of matches",
        ALWAYS_ACCEPTED,
        ANY,
        THREE,
        f"{_ASCEND}#13730",
        f"{_TRANSFORMERS}#28508",
        "zhongkaifu/TensorSharp#74",
    ),
    of_rule(
        "first-unverified",
        "the first drafted token is emitted without a test",
        Rule(test=_first_unverified),
        ANY,
        TWO_DRAFTS,
        "ohdearquant/lattice#243",
    ),
    of_rule(
        "over-target-maximum",
        "the test divides by max q instead of p(x)",
        Rule(test=_over_target_maximum),
        ANY,
        THREE,
        "1bit-MONSTER/1bit-MONSTER#637",
    ),
    of_rule(
        "equal-or-ratio",
        "accepted if an own target draw equals the draft, or the ratio test passes",
        Rule(test=_equal_or_ratio),
        ANY,
        THREE,
        "alibaba/rtp-llm#1295",
    ),
    of_rule("inverted-ratio", "the test is min(1, p/q)", Rule(test=_inverted), ANY, THREE),
    of_rule(
        "accepted-iff-larger",
        "accepted if and only if q(x) >= p(x)",
        Rule(test=_iff_larger),
        ANY,
        THREE,
        "vllm-project/vllm-project.github.io#80",
    ),
    of_rule(
        "accept-threshold",
        "u is compared with twice the ratio",
        Rule(test=_twice_the_ratio),
        ANY,
        THREE,
        "sgl-project/sglang#7702",
    ),
    of_rule(
        "blended-target",
        "verified against the mean of q and p",
        Rule(wire=_blended_target),
        ANY,
        THREE,
        f"{_TRANSFORMERS}#45979",
    ),
    of_rule(
        "greedy-target",
        "the verified rows are the target's argmax although sampling was asked for",
        GREEDY_TARGET,
        ANY,
        THREE,
        "sgl-project/sglang#37134",
        "Pushkinist/rMLX#519",
        "EricLBuehler/mistral.rs#2424",
    ),
    of_rule(
        "target-at-other-temperature",
        "the verified rows have another temperature than was asked for",
        SHARPENED_TARGET,
        "a target that is not uniform",
        THREE,
        f"{_VLLM}#9834",
        "ohdearquant/lattice#388",
    ),
    of_rule(
        "processors-on-bonus-alone",
        "the bonus row is processed otherwise than the verified rows",
        Rule(wire=_plain_bonus),
        "a look at the bonus position",
        "two drafts, two tokens",
        f"{_VLLM}#42744",
        f"{_VLLM}#44297",
    ),
    of_rule(
        "stale-bonus",
        "the bonus token is drawn from the row before its own",
        STALE_BONUS,
        MARKOV,
        TWO_DRAFTS,
        "SafeAILab/EAGLE#47",
    ),
    of_rule(
        "next-row",
        "every draft is verified against the target row after its own",
        Rule(wire=_next_row),
        MARKOV,
        TWO_DRAFTS,
        "NVIDIA/TensorRT-LLM#15098",
        "openvinotoolkit/openvino.genai#4190",
    ),
    of_rule(
        "first-draft-row",
        "every draft is tested with the draft law of the first position",
        Rule(wire=_unshifted_draft),
        "draft rows that differ by position",
        TWO_DRAFTS,
        f"{_VLLM}#41044",
    ),
    of_rule(
        "draft-in-other-vocabulary",
        "drafts are tested with the draft law of other ids: a map between vocabularies that is not applied",
        Rule(wire=_other_vocabulary),
        ANY,
        THREE,
        f"{_ASCEND}#16166",
        "alibaba/rtp-llm#1311",
    ),
    of_rule(
        "target-overwritten",
        "the residual is taken in place in the target's row before the test reads it",
        Rule(test=_after_residual),
        ANY,
        THREE,
        f"{_ASCEND}#2881",
    ),
    of_rule(
        "typical-acceptance",
        "accepted if q(x) passes a threshold that falls with the entropy, else the argmax: lossy by design",
        TYPICAL,
        ANY,
        THREE,
        f"{_VLLM}#5015",
        f"{_VLLM}#5131",
        "youssofal/MTPLX#478",
    ),
    of_rule(
        "mask-on-bonus-alone",
        "a grammar's mask does not reach the verified rows",
        Rule(wire=_mask_on_bonus_alone),
        "a token that the draft can draw and the target cannot",
        ZEROS,
        "InternLM/lmdeploy#4551",
        f"{_VLLM}#36138",
    ),
    of_rule(
        "inclusive-coarse-coin",
        "a coin of eight bits, as bfloat16's, and accepted if it is at most the ratio, which may be 0",
        Rule(test=_inclusive_coarse_coin),
        "a token that the draft can draw and the target cannot",
        ZEROS,
        "sgl-project/sglang#35771",
    ),
)
