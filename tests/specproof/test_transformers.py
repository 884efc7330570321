"""The public door to the rules inside ``generate``."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from specproof import InvalidInput
from specproof.simulations.language_models import pairs


@pytest.mark.parametrize("absent", [["torch"], ["torch", "transformers"]])
def test_without_the_extra_importing_names_it_in_one_line(monkeypatch: pytest.MonkeyPatch, absent: list[str]) -> None:
    def without(name: str) -> Any:
        return None if name in absent else find_spec(name)

    monkeypatch.setattr(pairs, "find_spec", without)
    monkeypatch.delitem(sys.modules, "specproof.transformers", raising=False)
    with pytest.raises(InvalidInput) as raised:
        importlib.import_module("specproof.transformers")
    message = str(raised.value)
    assert message.startswith(f"language models need {', '.join(absent)}, not installed here")
    assert message.endswith("run pip install 'specproof[llm]'")
    assert "\n" not in message


def test_other_packages_of_the_extra_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    monkeypatch.setattr(pairs, "find_spec", lambda name: None if name == "gguf" else find_spec(name))
    monkeypatch.delitem(sys.modules, "specproof.transformers", raising=False)
    module = importlib.import_module("specproof.transformers")
    assert all(hasattr(module, name) for name in module.__all__)
