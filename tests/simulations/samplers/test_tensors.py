"""Tensors are verified where they are: no rule takes one as long as the vocabulary to NumPy, and all select alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from specproof.conformance.strategies import DEGENERATE
from specproof.simulations.samplers import SAMPLERS, kseq, priority, whole_blocks
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.kseq_factor import smallest_factor
from specproof.simulations.samplers.priority_tensors import share_rows
from specproof.simulations.samplers.sequences import verify_level
from specproof.simulations.statistics import check_law
from specproof.theory.distribution import as_pair, dirichlet, softmax
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers.kseq.factor import smallest_valid
from specproof.theory.verifiers.priority import shared

ROWS, VOCABULARY, NUM_DRAFTS = 40, 300, 3
ON_GPU = pytest.param(
    "cuda",
    marks=(
        pytest.mark.cuda,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
    ),
)
RULES: dict[str, Callable[..., Any]] = {
    **SAMPLERS,
    "one level of sequences": lambda *pair: verify_level(
        *pair[:3], pair[2] >= 0, pair[3], SAMPLERS["kseq"]
    ),  # all are alive
    # So little that both kinds of arrays have the same sets.
    "priority": lambda *pair: priority.verify(*pair, tolerance=1e-9),
}


def drafted(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    draft, target = dirichlet(VOCABULARY, 0.3, rng, ROWS), dirichlet(VOCABULARY, 0.3, rng, ROWS)
    drafts = np.stack([invert(draft, rng.random(ROWS)) for _ in range(NUM_DRAFTS)], axis=-1)
    return draft, target, drafts, rng.random((ROWS, NUM_DRAFTS + 1))


@pytest.fixture
def stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to make a NumPy array or a list of what has as many entries as the vocabulary, or to leave the device.

    The vocabulary counts as a large one, of which tokens share sets.
    """
    monkeypatch.setattr(shared, "FEW", VOCABULARY - 1)
    for name in ("__array__", "numpy", "tolist", "cpu"):
        known = getattr(torch.Tensor, name)

        def guarded(tensor: torch.Tensor, *args: Any, known: Any = known, **settings: Any) -> Any:
            assert tensor.ndim == 0 or tensor.shape[-1] < VOCABULARY, "a tensor of the vocabulary's size has left"
            return known(tensor, *args, **settings)

        monkeypatch.setattr(torch.Tensor, name, guarded)


@pytest.mark.usefixtures("stays")
@pytest.mark.parametrize("device", ["cpu", ON_GPU])
@pytest.mark.parametrize("name", RULES)
def test_no_rule_takes_tensors_to_numpy(name: str, device: str) -> None:
    arrays = drafted(np.random.default_rng(81))
    expected = RULES[name](*arrays)
    found = RULES[name](*(torch.asarray(array, device=device) for array in arrays))
    assert found.tokens.device.type == found.accepted.device.type == device
    assert np.array_equal([int(token) for token in found.tokens], expected.tokens)
    assert np.array_equal([int(index) for index in found.accepted], expected.accepted)


@pytest.mark.usefixtures("stays")
@pytest.mark.parametrize("device", ["cpu", ON_GPU])
def test_blocks_of_tensors_stay(device: str) -> None:
    rng = np.random.default_rng(82)
    draft, target = dirichlet(VOCABULARY, 0.3, rng, (ROWS, 2)), dirichlet(VOCABULARY, 0.3, rng, (ROWS, 3))
    arrays = draft, target, invert(draft, rng.random((ROWS, 2))), rng.random((ROWS, 3))
    expected = whole_blocks.verify(*arrays)
    found = whole_blocks.verify(*(torch.asarray(array, device=device) for array in arrays))
    assert np.array_equal([int(kept) for kept in found.accepted], expected.accepted)
    assert np.array_equal([int(token) for token in found.tokens], expected.tokens)


@pytest.mark.usefixtures("stays")
def test_the_guard_sees_a_rule_that_leaves() -> None:
    draft, target, drafts, uniforms = map(torch.asarray, drafted(np.random.default_rng(83)))
    with pytest.raises(AssertionError, match="has left"):
        kseq.verify(draft.numpy(), target, drafts, uniforms)
    with pytest.raises(AssertionError, match="has left"):
        np.asarray(target)


@pytest.mark.parametrize("num_drafts", [1, 2, 8, 1000])
def test_the_factor_of_tensors_is_that_of_arrays(num_drafts: int) -> None:
    rng = np.random.default_rng(84)
    pairs = [(dirichlet(9, c, rng, 300), dirichlet(9, c, rng, 300)) for c in (0.05, 1.0, 100.0)]
    pairs += [tuple(row[np.newaxis].copy() for row in as_pair(*pair)) for pair in DEGENERATE.values()]
    for draft, target in pairs:
        found = smallest_factor(torch.asarray(draft), torch.asarray(target), num_drafts)
        assert found.numpy() == pytest.approx(smallest_valid(draft, target, num_drafts), rel=1e-12, abs=0)


def test_laws_that_are_equal_but_for_rounding_have_a_factor_of_one() -> None:
    draft = dirichlet(7, 0.02, np.random.default_rng(85), 500)
    near = draft * (1 + 1e-9 * np.random.default_rng(86).random(draft.shape))
    near /= near.sum(axis=-1, keepdims=True)
    assert (smallest_factor(torch.asarray(draft), torch.asarray(near), 2).numpy() <= 1 + 1e-8).all()


@pytest.mark.parametrize("num_drafts", [1, 2, 8])
@pytest.mark.parametrize("tolerance", [0.0, 1e-5, 1e-3])
def test_shared_sets_are_within_the_tolerance_of_the_optimum(tolerance: float, num_drafts: int) -> None:
    rng = np.random.default_rng(87)
    draft = softmax(3.0 * rng.normal(size=(3, 3_000)))
    target = softmax(np.log(draft) + rng.normal(size=draft.shape))
    target[2] = draft[2]
    sets = share_rows(torch.asarray(draft), torch.asarray(target), num_drafts, tolerance)
    accepted = torch.minimum(sets.won, sets.target).sum(dim=-1).numpy()
    best = optimal_acceptance(draft, target, num_drafts)
    assert (accepted <= best + 1e-13).all()
    assert (accepted >= best - tolerance - 1e-13).all()
    assert sets.won.sum(dim=-1).numpy() == pytest.approx(1.0, abs=1e-13)
    if tolerance == 1e-3:
        assert sets.length.shape[1] < 800  # far fewer than there are tokens


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_pairs_share_sets(name: str) -> None:
    pair = [np.array(row) for row in as_pair(*DEGENERATE[name])]
    sets = share_rows(*(torch.asarray(row)[None] for row in pair), 3, 1e-5)
    accepted = float(torch.minimum(sets.won, sets.target).sum())
    assert accepted == pytest.approx(float(optimal_acceptance(*pair, 3)), abs=1e-5)


def test_tokens_that_share_a_set_are_emitted_as_the_target_asks() -> None:
    """200,000 trials at level 1e-8 see 0.01 in any probability; another target is refuted."""
    draft = torch.asarray([0.3, 0.2, 0.1, 0.1, 0.2, 0.1])
    target = torch.asarray([0.1, 0.1, 0.05, 0.2, 0.4, 0.15])
    assert share_rows(draft[None], target[None], 2, 1e-5).length.shape == (1, 4)  # twice two tokens have one ratio
    rng = np.random.default_rng(88)
    drafts = torch.asarray(invert(draft.double().numpy(), rng.random((200_000, 2))))
    found = priority.verify(draft, target, drafts, torch.asarray(rng.random((200_000, 3))), tolerance=1e-5)
    check = check_law(found.tokens.numpy(), target.double().numpy(), 1e-8)
    assert check.detectable <= 0.01
    assert not check.is_refuted
    other = np.array([0.1, 0.1, 0.05, 0.15, 0.4, 0.2])
    assert check_law(found.tokens.numpy(), other, 1e-8).is_refuted
    chosen = found.accepted >= 0
    assert torch.equal(drafts[chosen, found.accepted[chosen]], found.tokens[chosen])
    best = float(optimal_acceptance(draft.numpy(), target.numpy(), 2))
    assert float(chosen.double().mean()) == pytest.approx(best, abs=0.01)


def test_tensors_that_are_no_distributions_are_refused() -> None:
    law, drafts, uniforms = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([[0, 1], [2, 1]]), torch.full((2, 3), 0.5)
    with pytest.raises(InvalidInput, match=r"drafts\[1, 0\] = 2 has draft probability 0"):
        priority.verify(law, law, drafts, uniforms)
    for wrong in ([0.5, 0.4, 0.0], [1.5, -0.5, 0.0], [float("nan"), 0.5, 0.5]):
        with pytest.raises(InvalidInput, match="target"):
            priority.verify(law, torch.tensor(wrong), drafts[:1], uniforms[:1])


def test_the_tolerance_is_small_and_of_large_vocabularies_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    class Spy(priority.PriorityCoupling):
        def __init__(self, *arguments: Any) -> None:
            asked.append(arguments[3])
            super().__init__(*arguments)

    monkeypatch.setattr(priority, "PriorityCoupling", Spy)
    for vocabulary in (10, 5_000):
        law = np.full(vocabulary, 1 / vocabulary)
        priority.verify(law, law, np.array([[0, 1]]), np.full((1, 3), 0.5))
    assert asked == [0.0, 1e-5]
    with pytest.raises(InvalidInput, match=r"tolerance is 0\.1"):
        priority.verify(law, law, np.array([[0, 1]]), np.full((1, 3), 0.5), tolerance=0.1)


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
@pytest.mark.parametrize("num_drafts", [1, 2, 400])
def test_a_token_that_the_target_never_emits_is_not_kept(num_drafts: int, kind: Any) -> None:
    """Not by a uniform of 0, nor where the mass of its set, 0.1^400, is too small for a float."""
    draft, target = kind(np.array([0.1, 0.9])), kind(np.array([0.0, 1.0]))
    drafts, uniforms = kind(np.zeros((1, num_drafts), dtype=np.int64)), kind(np.zeros((1, num_drafts + 1)))
    found = priority.verify(draft, target, drafts, uniforms)
    assert (found.tokens.tolist(), found.accepted.tolist()) == ([1], [-1])


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
def test_where_no_residual_is_left_a_token_of_the_target_is_emitted(kind: Any) -> None:
    """Rounding may reject where no token is wanted more: q <= p in every entry, and the last token has no mass."""
    draft, target = np.array([[0.1, 0.9, 0.0]]), np.array([[np.nextafter(0.1, 0.0), 0.9, 0.0]])
    assert target.sum() == 1.0
    arguments = map(kind, (draft, target, np.array([[0]]), np.full((1, 2), 1 - 2**-53)))
    found = priority.verify(*arguments)
    assert found.accepted.tolist() == [-1]
    assert found.tokens.tolist() != [2]
