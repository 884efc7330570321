"""Every public function and class has an example, and the example runs."""

from __future__ import annotations

import doctest
import inspect
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

PUBLIC_MODULES = (
    "specproof",
    "specproof.theory",
    "specproof.conformance",
    "specproof.traces",
    "specproof.claims",
    "specproof.figures",
)

NEEDS_LLM = "specproof.transformers"
"""The names of this module need the extra ``llm``."""

LLM = bool(find_spec("torch") and find_spec("transformers"))


def _public() -> dict[str, object]:
    """Every public function and class by its full name, each once."""
    found: dict[str, object] = {}
    for module_name in (*PUBLIC_MODULES, *([NEEDS_LLM] if LLM else [])):
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


@pytest.mark.skipif(not LLM, reason="the examples of specproof.transformers need the extra llm")
def test_the_rules_for_transformers_are_among_them() -> None:
    assert "specproof.simulations.language_models.custom_generate.speculative" in PUBLIC
