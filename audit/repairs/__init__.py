"""The suspected mechanism of a finding undone, and nothing else: if the bias goes away with it, it was the cause.

Nothing of this is a patch to be used. What a repair needs and the package's function is not given is handed in by its
side door: a module's own ``torch``, or a function that the module calls.
"""

from functools import partial

from audit.adapters import vllm_engine, vllm_fly
from audit.repairs import (
    eagle_llm,
    gptfast,
    keras_hub,
    litgpt,
    rotalabs_accel,
    sequential_speculative_decoding,
    transformers_gemma,
    transformers_tokenizers,
    vllm,
    vllm_ascend,
    vllm_rounds,
)
from audit.repairs.repair import Repair

_COUNTED = "the number of tokens is handed over, not the index of the last"
_ACCEPTS, _REPLACES = "the accepted length is drawn as published", "the replacement is drawn as published"
_BOTH = "both are drawn as published"
_TEMPERATURES = "the temperatures are those of the requests"
_accepts = partial(vllm_ascend.by_the_paper, accepts=True, replaces=False)
_both = partial(vllm_ascend.by_the_paper, accepts=True, replaces=True)

REPAIRS = (
    Repair("sequential-capped-hsd", _COUNTED, sequential_speculative_decoding.counting_tokens),
    Repair(
        "sequential-capped-hsd",
        f"{_COUNTED}, and 1e-30 stands for a probability 0",
        sequential_speculative_decoding.without_zeros,
    ),
    Repair(
        "rotalabs-accel",
        "the residual subtracts the whole draft law instead of its entry at the drafted token",
        rotalabs_accel.whole_law,
    ),
    Repair("gptfast", "the first rejection is read off the second axis", gptfast.axis_of_drafts),
    Repair("eagle-llm-warm", "all logits are processed", eagle_llm.processed_everywhere),
    Repair("keras-hub", keras_hub.CERTAIN, keras_hub.certain_drafts),
    Repair("keras-hub", keras_hub.KEPT, keras_hub.accepted_kept),
    Repair("keras-hub", f"{keras_hub.CERTAIN}, and {keras_hub.KEPT}", keras_hub.both),
    Repair("litgpt-generate", "the token drawn after the prompt is kept", litgpt.first_token_kept),
    Repair("transformers-gemma", "a draft is declared as certain", transformers_gemma.certain_drafts),
    Repair("transformers-tokenizers", "vocabularies come in the order of their ids", transformers_tokenizers.in_order),
    Repair("vllm-temperature-cpp", vllm.COPIED, vllm.copied_back),
    Repair("vllm-engine", _TEMPERATURES, vllm_engine.repaired),
    Repair("vllm-engine-greedy", _TEMPERATURES, vllm_engine.repaired_greedily),
    Repair("vllm-fly", "no entropy is enough", vllm_fly.never_unsure),
    Repair("vllm-round-before", "drafts are drawn with noise of their own", vllm_rounds.noise_of_its_own),
    Repair("vllm-ascend-block", _ACCEPTS, _accepts),
    Repair("vllm-ascend-block", _ACCEPTS, _accepts, vllm_ascend.THREE_TOKENS),
    Repair("vllm-ascend-block", _REPLACES, partial(vllm_ascend.by_the_paper, accepts=False, replaces=True)),
    Repair("vllm-ascend-block", _BOTH, _both),
    Repair("vllm-ascend-block", _BOTH, _both, vllm_ascend.THREE_TOKENS),
)
"""What was tried."""

__all__ = ["REPAIRS", "Repair"]
