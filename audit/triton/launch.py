"""``triton`` itself: decorating and launching kernels, and the modules that a package imports."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from audit.triton import interpreter, language
from audit.triton.values import argument

TILE = 4
"""A kernel's tiles of the vocabulary, thousands of tokens wide, are made so narrow: eight tokens cross them."""
OPTIONS = ("num_warps", "num_stages")
"""What only a compiler heeds."""


class Kernel:
    """A decorated function: called from another one as it is, launched by ``kernel[grid](...)``."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.fn = function
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        self.arg_names = list(names)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run it within the program that calls it."""
        return self.fn(*arguments, **options)

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        def run(*arguments: Any, **options: Any) -> None:
            given = [argument(each) for each in arguments]
            named = {name: _narrow(name, argument(each)) for name, each in options.items() if name not in OPTIONS}
            language.PLACE["grid"] = grid
            with np.errstate(all="ignore"):
                for program in itertools.product(*map(range, grid)):
                    language.PLACE["program"] = program
                    self.fn(*given, **named)

        return run


def jit(function: Callable[..., Any] | None = None, **_: Any) -> Any:
    """Decorate a kernel, with options or without."""
    return Kernel if function is None else Kernel(function)


def cdiv(number: int, size: int) -> int:
    """How many tiles cover a number."""
    return -(-number // min(size, TILE))


def next_power_of_2(number: int) -> int:
    """The smallest that is not less."""
    return 1 << (number - 1).bit_length()


def modules() -> dict[str, ModuleType]:
    """What a package's module imports of Triton, by name; Triton's own where ``TRITON_INTERPRET`` is set to 1."""
    if os.environ.get("TRITON_INTERPRET") == "1":
        return interpreter.modules()
    triton, extra = ModuleType("triton"), ModuleType("triton.language.extra")
    triton.__dict__.update(jit=jit, cdiv=cdiv, next_power_of_2=next_power_of_2, language=language, __path__=[])
    extra.__dict__.update(libdevice=language)
    return {
        "triton": triton,
        "triton.language": language,
        "triton.language.extra": extra,
        interpreter.LIBDEVICE: language,
    }


def _narrow(name: str, given: Any) -> Any:
    is_tile = name.startswith("BLOCK") and isinstance(given, int) and not isinstance(given, bool)
    return min(given, TILE) if is_tile else given
