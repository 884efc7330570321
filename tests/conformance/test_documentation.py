"""Every block of Python in docs/conformance.md runs as printed; each asserts the verdict that the page gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def cost(block: str) -> tuple[pytest.MarkDecorator, ...]:
    """An adapter that loops over trials takes its time."""
    return (pytest.mark.slow,) if "seconds=300" in block else ()


@pytest.mark.parametrize("block", [pytest.param(block, marks=cost(block), id=str(i)) for i, block in enumerate(BLOCKS)])
def test_the_block_runs(block: str) -> None:
    if "import torch" in block:
        pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert tests or "assert" in block
    for test in tests:
        test()


def test_there_are_as_many_blocks_as_the_page_shows() -> None:
    assert len(BLOCKS) == PAGE.read_text(encoding="utf-8").count("```python") == 6
