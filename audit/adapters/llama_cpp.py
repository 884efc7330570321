"""llama.cpp: its server with a draft model, end to end on lookup tables written as GGUF files."""

from __future__ import annotations

import importlib
import tempfile
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter, TokenType

from audit.package import unpack_for_import
from audit.prefixes import logits_after
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="xllamacpp",
    version="2026.10.11549",
    filename="xllamacpp-2026.10.11549-cp310-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    size=33_827_498,
    sha256="c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261",
    member="",
)
WHEELS = (WHEEL,)
DRAFTS = 3
LONGEST = 64
"""Of a text, in tokens."""
HEAD = 2
"""The width of the attention, which adds nothing."""
LETTERS = ord("A")
"""The server answers in text: the token 0 is written as this letter, and each further one as the next."""
REQUEST = {
    "ignore_eos": True,
    "cache_prompt": False,
    "samplers": ["temperature"],
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
}
"""The target's own law: no cut, no penalty, and nothing kept from the request before."""


class Drafting(StrEnum):
    """How the draft model's tokens are chosen, by the names of the server's option."""

    GREEDY = "greedy"
    PROBABILISTIC = "probabilistic"


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
    drafting: Drafting = Drafting.PROBABILISTIC,
) -> Tokens:
    """Contract generate, for tables in which only the last token matters; the drafts are drawn."""
    return _texts(_server(target_model, draft_model, drafting), [target_model.num_states, *prompt], length, n, rng)


def generate_greedily(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, for such tables; each draft is the likeliest token, as is the server's default."""
    return generate(draft_model, target_model, prompt, length, n, rng, Drafting.GREEDY)


def generate_alone(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, without a draft model: what the adapter does by itself."""
    del draft_model
    return _texts(_server(target_model), [target_model.num_states, *prompt], length, n, rng)


def _texts(server: Any, prompt: list[int], length: int, n: int, rng: np.random.Generator) -> Tokens:
    texts = np.empty((n, length), dtype=np.int64)
    for text in texts:
        seed = int(rng.integers(2**32 - 1))  # the number after these stands for a seed of the server's choice
        answer = server.handle_completions({"prompt": prompt, "n_predict": length, "seed": seed, **REQUEST})
        text[:] = [ord(letter) - LETTERS for letter in answer["choices"][0]["text"]]
    return texts


@cache
def _package() -> Any:
    unpack_for_import(WHEEL)
    return importlib.import_module("xllamacpp")


@lru_cache(maxsize=4)
def _server(target: TabularModel, draft: TabularModel | None = None, drafting: Drafting = Drafting.GREEDY) -> Any:
    """A server with one slot, which reads its models once."""
    package = _package()
    params, drafter = package.CommonParams(), package.CommonParams().speculative.draft
    with tempfile.TemporaryDirectory() as folder:
        params.model.path = _write(target, Path(folder, "target.gguf"))
        params.n_ctx, params.n_parallel, params.cache_ram_mib, params.verbosity = LONGEST, 1, 0, 0
        params.warmup = params.fit_params = params.use_jinja = False
        _on_one_thread(params)
        if draft is not None:
            drafter = params.speculative.draft
            drafter.mparams.path = _write(draft, Path(folder, "draft.gguf"))
            drafter.n_max, drafter.probabilistic = DRAFTS, drafting is Drafting.PROBABILISTIC
            params.speculative.types = [package.common_speculative_type.COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE]
            _on_one_thread(drafter)
        return package.Server(params)


def _on_one_thread(params: Any) -> None:
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1


def _write(model: TabularModel, path: Path) -> str:
    """A Llama with the table's laws: its layer adds nothing, so each token's logits are looked up by the token."""
    logits = logits_after(model)
    size = len(logits)
    writer = GGUFWriter(path, "llama")
    _describe(writer, size)
    weights = {
        "token_embd": np.eye(size),
        "output_norm": np.ones(size),
        "output": logits.T / size**0.5,  # the norm before makes a unit vector of length sqrt(size)
        "blk.0.attn_norm": np.ones(size),
        "blk.0.attn_q": np.zeros((HEAD, size)),
        "blk.0.attn_k": np.zeros((HEAD, size)),
        "blk.0.attn_v": np.zeros((HEAD, size)),
        "blk.0.attn_output": np.zeros((size, HEAD)),
        "blk.0.ffn_norm": np.ones(size),
        "blk.0.ffn_gate": np.zeros((1, size)),
        "blk.0.ffn_up": np.zeros((1, size)),
        "blk.0.ffn_down": np.zeros((size, 1)),
    }
    for name, weight in weights.items():
        writer.add_tensor(f"{name}.weight", weight.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(path)


def _describe(writer: GGUFWriter, size: int) -> None:
    """Shapes and a vocabulary; the last token, which cannot be drawn, is every special one."""
    writer.add_context_length(LONGEST)
    writer.add_embedding_length(size)
    writer.add_block_count(1)
    writer.add_feed_forward_length(1)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(0.0)
    writer.add_vocab_size(size)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([chr(LETTERS + token) for token in range(size)])
    writer.add_token_scores([0.0] * size)
    writer.add_token_types([TokenType.NORMAL] * size)
    writer.add_bos_token_id(size - 1)
    writer.add_eos_token_id(size - 1)
    writer.add_unk_token_id(size - 1)
    writer.add_add_bos_token(False)
