"""The rules inside ``generate`` of Hugging Face transformers, on your own model and assistant.

.. code-block:: python

    from specproof.transformers import opt_sampler, speculative, speculative_batch, speculative_sequences
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained("HuggingFaceTB/SmolLM2-360M-Instruct")
    model = AutoModelForCausalLM.from_pretrained("HuggingFaceTB/SmolLM2-360M-Instruct")
    assistant = AutoModelForCausalLM.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")
    inputs = tokenizer("The draft proposes,", return_tensors="pt")

    rule = speculative(assistant, draft_length=4)  # lossless
    rule = speculative(assistant, "block", draft_length=4)  # lossless too, and fewer calls: Sun et al. 2024
    rule = speculative(assistant, opt_sampler(0.2))  # rejects less, and is biased for it
    rule = speculative_batch(assistant, num_drafts=4)  # Yin et al. 2024, Algorithm 3
    rule = speculative_sequences(assistant, num_drafts=4, verifier="priority")  # SpecTr, optimal at each level
    rule = speculative(assistant, "priority-layer", num_drafts=4)  # all sequences weighed at once, lossless as well
    output = model.generate(**inputs, custom_generate=rule, do_sample=True, max_new_tokens=64)

Temperature, top-k, penalties and stopping criteria are given to ``generate`` as ever. With
``return_dict_in_generate=True`` the output is a :class:`SpeculativeOutput`, which also counts rejections and target
calls. Without torch and transformers, importing this module raises :class:`specproof.InvalidInput`, which names the
extra to install.
"""

from specproof.simulations.language_models.pairs import require_llm

require_llm("torch", "transformers")

from specproof.simulations.language_models.custom_generate import (  # noqa: E402
    speculative,
    speculative_batch,
    speculative_sequences,
)
from specproof.simulations.language_models.generated_texts import SpeculativeOutput  # noqa: E402
from specproof.simulations.samplers.relaxed import opt_sampler, uno_sampler  # noqa: E402
from specproof.simulations.samplers.single import verify as single_sampler  # noqa: E402

__all__ = [
    "SpeculativeOutput",
    "opt_sampler",
    "single_sampler",
    "speculative",
    "speculative_batch",
    "speculative_sequences",
    "uno_sampler",
]
