"""Where a stretch has the mass that is wanted: to the last digit, in few evaluations."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from specproof.theory.verifiers.priority.powers import power_quotient
from specproof.theory.verifiers.priority.stretches import near_cut, partial_cut, upper_end


@pytest.mark.parametrize("overlap", [0, 1, 2, 5])
@pytest.mark.parametrize("num_drafts", [2, 3, 8])
def test_a_cut_below_the_resolution_of_its_place_keeps_the_length(num_drafts: int, overlap: int) -> None:
    """By rounding a free segment may seem to end above where the next one begins: no cut may be negative for that."""
    bottom, room = 0.5, 1e-17
    edge = bottom + overlap * 2**-53
    density = num_drafts * 0.5 ** (num_drafts - 1)
    for wanted in room * density * np.array([0.1, 0.5, 0.9, 1 - 2**-53, 1.0, 2.0]):
        cut, _ = partial_cut(bottom, room, 0.0, edge, 0.25, wanted, num_drafts)
        assert 0.0 <= cut <= room


def count_powers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the cuts, not compiled, append to a list at each power that they evaluate."""
    seen: list[int] = []

    def counted(high: float, low: float, exponent: int) -> float:
        seen.append(exponent)
        return power_quotient(high, low, exponent)

    monkeypatch.setattr("specproof.theory.verifiers.priority.stretches.power_quotient", counted)
    return seen


DIGITS = 1000
"""Enough for a float's expansion, and for what the difference of two powers cancels."""

DRAFT_COUNTS, SEEN = (2, 3, 8, 64, 158, 1000, 10_000), 1e-280


@pytest.mark.parametrize("num_drafts", DRAFT_COUNTS)
def test_the_upper_end_is_the_exact_root_in_few_steps(num_drafts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To O(k eps) in the mass, to a thousand digits; two powers a step, six steps but for noise in the last digits."""
    seen = count_powers(monkeypatch)
    rng = np.random.default_rng([47, num_drafts])
    for _ in range(200 if num_drafts < 1000 else 20):
        root = float(rng.uniform(SEEN ** (1.0 / num_drafts), 1.0))
        length = root * float(10.0 ** rng.uniform(-6.0, 0.0))
        wanted = length * power_quotient(root, root - length, num_drafts)
        seen.clear()
        found = upper_end.py_func(length, wanted, num_drafts)
        assert len(seen) <= 1 + 2 * 8
        with localcontext(prec=DIGITS):
            end, low = Decimal(found), Decimal(found) - Decimal(length)
            mass = (end**num_drafts - max(low, Decimal(0)) ** num_drafts) / Decimal(wanted)
            assert abs(mass - 1) <= 8 * num_drafts * Decimal(2) ** -53


@pytest.mark.parametrize("num_drafts", DRAFT_COUNTS)
def test_a_cut_is_the_exact_root_in_few_steps(num_drafts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same across what was taken before: four powers a step, and k/20 steps more from afar."""
    seen = count_powers(monkeypatch)
    rng = np.random.default_rng([48, num_drafts])
    most = 0
    for _ in range(200 if num_drafts < 1000 else 20):
        high = float(rng.uniform(SEEN ** (1.0 / num_drafts), 1.0))
        edge, bottom = (high * np.sort(rng.random(2))).tolist()
        kept, root = high - bottom, float(rng.uniform(0.0, min(edge, 1.0 - high)))
        wanted = kept * power_quotient(bottom + kept, bottom, num_drafts)
        wanted += root * power_quotient(edge, edge - root, num_drafts)
        seen.clear()
        cut, held_down = partial_cut.py_func(bottom, kept + root, 0.0, edge, edge, wanted, num_drafts)
        most = max(most, len(seen))
        assert not held_down
        with localcontext(prec=DIGITS):
            rest, below = Decimal(kept + root) - Decimal(cut), Decimal(edge) - Decimal(cut)
            mass = (Decimal(bottom) + rest) ** num_drafts - Decimal(bottom) ** num_drafts
            mass += Decimal(edge) ** num_drafts - below**num_drafts
            assert abs(mass / Decimal(wanted) - 1) <= 16 * num_drafts * Decimal(2) ** -53
    assert most <= 4 * (8 + num_drafts / 20)


def test_a_short_cut_by_the_series_has_every_digit_or_is_refused() -> None:
    """Against a thousand digits, from cuts that need no second look at the mass to those that the series is not for."""
    kinds = {"refused": 0, "found": 0}
    for num_drafts in (2, 3, 8, 64):
        rng = np.random.default_rng([49, num_drafts])
        for _ in range(100):
            bottom, room = float(rng.uniform(0.3, 0.9)), float(10.0 ** rng.uniform(-6.0, -1.0))
            edge, root = bottom * float(rng.uniform(0.1, 1.0)), room * float(rng.random())
            upper = room * power_quotient(bottom + room, bottom, num_drafts)
            wanted = (room - root) * power_quotient(bottom + room - root, bottom, num_drafts)
            wanted += root * power_quotient(edge, edge - root, num_drafts)
            cut = near_cut(bottom, room, edge, upper - wanted, wanted, num_drafts)
            kinds["refused" if cut < 0.0 else "found"] += 1
            if not 0.0 <= cut < min(room, edge):
                continue
            with localcontext(prec=DIGITS):
                rest, below = Decimal(room) - Decimal(cut), Decimal(edge) - Decimal(cut)
                mass = (Decimal(bottom) + rest) ** num_drafts - Decimal(bottom) ** num_drafts
                mass += Decimal(edge) ** num_drafts - below**num_drafts
                assert abs(mass / Decimal(wanted) - 1) <= 2 * num_drafts * Decimal(2) ** -53
    assert min(kinds.values()) > 20
