"""The claims about priority layer verification: their cells hold, and what they compare with is refuted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from specproof.simulations.claims.trees import layer_ends, layer_lossless, yardstick
from specproof.simulations.evidence import ClaimVerdict, Method


def context() -> Any:
    return SimpleNamespace(rng=np.random.default_rng(171), level=1e-8)


@pytest.mark.parametrize(
    ("cell", "size"),
    [
        (layer_lossless.sequences, {"instances": 13}),
        (layer_lossless.shapes, {"instances": 2}),
        (layer_lossless.simulation, {"trials": 100_000}),
        (layer_ends.one_sequence, {"instances": 9}),
        (layer_ends.one_position, {"instances": 16}),
        (layer_ends.mean_weights, {"instances": 3}),
        (layer_ends.between, {"instances": 12}),
        (yardstick.small, {"instances": 8}),
    ],
)
def test_a_cell_holds_and_its_control_is_refuted(cell: Any, size: dict[str, int]) -> None:
    verdicts: dict[bool, set[ClaimVerdict]] = {True: set(), False: set()}
    for row in cell(context(), **size).rows:
        verdicts[row.method is Method.CONTROL].add(row.verdict)
    assert verdicts[True] == {ClaimVerdict.REFUTED}
    assert verdicts[False] <= {ClaimVerdict.HOLDS, ClaimVerdict.CONSISTENT}
