"""ONNX Runtime GenAI: ``Generator`` with a draft model or n-grams, end to end on lookup tables written as graphs."""

from __future__ import annotations

import importlib
import json
import tempfile
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from audit.adapters.tpu_inference import JAX
from audit.package import unpack_for_import
from audit.prefixes import Prefixes
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="onnxruntime-genai",
    version="0.18.0",
    filename="onnxruntime_genai-0.18.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    size=11_239_551,
    sha256="af9e2a4efb447feea2cfa10e24aedef1e4f01635c00f6cca759ee13254ee27db",
    member="",
)
REQUIREMENTS = (
    Wheel(
        "onnxruntime",
        "1.32.0",
        "onnxruntime-1.32.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        27_773_237,
        "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
        "",
    ),
    Wheel(
        "onnx",
        "1.23.2",
        "onnx-1.23.2-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        8_886_609,
        "c03ecf6b835d136108eeaeeafbd0026fc7b3cf98661409fbc6b63d5a29361348",
        "",
    ),
    Wheel(
        "protobuf",
        "7.36.2",
        "protobuf-7.36.2-cp310-abi3-manylinux2014_x86_64.whl",
        343_223,
        "89f23aa53c24553a2416fd4fd1ec06f74fa42b14b546d8883128813f775bbfd2",
        "",
    ),
    *(wheel for wheel in JAX if wheel.distribution == "ml-dtypes"),
)
WHEELS = (WHEEL, *REQUIREMENTS)
DRAFTS = 3
CACHES = ("key", "value")
LONGEST = 32
"""Of a text, in ids."""


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, at temperature 1 without a cut."""
    return _texts(_model(target_model, draft_model), [target_model.num_states, *prompt], length, n, rng)


def generate_from_ngrams(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, the drafts being what followed the last two tokens before; the draft model is not asked."""
    del draft_model
    return _texts(_model(target_model), [target_model.num_states, *prompt], length, n, rng)


def _texts(model: Any, first: list[int], length: int, n: int, rng: np.random.Generator) -> Tokens:
    genai, ids = _packages()[0], np.array([first], dtype=np.int32)
    texts = np.empty((n, length), dtype=np.int64)
    for text in texts:
        parameters = genai.GeneratorParams(model)
        seed = int(rng.integers(2**31 - 1))
        parameters.set_search_options(do_sample=True, max_length=ids.shape[1] + length, random_seed=seed)
        generator = genai.Generator(model, parameters)
        generator.append_tokens(ids)
        while not generator.is_done():
            generator.generate_next_token()
        text[:] = generator.get_sequence(0)[ids.shape[1] :]
    return texts


@cache
def _packages() -> tuple[Any, Any]:
    unpack_for_import(*WHEELS)
    return importlib.import_module("onnxruntime_genai"), importlib.import_module("onnx")


@lru_cache(maxsize=8)
def _model(target_model: TabularModel, draft_model: TabularModel | None = None) -> Any:
    """What ``Generator`` takes: a folder with a configuration and graphs, which are read once."""
    genai, onnx = _packages()
    first = target_model.num_states
    model: dict[str, Any] = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), first)
    model |= {"type": "llama", "vocab_size": first + 1, "context_length": LONGEST, "decoder": _decoder("target.onnx")}
    speculative = {"max_draft_tokens": DRAFTS}
    if draft_model is None:
        speculative["ngram_size"] = 2
    else:
        model |= {"type": "speculative", "draft": _decoder("draft.onnx")}
    search = {"max_length": LONGEST, "top_k": 0, "top_p": 1.0, "temperature": 1.0, "past_present_share_buffer": False}
    with tempfile.TemporaryDirectory() as folder:
        for name, table in (("draft.onnx", draft_model), ("target.onnx", target_model)):
            if table is not None:
                onnx.save(_graph(table), Path(folder, name))
        config = {"model": model, "search": search, "speculative": speculative}
        Path(folder, "genai_config.json").write_text(json.dumps(config), encoding="utf-8")
        return genai.Model(folder)


def _decoder(filename: str) -> dict[str, Any]:
    return {
        "filename": filename,
        "session_options": {"provider_options": [], "intra_op_num_threads": 1, "inter_op_num_threads": 1},
        "head_size": 1,
        "hidden_size": 1,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "num_hidden_layers": 1,
        "inputs": {
            "input_ids": "input_ids",
            "past_key_names": "past_key_values.%d.key",
            "past_value_names": "past_key_values.%d.value",
        },
        "outputs": {
            "logits": "logits",
            "present_key_names": "present.%d.key",
            "present_value_names": "present.%d.value",
        },
    }


def _graph(model: TabularModel) -> Any:
    """A model whose cache remembers the tokens, and which looks up the logits of each prefix."""
    onnx = _packages()[1]
    helper, prefixes = onnx.helper, Prefixes.of(model, LONGEST)
    kinds = {"float32": onnx.TensorProto.FLOAT, "int64": onnx.TensorProto.INT64}
    constants = {
        "weights": prefixes.weights,
        "rows": prefixes.rows.astype(np.float32),
        "last": np.array([len(prefixes.rows) - 1]),
        "one": np.array([1]),
        "zero": np.array([0]),
        "outer": np.array([1, 3]),
        "axis": np.array(1),
    }
    steps = [
        ("Cast", "input_ids", "numbers", {"to": kinds["float32"]}),
        ("Unsqueeze", "numbers outer", "entries", {}),
        ("Concat", "past_key_values.0.key entries", "present.0.key", {"axis": 2}),
        ("Concat", "past_key_values.0.value entries", "present.0.value", {"axis": 2}),
        ("Squeeze", "present.0.key outer", "history", {}),
        ("Cast", "history", "tokens", {"to": kinds["int64"]}),
        ("Add", "tokens one", "digits", {}),
        ("Shape", "history", "end", {"start": 1}),
        ("Slice", "weights zero end zero", "places", {}),
        ("Mul", "digits places", "terms", {}),
        ("CumSum", "terms axis", "sums", {}),
        ("Min", "sums last", "prefixes", {}),
        ("Shape", "past_key_values.0.key", "begin", {"start": 2, "end": 3}),
        ("Slice", "prefixes begin end one", "asked", {}),
        ("Gather", "rows asked", "logits", {"axis": 0}),
    ]
    nodes = [helper.make_node(kind, inputs.split(), [output], **more) for kind, inputs, output, more in steps]

    def declare(name: str, kind: str, *shape: Any) -> Any:
        return helper.make_tensor_value_info(name, kinds[kind], shape)

    inputs = [declare("input_ids", "int64", "n", "s")]
    inputs += [declare(f"past_key_values.0.{name}", "float32", "n", 1, "past", 1) for name in CACHES]
    outputs = [declare("logits", "float32", "n", "s", prefixes.rows.shape[1])]
    outputs += [declare(f"present.0.{name}", "float32", "n", 1, "all", 1) for name in CACHES]
    held = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "table", inputs, outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
