"""Every public function and class has an example, and the example runs."""

from __future__ import annotations

import doctest
import inspect
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

PUBLIC_MODULES = ("specproof", "specproof.theory", "specproof.conformance", "specproof.claims")

NEED_TORCH = ("specproof.transformers",)
"""Modules whose names need the extra ``llm``."""


def _public() -> dict[str, object]:
    """Every public function and class by its full name, each once."""
    found: dict[str, object] = {}
    for module_name in PUBLIC_MODULES:
        if module_name in NEED_TORCH and find_spec("torch") is None:
            continue
        module = import_module(module_name)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or inspect.isclass(value):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


PUBLIC = _public()


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_runs(name: str) -> None:
    value = PUBLIC[name]
    module = sys.modules[str(value.__module__)]
    finder = doctest.DocTestFinder(recurse=False, exclude_empty=True)
    tests = finder.find(value, name, module=module, globs=dict(vars(module)))
    assert any(test.examples for test in tests), f"{name} has no example in its docstring"
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in tests:
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
