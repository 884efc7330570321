"""Texts of a vLLM engine whose models are lookup tables: run by the interpreter that has vLLM, with a pipe's number.

A request has the target's logits after each token, shape (n, n), and the draft's, the tokens that stand first, the
number of tokens asked for, and a seed a text. The texts are the answer.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.update(
    HF_HUB_OFFLINE="1",
    VLLM_CPU_KVCACHE_SPACE="1",
    VLLM_CPU_OMP_THREADS_BIND="nobind",
    VLLM_ENABLE_V1_MULTIPROCESSING="0",
    VLLM_NO_USAGE_STATS="1",
)
import numpy as np
import torch
from safetensors.torch import save_file

TOKENS, WIDTH = 16, 64
"""Of the models: each token's embedding is a unit vector, and a layer adds nothing to it."""
LONGEST, ROWS = 64, 256
"""Tokens of a text, and texts at once."""
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": TOKENS,
    "hidden_size": WIDTH,
    "intermediate_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "num_key_value_heads": 1,
    "head_dim": WIDTH,
    "max_position_embeddings": 2 * LONGEST,
    "rms_norm_eps": 1e-12,
    "hidden_act": "silu",
    "torch_dtype": "float32",
    "bos_token_id": None,
    "eos_token_id": None,
}


def main(pipe: Connection, drafts: int, drafting: str, repaired: bool) -> None:
    """Answer requests until the pipe is closed; without drafts the target decodes alone."""
    engine, models, sampling = start(drafts, drafting)
    if repaired:
        import vllm.v1.sample.rejection_sampler as verifier

        verifier.expand_batch_to_tokens = expanded
    while True:
        try:
            tables, prompt, length, seeds = pipe.recv()
        except EOFError:
            return
        for model, logits in zip(models, tables, strict=True):
            write(model, logits)
        asked = [
            sampling(temperature=1.0, max_tokens=length, seed=seed, ignore_eos=True, detokenize=False) for seed in seeds
        ]
        answers = engine.generate([{"prompt_token_ids": prompt}] * len(asked), asked, use_tqdm=False)
        pipe.send(np.array([answer.outputs[0].token_ids for answer in answers], dtype=np.int64))


def start(drafts: int, drafting: str) -> tuple[Any, list[Any], Any]:
    """The engine, its models, the target first, and the class of what is asked for."""
    from vllm import LLM, SamplingParams

    with tempfile.TemporaryDirectory() as folder:
        for name in ("target", "draft"):
            save(Path(folder, name))
        speculation = {
            "method": "draft_model",
            "model": f"{folder}/draft",
            "num_speculative_tokens": drafts,
            "draft_sample_method": drafting,
        }
        engine = LLM(
            model=f"{folder}/target",
            skip_tokenizer_init=True,
            dtype="float32",
            max_model_len=LONGEST,
            max_num_seqs=ROWS,
            enforce_eager=True,
            enable_prefix_caching=False,
            disable_log_stats=True,
            speculative_config=speculation if drafts else None,
        )
    runner = engine.llm_engine.model_executor.driver_worker.worker.model_runner
    return engine, [runner.model, *([runner.drafter.model] if drafts else [])], SamplingParams


def save(folder: Path) -> None:
    """A Llama without a table yet."""
    layer = "model.layers.0"
    weights = {
        "model.embed_tokens.weight": torch.eye(TOKENS, WIDTH),
        "model.norm.weight": torch.ones(WIDTH),
        "lm_head.weight": torch.zeros(TOKENS, WIDTH),
        f"{layer}.input_layernorm.weight": torch.ones(WIDTH),
        f"{layer}.post_attention_layernorm.weight": torch.ones(WIDTH),
        **{f"{layer}.self_attn.{name}_proj.weight": torch.zeros(WIDTH, WIDTH) for name in "qkvo"},
        **{f"{layer}.mlp.{name}_proj.weight": torch.zeros(WIDTH, WIDTH) for name in ("gate", "up", "down")},
    }
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def write(model: Any, logits: np.ndarray) -> None:
    """Have a model look these logits up, and know no id but those that can be drawn: all but the last.

    The norm before the head makes a unit vector of length sqrt(WIDTH).
    """
    size, head = len(logits), model.lm_head
    head.weight.data.zero_()
    head.weight.data[:size, :size] = torch.from_numpy(logits.T) / WIDTH**0.5
    head.quant_method.process_weights_after_loading(head)  # which packs what a product reads
    model.logits_processor.org_vocab_size = size - 1


def expanded(
    given: torch.Tensor, ends: torch.Tensor, num_tokens: int, replace_from: int = 0, replace_to: int = 0
) -> torch.Tensor:
    """What vLLM's function of this name documents: each request's number once for each of its tokens."""
    del num_tokens
    counts = torch.diff(ends, prepend=ends.new_zeros(1)).long()
    return torch.where(given == replace_from, torch.full_like(given, replace_to), given).repeat_interleave(counts)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), **json.loads(sys.argv[2]))
