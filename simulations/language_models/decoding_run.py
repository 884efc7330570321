"""What a decode emitted, and every test it made on the way, as columns of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from specproof.simulations.language_models.decoding_loop import SELECTION
from specproof.simulations.language_models.round_rule import LevelTest, Selected
from specproof.simulations.language_models.stopwatch import Stopwatch
from specproof.simulations.language_models.texts import Texts
from specproof.simulations.samplers.selection import Selection
from specproof.theory.verifiers.selection_law import SelectionLaw

Measure = Callable[[LevelTest], Mapping[str, NDArray[np.float64]]]
"""Numbers by name, each of shape (n,), from the tests of n texts at one level, given as NumPy arrays."""

ExactLaw = Callable[[NDArray[np.float64], NDArray[np.float64], int], SelectionLaw]
"""The exact law of a verifier, ``law(draft, target, num_drafts)``: see :data:`specproof.theory.verifiers.VERIFIERS`."""


@dataclass(frozen=True)
class DecodingRun:
    """What a decode of B texts by R rounds emitted, and the N tests it made on the way.

    A text is tested at a level while some draft sequence agrees with all that was emitted in the round. The levels
    after the first rejection of a round, after the end of a text or beyond the horizon are not tested, nor is the bonus
    token.
    """

    tokens: NDArray[np.int64]
    """The emitted tokens, shape (B, T), -1 after a text's end."""
    text: NDArray[np.int64]
    """Which text each test belongs to, shape (N,), in the order of testing; so are the next eight."""
    position: NDArray[np.int64]
    """Where the test stands in the continuation, from 0."""
    level: NDArray[np.int64]
    """How deep in the draft sequences it stands, from 0."""
    alive: NDArray[np.int64]
    """How many drafts agreed with what was emitted before, and were put to the verifier."""
    tv: NDArray[np.float64]
    """Total variation distance of the two distributions there: with one draft, the probability of a rejection."""
    rejected: NDArray[np.bool_]
    """Whether none of the drafts was accepted."""
    drafted: NDArray[np.int64]
    """The first of the drafts."""
    emitted: NDArray[np.int64]
    """The accepted draft, or the token that was drawn in their place."""
    measured: Mapping[str, NDArray[np.float64]]
    """What ``measure`` found at each test, shape (N,) for each name; empty without tests."""
    round_text: NDArray[np.int64]
    """Which text each round belongs to, shape (R,); so are the next three."""
    round_tested: NDArray[np.int64]
    """How many levels were tested in the round."""
    round_accepted: NDArray[np.int64]
    """How many drafted tokens were accepted in the round."""
    round_emitted: NDArray[np.int64]
    """How many tokens were emitted in the round: the accepted, and the replacement or bonus token.

    Of whole rounds those beyond the horizon are counted too.
    """
    target_calls: NDArray[np.int64]
    """Rounds, each one forward pass of the target, for each text, shape (B,). Reading the prompt is not counted."""
    seconds: Stopwatch
    """The time of all rounds, in the parts ``draft``, ``target`` and ``selection``; recording takes no part in it."""

    @property
    def rejections(self) -> int:
        """How many tests ended in a rejection."""
        return int(self.rejected.sum())

    @property
    def expected_rejections(self) -> float:
        r"""The sum of the total variation distances at the tested positions.

        With one draft its mean is that of :attr:`rejections`, whatever the draft length: their difference is a
        martingale. Without bonus tokens every emitted position is tested, and the mean of either is the count of Yin
        et al. 2024, Theorem 1.
        """
        return float(self.tv.sum())

    @property
    def mean_accepted_length(self) -> float:
        """How many drafted tokens are accepted in a round, on average."""
        return float(self.round_accepted.mean())

    @property
    def block_efficiency(self) -> float:
        """How many tokens are emitted for a target call, on average."""
        return float(self.round_emitted.mean())


class Recorder:
    """Collects the tests and rounds of a run, under the names that :class:`DecodingRun` gives them."""

    def __init__(self, texts: Texts, watch: Stopwatch, measure: Measure | None) -> None:
        self._texts, self._watch, self._measure = texts, watch, measure
        self._columns: dict[str, list[NDArray[Any]]] = {name: [np.empty(0, kind)] for name, kind in _COLUMNS.items()}
        self._measured: dict[str, list[NDArray[np.float64]]] = {}

    def emitted(self, texts: Tensor, tokens: Tensor, test: LevelTest | None) -> None:
        """Record the tests of these texts, outside the time of the selection."""
        if test is None:
            return
        with self._watch.aside(SELECTION):
            first = test.alive.int().argmax(dim=1, keepdim=True)
            self._add(
                text=texts,
                position=self._texts.lengths[texts] - self._texts.start,
                level=torch.full_like(texts, test.level),
                alive=test.alive.sum(dim=1),
                tv=(0.5 * (test.target - test.draft).abs().sum(dim=-1)).clamp(max=1.0),
                rejected=test.selection.accepted < 0,
                drafted=test.drafts.gather(1, first)[:, 0],
                emitted=tokens,
            )
            if self._measure is not None:
                for name, values in self._measure(_on_the_host(test)).items():
                    self._measured.setdefault(name, []).append(values)

    def completed(self, texts: Tensor, selected: Selected, emitted: Tensor, length: int) -> None:
        """Record a round of these texts."""
        self._add(
            round_text=texts,
            round_tested=emitted.clamp(max=length),
            round_accepted=selected.accepted,
            round_emitted=emitted,
        )

    def finish(self) -> DecodingRun:
        """Put together what was recorded."""
        columns, measured = (
            {name: np.concatenate(parts) for name, parts in found.items()} for found in (self._columns, self._measured)
        )
        tokens = to_host(self._texts.tokens[:, self._texts.start : self._texts.longest])
        calls = np.bincount(columns["round_text"], minlength=len(tokens))
        return DecodingRun(tokens=tokens, target_calls=calls, measured=measured, seconds=self._watch, **columns)

    def _add(self, **columns: Tensor) -> None:
        for name, column in columns.items():
            self._columns[name].append(to_host(column))


_COLUMNS = {
    **dict.fromkeys(("text", "position", "level", "alive", "drafted", "emitted"), np.int64),
    **dict.fromkeys(("round_text", "round_tested", "round_accepted", "round_emitted"), np.int64),
    "tv": np.float64,
    "rejected": np.bool_,
}
"""The columns of a run, which are empty where the target decodes alone."""


def exact_acceptance(law: ExactLaw) -> Measure:
    """Make the measure ``acceptance``: the exact probability, given all that went before, that a draft is accepted."""

    def measure(test: LevelTest) -> Mapping[str, NDArray[np.float64]]:
        alive = test.alive.sum(axis=1)
        found = np.empty(len(alive))
        for count in np.unique(alive):
            rows = alive == count
            found[rows] = law(test.draft[rows], test.target[rows], int(count)).acceptance
        return {"acceptance": found}

    return measure


def to_host(values: Tensor) -> Any:
    """Give the same numbers as a NumPy array."""
    return values.cpu().numpy()


def _on_the_host(test: LevelTest) -> LevelTest:
    selection = Selection(*map(to_host, test.selection))
    draft, target, drafts, alive = (to_host(part) for part in (test.draft, test.target, test.drafts, test.alive))
    return LevelTest(test.level, draft, target, drafts, alive, selection, to_host(test.text))
