"""Whose verifiers are checked, by which adapter, and what reading their code said about a finding."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib import metadata

import numpy as np

from audit.package import is_fetched
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.subject.loading import load_function
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.errors import InvalidInput


@dataclass(frozen=True)
class Subject:
    """One function of one package.

    Attributes
    ----------
    name : str
        By which it is asked for.
    adapter : str
        ``MODULE:FUNCTION`` below ``audit.adapters``.
    contract : str
    calls : str
        What of the package is called.
    assumes : str
        What the adapter adds or takes for granted, a noun.
    cause : str
        Where a finding was confirmed in the package's code: the mechanism, and what was done to falsify it.
    patience : int
        How many times the usual time a check takes.
    """

    name: str
    adapter: str
    contract: str
    calls: str
    assumes: str
    cause: str = ""
    patience: int = 1

    @property
    def function(self) -> str:
        """What ``specproof check`` takes."""
        return f"audit.adapters.{self.adapter}"

    @property
    def distribution(self) -> str:
        """The package's name on the index."""
        return self.wheels[0].distribution if self.wheels else "transformers"

    @property
    def version(self) -> str:
        """The version that is checked: the pinned one, or the one that is installed."""
        return self.wheels[0].version if self.wheels else metadata.version("transformers")

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """What is fetched for it; nothing where the package is a requirement of ours."""
        module = importlib.import_module(self.function.partition(":")[0])
        wheels: tuple[Wheel, ...] = getattr(module, "WHEELS", ())
        return wheels

    @property
    def is_here(self) -> bool:
        """Whether it can be checked without a download."""
        return is_fetched(*self.wheels)

    def ready(self) -> Sampler:
        """The adapter's function, called once, so that fetching and importing take no time from a check."""
        function, rng = load_function(self.function), np.random.default_rng(0)
        problem = next(iter(ladder(self.contract).values()))
        function(*problem.arguments(1, rng), rng)
        return function


BATCHED = "nothing: the function is batched and takes what the contract gives"
LOOP = "the loop over texts"
TABLES = (
    "models that look their logits up in the kit's tables, and the loop over rounds; temperature 1, two drafts a round"
)
SIBLINGS = "trees of one level, two siblings drawn by `Model.sample` without replacement; models from the kit's tables"
ENGINE = "stand-ins for vLLM's names, the bonus token drawn by the caller, float32 draft probabilities"

SUBJECTS = (
    Subject("transformers", "transformers_rule:verify", "chain", "`_speculative_sampling`", LOOP, patience=3),
    Subject(
        "transformers-generate",
        "transformers_generate:generate",
        "generate",
        "`generate(assistant_model=..., do_sample=True)`",
        "Llamas of transformers' own class whose logits are the table's; defaults but for `top_k=0`",
        patience=16,
    ),
    Subject(
        "speculative-decoding",
        "speculative_decoding:generate",
        "generate",
        "`speculative_decoding`",
        "networks that look their logits up in the kit's tables; all texts in one batch; no top-k filter; two drafts",
    ),
    Subject(
        "sequential-standard",
        "sequential_speculative_decoding:standard",
        "generate",
        "`standard_speculative_step`",
        TABLES,
        patience=6,
    ),
    Subject(
        "sequential-naive-hsd",
        "sequential_speculative_decoding:naive_hsd",
        "generate",
        "`naive_hsd_step`",
        TABLES,
        patience=6,
    ),
    Subject(
        "sequential-capped-hsd",
        "sequential_speculative_decoding:capped_hsd",
        "generate",
        "`capped_hsd_step`",
        TABLES,
        "`compute_capped_prefix_ratio` and `compute_capped_branch_divergences` take a number of tokens, and "
        "`capped_hsd_step` hands them the index of the last one, one less: the full draft is accepted by the "
        "ratio of all but its last token, and each step of the scan looks one token too early. With the number of "
        "tokens handed over, nothing is found on the ordinary problems (below). What is left on the degenerate ones "
        "has another cause: `compute_capped_branch_divergences` takes the ratio at a token of draft probability 0 to "
        "be 0, so that no replacement can be such a token; with 1e-30 in the place of each 0, that is gone too. By "
        "reading: with one draft a round, the index -1 wraps round to the right entries. The method is documented as "
        "leaving the output distribution unchanged.",
        patience=6,
    ),
    Subject(
        "specdec",
        "specdec:verify",
        "chain",
        "`SpecDecoder.verify`",
        f"{LOOP}, and a target model that has its logits ready",
    ),
    Subject("flashspec", "flashspec:verify", "chain", "`rejection_step`", BATCHED),
    Subject("mini-infer", "mini_infer:generate", "generate", "`speculative_step`", TABLES, patience=3),
    Subject(
        "economize", "economize:verify", "chain", "`RejectionVerifier.verify_batch`", "a selector at temperature 1"
    ),
    Subject(
        "economize-tree",
        "economize:verify_tree",
        "multi",
        "`RejectionVerifier.verify_tree`",
        "a tree of k children of one node, each drawn from the same law, as the interface allows; a selector at "
        "temperature 1",
    ),
    Subject(
        "rotalabs-accel",
        "rotalabs_accel:verify",
        "chain",
        "`rejection_sample`",
        "the loop over tokens that its documentation describes, and the bonus draw",
        "`rejection_sample` is handed the draft's probability of the drafted token alone, and its residual "
        "subtracts that at that token instead of the whole draft law. Two tokens cannot show it, and the check "
        "passes there; three do. With the whole draft law subtracted the bias is gone (below). The function is "
        "documented as keeping the exact target distribution. By reading: `verify_tokens` of the package has the same "
        "residual.",
    ),
    Subject(
        "mtplx",
        "mtplx:verify",
        "chain",
        "`verify_one_token`",
        "the loop over tokens, and the bonus draw by its own sampler",
    ),
    Subject(
        "gptfast",
        "gptfast:verify",
        "chain",
        "`speculative_decode_kv_cache`",
        f"{LOOP}, two models that have their laws ready, and `torch.multinomial` as the sampling function",
        "The ratios have shape (1, drafts), as the method asserts, and the first rejection is read off the first "
        "axis of `nonzero`: it is always 0, so that whatever draft is rejected, the token emitted is a residual "
        "of the first position. With one draft that is the right one; with the second axis read, the bias is gone "
        "(below).",
    ),
    Subject(
        "eagle-llm",
        "eagle_llm:generate",
        "generate",
        "`evaluate_posterior` at temperature 1",
        SIBLINGS,
        patience=3,
    ),
    Subject(
        "eagle-llm-warm",
        "eagle_llm:generate_warm",
        "generate",
        "`evaluate_posterior` at temperature 0.5",
        f"{SIBLINGS}; logits such that the laws at that temperature are the tables'",
        "After a path that is accepted to its end, `evaluate_posterior` draws the next token from the logits as "
        "they are, not as `logits_processor` makes them, so that this token is drawn at temperature 1. At "
        "temperature 1 the check passes; with the processor applied there too, the bias is gone (below). The package "
        "promises the distribution of vanilla decoding, and its example uses temperature 0.5.",
        patience=6,
    ),
    Subject(
        "lmdeploy",
        "lmdeploy:verify",
        "chain",
        "`DefaultRejectionSamplingImpl.forward`",
        "the bonus token drawn by the caller, as in its engine; draft probabilities in float32",
    ),
    Subject(
        "vllm-ascend",
        "vllm_ascend:verify",
        "chain",
        "`rejection_sample`, PyTorch path",
        f"{ENGINE}; default options",
    ),
    Subject(
        "vllm-ascend-block",
        "vllm_ascend:verify_block",
        "chain",
        "`rejection_sample`, PyTorch path, `enable_block_verify`",
        f"{ENGINE}; the option, which is off by default",
        "From three drafts on, `rejection_random_sample_block_verify_pytorch` keeps the longest prefix whose "
        "product of capped ratios is at least the product of as many uniforms, which is not the acceptance "
        "probability of block verification (Sun et al. 2024), and `rejection_sample` draws the replacement from "
        "the residual of the token-by-token rule. More is accepted than any lossless rule can. Each was put in order "
        "alone, and both together (below): the acceptance is what the check sees, the replacement shows with "
        "three tokens once the acceptance is right, and with both as published the bias is gone. With one or two "
        "drafts, and with the option off, the check passes. The option is documented as raising acceptance, not "
        "as lossy, and vllm-ascend's pull request 7808 calls the feature lossless; 9772 rewrote it.",
    ),
)


def find(name: str) -> Subject:
    """Look a subject up.

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    by_name = {subject.name: subject for subject in SUBJECTS}
    if name not in by_name:
        raise InvalidInput(f"{name!r} is no subject: choose from {', '.join(by_name)}")
    return by_name[name]
