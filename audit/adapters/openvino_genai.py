"""OpenVINO GenAI: ``LLMPipeline`` with a draft model, end to end on lookup tables written as graphs."""

from __future__ import annotations

import importlib
import tempfile
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from audit.package import unpack_for_import
from audit.prefixes import logits_after
from specproof.conformance import Unsupported
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="openvino-genai",
    version="2026.4.1.0",
    filename="openvino_genai-2026.4.1.0-2636-cp311-cp311-manylinux_2_28_x86_64.whl",
    size=6_653_001,
    sha256="445b96c75983847feb4543db49336f67b8eba7c20d00252ef6b930aa5d5d787d",
    member="",
)
OPENVINO = Wheel(
    "openvino",
    "2026.4.1",
    "openvino-2026.4.1-22982-cp311-cp311-manylinux_2_28_x86_64.whl",
    59_130_756,
    "2d22b1da03f7caf74df30e9f6417d0ab2f637e4a38e08e1dcd294d2c37407aaf",
    "",
)
TOKENIZERS = Wheel(
    "openvino-tokenizers",
    "2026.4.1.0",
    "openvino_tokenizers-2026.4.1.0-py3-none-manylinux_2_28_x86_64.whl",
    1_857_119,
    "f30dc9d6dd9e485b10495bcf72fc257f33bf35938da783fbb8f17c98c5ab517f",
    "",
)
WHEELS = (WHEEL, OPENVINO, TOKENIZERS)
DRAFTS = 3
NO_TOKEN = 1_000_000
"""An end token that no vocabulary has."""
EXACT = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
WIDTH = 8
"""Of the attention head, which is asked for the engine's sake: its cache is made from it."""


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, for tables in which only the last token matters; at temperature 1 without a cut."""
    return _texts(_pipeline(target_model, draft_model), prompt, length, n, rng, num_assistant_tokens=DRAFTS)


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
    return _texts(_pipeline(target_model), prompt, length, n, rng)


def _texts(
    pipeline: Any, prompt: tuple[int, ...], length: int, n: int, rng: np.random.Generator, **options: int
) -> Tokens:
    openvino, genai = _packages()
    if not prompt:
        raise Unsupported("an empty prompt: give at least one token")
    ids = openvino.Tensor(np.array([prompt]))
    config = genai.GenerationConfig(
        do_sample=True, max_new_tokens=length, eos_token_id=NO_TOKEN, ignore_eos=True, top_k=0, **options
    )
    texts = np.empty((n, length), dtype=np.int64)
    for text in texts:
        config.rng_seed = int(rng.integers(2**31))
        text[:] = pipeline.generate(ids, config).tokens[0]
    return texts


@cache
def _packages() -> tuple[Any, Any]:
    unpack_for_import(*WHEELS)
    importlib.import_module("openvino_tokenizers")  # it tells the engine where its library is
    return importlib.import_module("openvino"), importlib.import_module("openvino_genai")


@lru_cache(maxsize=4)
def _pipeline(target_model: TabularModel, draft_model: TabularModel | None = None) -> Any:
    """Pipelines read folders, and only once."""
    _, genai = _packages()
    scheduling = genai.SchedulerConfig()
    scheduling.num_kv_blocks = 64
    with tempfile.TemporaryDirectory() as folder:
        target, draft = Path(folder, "target"), Path(folder, "draft")
        _save(target_model, target)
        drafting = {}
        if draft_model is not None:
            _save(draft_model, draft)
            drafting["draft_model"] = genai.draft_model(draft, "CPU", **EXACT)
        return genai.LLMPipeline(target, "CPU", scheduler_config=scheduling, **drafting, **EXACT)


def _save(model: TabularModel, folder: Path) -> None:
    openvino, _ = _packages()
    folder.mkdir()
    openvino.save_model(_table(logits_after(model)[:-1, :-1]), folder / "openvino_model.xml", compress_to_fp16=False)
    openvino.save_model(_tokenizer(), folder / "openvino_tokenizer.xml", compress_to_fp16=False)


def _table(rows: Array) -> Any:
    """A graph with the inputs, the attention and the cache that the engine looks for; they add 0 to the logits."""
    openvino, ops = _packages()[0], importlib.import_module("openvino.opset15")
    inputs = [
        _named(ops.parameter([-1, -1], np.int64), name) for name in ("input_ids", "attention_mask", "position_ids")
    ]
    ids, mask = inputs[:2]
    inputs.append(beam := _named(ops.parameter([-1], np.int32), "beam_idx"))
    zero = ops.constant(0)
    vectors = ops.constant(np.ones((len(rows), WIDTH), dtype=np.float32))
    states = ops.unsqueeze(ops.gather(vectors, ids, zero), ops.constant(1))
    batch = ops.gather(ops.shape_of(ids), ops.constant([0]), zero)
    empty = ops.broadcast(ops.constant(np.float32(0)), ops.concat([batch, ops.constant(np.array([1, 0, WIDTH]))], 0))
    caches, kept = [], []
    for name in ("key", "value"):
        variable = _variable(f"past_key_values.0.{name}present.0.{name}")
        caches.append(ops.concat([ops.gather(ops.read_value(empty, variable), beam, zero), states], -2))
        kept.append(ops.assign(caches[-1], variable))
    masked = ops.convert(ops.unsqueeze(mask, ops.constant([1, 2])), np.float32)
    attended = ops.squeeze(ops.scaled_dot_product_attention(states, *caches, masked), ops.constant([1]))
    # The mean of ones is one: never below 0, and compared it can bring no rounding into the logits.
    nothing = ops.convert(
        ops.less(ops.reduce_mean(attended, ops.constant([-1]), True), ops.constant(np.float32(0))), np.float32
    )
    logits = ops.add(ops.gather(ops.constant(rows.astype(np.float32)), ids, zero), nothing)
    return openvino.Model([ops.result(_named(logits, "logits"))], kept, inputs, "table")


def _variable(name: str) -> Any:
    openvino, util = _packages()[0], importlib.import_module("openvino.op.util")
    info = util.VariableInfo()
    info.variable_id, info.data_type = name, openvino.Type.f32
    info.data_shape = openvino.PartialShape([-1, 1, -1, WIDTH])
    return util.Variable(info)


def _tokenizer() -> Any:
    """A graph from texts to zeros: the engine asks for a tokenizer, and is given ids."""
    openvino, ops = _packages()[0], importlib.import_module("openvino.opset15")
    text = ops.parameter([-1], openvino.Type.string)
    shape = ops.concat([ops.shape_of(text), ops.constant([1])], 0)
    outputs = [_named(ops.broadcast(ops.constant(0), shape), name) for name in ("input_ids", "attention_mask")]
    return openvino.Model([ops.result(output) for output in outputs], [text], "tokenizer")


def _named(node: Any, name: str) -> Any:
    node.set_friendly_name(name)
    node.output(0).set_names({name})
    return node
