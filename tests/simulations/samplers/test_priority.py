"""Priority coupling as a sampler: the coupling's own choice, for NumPy and torch, of one pair and of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from specproof.conformance.strategies import DEGENERATE
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.priority import PrioritySampler, verify
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers.priority import PriorityCoupling

ONE_RATIO = {"equal", "ties"}
"""Pairs with tokens of one ratio: where they are tensors, those share a set."""


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
@pytest.mark.parametrize("name", DEGENERATE)
def test_one_shared_row_is_as_many_equal_rows(name: str, kind: Any) -> None:
    draft, target = (np.array(row) for row in as_pair(*DEGENERATE[name]))
    rng = np.random.default_rng(71)
    drafts, uniforms = invert(draft, rng.random((300, 3))), rng.random((300, 4))
    found = verify(*map(kind, (draft, target, drafts, uniforms)))
    tiled = [kind(np.tile(row, (300, 1))) for row in (draft, target)]
    again = verify(*tiled, kind(drafts), kind(uniforms))
    assert found.tokens.tolist() == again.tokens.tolist()
    assert found.accepted.tolist() == again.accepted.tolist()
    if kind is np.asarray or name not in ONE_RATIO:
        tokens, accepted = PrioritySampler(PriorityCoupling(draft, target, 3)).choose(drafts, uniforms)
        assert found.tokens.tolist() == tokens.tolist()
        assert found.accepted.tolist() == accepted.tolist()


def test_tensors_come_back_as_tensors_of_integers() -> None:
    rng = np.random.default_rng(72)
    draft, target = (torch.from_numpy(dirichlet(6, 1.0, rng)).float() for _ in range(2))
    drafts = torch.from_numpy(invert(draft.numpy(), rng.random((20, 2))))
    found = verify(draft, target, drafts, torch.from_numpy(rng.random((20, 3))))
    assert found.tokens.dtype == found.accepted.dtype == torch.int64
    assert found.tokens.device == drafts.device


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
@pytest.mark.parametrize("laws", [([0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]), ([0.25, 0.75, 0.0], [0.5, 0.25, 0.25])])
def test_a_draft_that_cannot_have_been_drawn_is_named(laws: tuple[list[float], list[float]], kind: Any) -> None:
    """Also beside a token of q/p = k, with which one that is never drafted would share a set of tensors."""
    draft, target = (kind(np.array(law)) for law in laws)
    with pytest.raises(InvalidInput, match=r"drafts\[1, 0\] = 2 has draft probability 0"):
        verify(draft, target, kind(np.array([[0, 1], [2, 1]])), kind(np.full((2, 3), 0.5)))


@pytest.mark.parametrize("uniforms", ["text", [["a", "b", "c"]], np.full((1, 3), 1j), None, [[np.nan, 0, 0]]])
def test_uniforms_of_another_kind_are_refused(uniforms: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^uniforms"):
        PrioritySampler(PriorityCoupling([0.5, 0.5], [0.5, 0.5], 2)).choose([[0, 1]], uniforms)


def test_a_selection_needs_a_generator() -> None:
    with pytest.raises(InvalidInput, match=r"^rng is None: it must be a NumPy Generator"):
        PrioritySampler(PriorityCoupling([0.5, 0.5], [0.5, 0.5], 2)).select([[0, 1]], None)  # type: ignore[arg-type]


def test_of_equal_priorities_the_first_wins() -> None:
    found = PrioritySampler(PriorityCoupling([0.5, 0.5], [0.5, 0.5], 2)).choose([[0, 0]], [[0.5, 0.5, 0.0]])
    assert (found.tokens.tolist(), found.accepted.tolist()) == ([0], [0])
