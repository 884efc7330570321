from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from specproof.simulations.samplers.selection import or_target, replace_rejected


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_only_the_rejected_are_replaced_each_by_its_own_row(kind: Any) -> None:
    tokens, accepted = kind([0, 0, 0]), kind([True, False, False])
    rows = kind([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    uniforms = kind([0.0, 0.0, 0.25])
    assert replace_rejected(tokens, accepted, rows, uniforms).tolist() == [0, 2, 1]
    assert replace_rejected(tokens, accepted, rows[2], kind([0.9, 0.9, 0.1])).tolist() == [0, 2, 1]
    assert tokens.tolist() == [0, 0, 0], "the drafts are left as they were"


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_rows_without_residual_fall_back_to_the_target(kind: Any) -> None:
    target = kind([0.5, 0.5, 0.0])
    residual = kind([[0.0, 0.0, 0.0], [0.0, 0.25, 0.0]])
    assert or_target(residual, target).tolist() == [[0.5, 0.5, 0.0], [0.0, 0.25, 0.0]]
