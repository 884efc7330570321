"""Triton itself, whose interpreter runs kernels on a processor: slowly, to tell whether the stand-in is right.

``TRITON_INTERPRET=1`` has every adapter use it, which fetches Triton's wheel (286 MB) on first use.
"""

from __future__ import annotations

import importlib
from functools import partial, partialmethod
from types import ModuleType
from typing import Any

import numpy as np

from audit.package import unpack_for_import
from specproof.simulations.language_models.wheel import Wheel

WHEEL = Wheel(
    distribution="triton",
    version="3.9.0",
    filename="triton-3.9.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    size=285_777_556,
    sha256="1622118a038b0c6e16fa4a0305da62c8b3c15904ee1cc4d4e65846a25969e41e",
    member="triton/__init__.py",
)
LIBDEVICE = "triton.language.extra.libdevice"
MODULES = ("triton", "triton.language", "triton.language.extra", LIBDEVICE)


def modules() -> dict[str, ModuleType]:
    """What a package's module imports of Triton, by name.

    Raises
    ------
    InvalidInput
        If Triton's wheel cannot be fetched or is damaged.
    """
    unpack_for_import(WHEEL)
    found = {name: importlib.import_module(name) for name in MODULES}
    runtime = importlib.import_module("triton.runtime.interpreter")
    found[LIBDEVICE].__dict__["log1p"] = partial(_log1p, runtime)
    runtime.InterpreterBuilder.create_masked_store = partialmethod(_masked_store, runtime)
    return found


def _log1p(runtime: ModuleType, values: Any) -> Any:
    """Have a function of devices, of which the interpreter has none."""
    handle = runtime.TensorHandle(np.log1p(values.handle.data), values.handle.dtype)
    return type(values)(handle, values.type)


def _masked_store(_builder: Any, runtime: ModuleType, places: Any, values: Any, mask: Any, _: Any) -> Any:
    """Take a mask for the truth it is: "and" of two is a whole number in the interpreter, and refused as a mask."""
    return runtime._interpreter.store(places.data, values.data, mask.data.astype(bool))
