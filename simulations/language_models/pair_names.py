"""The names of pairs of language models, understood without loading anything."""

from __future__ import annotations

from dataclasses import dataclass

from specproof.theory.errors import InvalidInput

DEFAULT_PAIR = "rtn:4"
SMOLLM2_LAYERS = 30
LONGEST_NGRAM = 16
FORMS = (
    "rtn:BITS (2 to 8), int8, int8:bfloat16, skip:LAYER,LAYER,... (0 to 29), temperature:T (above 0), "
    f"ngram:N (1 to {LONGEST_NGRAM}), hf:DRAFT,TARGET"
)


@dataclass(frozen=True)
class PairSpec:
    """A pair's name, taken apart. Fields that the kind does not use are empty."""

    name: str
    """The name in normal form: equal pairs have equal names."""
    kind: str
    """What makes the draft of the target: int8, rtn, skip, temperature, ngram or hf."""
    bits: int = 0
    """The bits that a weight of the draft keeps, of kind rtn."""
    layers: tuple[int, ...] = ()
    """The layers that the draft leaves out, of kind skip."""
    dtype: str = "float32"
    """The type of the target's weights, of kind int8: float32 or bfloat16."""
    longest: int = 0
    """How many tokens the draft looks for in the text at most, of kind ngram."""
    temperature: float = 1.0
    """What the draft divides its logits by, of kind temperature."""
    locations: tuple[str, ...] = ()
    """The ids or folders of draft and target, of kind hf."""


def parse_pair(name: str) -> PairSpec:
    """Take a pair's name apart.

    Raises
    ------
    InvalidInput
        If there is no such kind of pair, or its setting is out of range.
    """
    kind, separator, setting = name.partition(":")
    if kind not in _PARSERS or not (separator or kind == "int8"):
        raise InvalidInput(f"there is no model pair {name!r}: choose one of {FORMS}")
    return _PARSERS[kind](name, setting)


def _parse_rtn(name: str, setting: str) -> PairSpec:
    if not setting.isdecimal() or not 2 <= int(setting) <= 8:
        raise InvalidInput(f"bits of {name!r} is {setting!r}: give a whole number from 2 to 8, as in rtn:4")
    return PairSpec(f"rtn:{int(setting)}", "rtn", bits=int(setting))


def _parse_int8(name: str, setting: str) -> PairSpec:
    dtype = setting or "float32"
    if dtype not in ("float32", "bfloat16"):
        raise InvalidInput(f"target of {name!r} is {setting!r}: write int8, or int8:bfloat16 for a target of that type")
    return PairSpec("int8" if dtype == "float32" else f"int8:{dtype}", "int8", dtype=dtype)


def _parse_ngram(name: str, setting: str) -> PairSpec:
    if not setting.isdecimal() or not 1 <= int(setting) <= LONGEST_NGRAM:
        raise InvalidInput(
            f"length of {name!r} is {setting!r}: give a whole number from 1 to {LONGEST_NGRAM}, as in ngram:3"
        )
    return PairSpec(f"ngram:{int(setting)}", "ngram", longest=int(setting))


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


_PARSERS = {
    "rtn": _parse_rtn,
    "int8": _parse_int8,
    "skip": _parse_skip,
    "temperature": _parse_temperature,
    "ngram": _parse_ngram,
    "hf": _parse_hf,
}
