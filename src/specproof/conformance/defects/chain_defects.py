"""The catalogue's verifiers of a drafted chain that go wrong token by token."""

from __future__ import annotations

from functools import partial

from specproof.conformance.defects import token_rules as rules
from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import Rule, emitted_law
from specproof.conformance.problems import Contract

TWO_IDS = "a residual of two tokens or more, of unequal mass"
MARKOV = "target rows that differ by context"
ANY = "p != q"


def of_rule(name: str, title: str, rule: Rule, needs: str, witness: str, *threads: str) -> Defect:
    """Make a defect of a token-by-token rule."""
    return Defect(
        name, title, Contract.CHAIN, rule.sampler, partial(emitted_law, kernel=rule.kernel), needs, witness, threads
    )


_TRANSFORMERS, _VLLM, _ASCEND = "huggingface/transformers", "vllm-project/vllm", "vllm-project/vllm-ascend"

THREE, TWO_DRAFTS = "three tokens", "two drafts, three tokens"
ZEROS = "zeros on both sides"

CHAIN_DEFECTS: tuple[Defect, ...] = (
    of_rule(
        "replaced-from-target",
        "a rejected token is replaced from q instead of the residual",
        rules.REPLACED_FROM_TARGET,
        ANY,
        THREE,
        "ShopeeLLM/Spec-RL#14",
    ),
    of_rule(
        "residual-at-rejected-id",
        "the residual subtracts p at the rejected token alone",
        Rule(replace=rules.only_rejected_id),
        "three tokens or more",
        THREE,
        "SafeAILab/EAGLE#20",
        "xLLM-AI/xllm#2175",
    ),
    of_rule(
        "residual-softmax",
        "softmax of [q - p]+ in place of its normalisation",
        Rule(replace=rules.softmax),
        ANY,
        THREE,
        f"{_TRANSFORMERS}#28508",
    ),
    of_rule(
        "residual-argmax",
        "the residual's most likely token in place of a draw",
        Rule(replace=rules.argmax),
        TWO_IDS,
        THREE,
    ),
    of_rule(
        "always-accepted",
        "every draft is accepted: u = 0, p(x) = 0, or a wrong count of matches",
        rules.ALWAYS_ACCEPTED,
        ANY,
        THREE,
        f"{_ASCEND}#13730",
        f"{_TRANSFORMERS}#28508",
        "zhongkaifu/TensorSharp#74",
    ),
    of_rule(
        "first-unverified",
        "the first drafted token is emitted without a test",
        Rule(test=rules.first_unverified),
        ANY,
        TWO_DRAFTS,
        "ohdearquant/lattice#243",
    ),
    of_rule(
        "over-target-maximum",
        "the test divides by max q instead of p(x)",
        Rule(test=rules.over_target_maximum),
        ANY,
        THREE,
        "1bit-MONSTER/1bit-MONSTER#637",
    ),
    of_rule(
        "equal-or-ratio",
        "accepted if an own target draw equals the draft, or the ratio test passes",
        Rule(test=rules.equal_or_ratio),
        ANY,
        THREE,
        "alibaba/rtp-llm#1295",
    ),
    of_rule("inverted-ratio", "the test is min(1, p/q)", Rule(test=rules.inverted), ANY, THREE),
    of_rule(
        "accepted-iff-larger",
        "accepted if and only if q(x) >= p(x)",
        Rule(test=rules.iff_larger),
        ANY,
        THREE,
        "vllm-project/vllm-project.github.io#80",
    ),
    of_rule(
        "accept-threshold",
        "u is compared with twice the ratio",
        Rule(test=rules.twice_the_ratio),
        ANY,
        THREE,
        "sgl-project/sglang#7702",
    ),
    of_rule(
        "blended-target",
        "verified against the mean of q and p",
        Rule(wire=rules.blended_target),
        ANY,
        THREE,
        f"{_TRANSFORMERS}#45979",
    ),
    of_rule(
        "greedy-target",
        "the verified rows are the target's argmax although sampling was asked for",
        rules.GREEDY_TARGET,
        ANY,
        THREE,
        "sgl-project/sglang#37134",
        "Pushkinist/rMLX#519",
        "EricLBuehler/mistral.rs#2424",
    ),
    of_rule(
        "target-at-other-temperature",
        "the verified rows have another temperature than was asked for",
        rules.SHARPENED_TARGET,
        "a target that is not uniform",
        THREE,
        f"{_VLLM}#9834",
        "ohdearquant/lattice#388",
    ),
    of_rule(
        "processors-on-bonus-alone",
        "the bonus row is processed otherwise than the verified rows",
        Rule(wire=rules.plain_bonus),
        "a look at the bonus position",
        "two drafts, two tokens",
        f"{_VLLM}#42744",
        f"{_VLLM}#44297",
    ),
    of_rule(
        "stale-bonus",
        "the bonus token is drawn from the row before its own",
        rules.STALE_BONUS,
        MARKOV,
        TWO_DRAFTS,
        "SafeAILab/EAGLE#47",
    ),
    of_rule(
        "next-row",
        "every draft is verified against the target row after its own",
        Rule(wire=rules.next_row),
        MARKOV,
        TWO_DRAFTS,
        "NVIDIA/TensorRT-LLM#15098",
        "openvinotoolkit/openvino.genai#4190",
    ),
    of_rule(
        "first-draft-row",
        "every draft is tested with the draft law of the first position",
        Rule(wire=rules.unshifted_draft),
        "draft rows that differ by position",
        TWO_DRAFTS,
        f"{_VLLM}#41044",
    ),
    of_rule(
        "draft-in-other-vocabulary",
        "drafts are tested with the draft law of other ids: a map between vocabularies that is not applied",
        Rule(wire=rules.other_vocabulary),
        ANY,
        THREE,
        f"{_ASCEND}#16166",
        "alibaba/rtp-llm#1311",
    ),
    of_rule(
        "target-overwritten",
        "the residual is taken in place in the target's row before the test reads it",
        Rule(test=rules.after_residual),
        ANY,
        THREE,
        f"{_ASCEND}#2881",
    ),
    of_rule(
        "typical-acceptance",
        "accepted if q(x) passes a threshold that falls with the entropy, else the argmax: lossy by design",
        rules.TYPICAL,
        ANY,
        THREE,
        f"{_VLLM}#5015",
        f"{_VLLM}#5131",
        "youssofal/MTPLX#478",
    ),
    of_rule(
        "mask-on-bonus-alone",
        "a grammar's mask does not reach the verified rows",
        Rule(wire=rules.mask_on_bonus_alone),
        "a token that the draft can draw and the target cannot",
        ZEROS,
        "InternLM/lmdeploy#4551",
        f"{_VLLM}#36138",
    ),
    of_rule(
        "inclusive-coarse-uniform",
        "a uniform of eight bits, as bfloat16's, and accepted if it is at most the ratio, which may be 0",
        Rule(test=rules.inclusive_coarse_uniform),
        "a token that the draft can draw and the target cannot",
        ZEROS,
        "sgl-project/sglang#35771",
    ),
)
