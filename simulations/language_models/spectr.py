"""SpecTr: speculative decoding with several draft sequences at once, on two real language models and their caches.

Dice come from a NumPy generator, as in :mod:`specproof.simulations.language_models.decoding`, and every token is drawn
from exactly the law that is declared to the verifier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from specproof.simulations.language_models.decoding import Prompts, check_request, ends_text, to_host, uniforms
from specproof.simulations.language_models.model import CachedModel, start
from specproof.simulations.language_models.pairs import ModelPair
from specproof.simulations.language_models.stopwatch import Stopwatch
from specproof.simulations.samplers import kseq
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.sequences import agreeing, verify_level
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers.selection_law import SelectionLaw

Law = Callable[[NDArray[np.float64], NDArray[np.float64], int], SelectionLaw]
"""The exact law of a verifier, ``law(draft, target, num_drafts)``: see :data:`specproof.theory.verifiers.VERIFIERS`."""

DRAFTING, SCORING, SELECTION = "draft", "target", "selection"
"""The parts of a round that are timed."""


@dataclass(frozen=True)
class SpecTrRun:
    """What decoding with draft sequences emitted, and every level it tested on the way.

    A level is tested while some draft agrees with all that was emitted in the round. The bonus token is not.
    """

    tokens: NDArray[np.int64]
    """The emitted tokens, shape (B, T), -1 after a sequence's end."""
    level_sequence: NDArray[np.int64]
    """Which sequence each test belongs to, shape (N,), in the order of testing; so are the next four."""
    level: NDArray[np.int64]
    """How deep in the draft sequences, from 0."""
    level_alive: NDArray[np.int64]
    """Drafts that agreed with what was emitted before, and were put to the verifier."""
    level_acceptance: NDArray[np.float64]
    """The exact probability that one of them is accepted, given all that went before; NaN where no law was given."""
    level_accepted: NDArray[np.bool_]
    round_sequence: NDArray[np.int64]
    """Which sequence each round belongs to, shape (R,); so are the next two."""
    round_accepted: NDArray[np.int64]
    """Levels passed in the round."""
    round_emitted: NDArray[np.int64]
    """Tokens emitted in the round, also those beyond the horizon: the accepted, and the replacement or bonus token."""
    target_calls: NDArray[np.int64]
    """Rounds, each one forward pass of the target, for each sequence, shape (B,). Reading the prompt is not counted."""
    seconds: Stopwatch
    """Time of all rounds, in the parts ``draft``, ``target`` and ``selection``."""

    @property
    def block_efficiency(self) -> float:
        """Emitted tokens per target call."""
        return float(self.round_emitted.mean())


@torch.inference_mode()
def spectr_decode(
    pair: ModelPair,
    prompts: Prompts,
    horizon: int,
    num_drafts: int,
    draft_length: int,
    rng: np.random.Generator,
    verifier: SelectionSampler = kseq.verify,
    law: Law | None = None,
) -> SpecTrRun:
    """Decode by rounds: draft K sequences of L tokens, have the target look at all at once, select level by level.

    At each level the rule for k drafts is applied to the next tokens of the k sequences that still agree with what was
    emitted. A round ends at the first level where it accepts none, with the token drawn in their place, or after all L
    with a bonus token from the target. One draft is plain speculative decoding with a bonus token.
    (Sun et al. 2023, Algorithm 3.)

    Every round is drafted whole, also where the horizon is nearer, so that all rounds of a run are alike and their mean
    is not biased by the last one.

    Parameters
    ----------
    pair : ModelPair
    prompts : list of lists of int
    horizon : int
        A sequence stops with the round in which it has this many tokens, or at the target's end-of-text token.
    num_drafts : int
        K >= 1.
    draft_length : int
        L >= 0. With 0 there is nothing to verify: the target decodes alone, one bonus token a round.
    rng : numpy Generator
    verifier : callable
        A rule for k drafts of one position, for any k up to K; the default is K-SEQ.
    law : callable, optional
        The verifier's exact law, to record the probability of acceptance at each level. Its time is not counted.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon or number of drafts is below 1, the draft length is below 0,
        or a model's context is too short.
    """
    count = one_num_drafts(num_drafts)
    if draft_length < 0:
        raise InvalidInput(f"draft_length is {draft_length}: draft some tokens a round, or 0 for the target alone")
    # The worst round emits one token, and may start with a column for the drafted token that is behind.
    check_request(prompts, horizon, (pair.draft, pair.target), draft_length, columns_per_token=draft_length + 2)
    batch = _Batch(pair, prompts, horizon + draft_length, rng)
    record = _Record(law)
    watch = Stopwatch(pair.target.device)
    while len(batch.sequence):
        _round(batch, count if draft_length else 1, draft_length, verifier, record, watch)
        batch.keep(batch.going & (batch.lengths < horizon))
    return record.finish(batch, horizon, watch)


class _Batch:
    """The sequences that are not complete: row r of everything but ``tokens`` belongs to sequence ``sequence[r]``.

    Between rounds each cache holds one row for each of them, fed with all but its last token.
    """

    def __init__(self, pair: ModelPair, prompts: Prompts, room: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.device = pair.target.device
        self.draft, self.pending = start(pair.draft, prompts)
        self.target, _ = start(pair.target, prompts)
        count = len(prompts)
        self.tokens = torch.full((count, room), -1, dtype=torch.int64, device=self.device)
        self.sequence = torch.arange(count, device=self.device)
        self.lengths = torch.zeros(count, dtype=torch.int64, device=self.device)
        self.going = torch.ones(count, dtype=torch.bool, device=self.device)
        """Which have not ended with their text."""
        self.behind = torch.zeros(count, dtype=torch.bool, device=self.device)
        """Where the draft model has not been fed the last drafted token either, as after a bonus token."""
        self.last_draft = torch.zeros(count, dtype=torch.int64, device=self.device)

    def dice(self, *shape: int) -> Tensor:
        """Uniform numbers, one row of the batch after another, shape (R, *shape)."""
        return uniforms(self.rng, (len(self.sequence), *shape), self.device)

    def emit(self, rows: Tensor, tokens: Tensor) -> None:
        """Append a token to these rows, and end the texts that it ends."""
        self.tokens[self.sequence[rows], self.lengths[rows]] = tokens
        self.lengths[rows] += 1
        self.pending[rows] = tokens
        self.going[rows] = ~ends_text(tokens, self.target.model)

    def keep(self, where: Tensor) -> None:
        """Go on with these rows alone."""
        rows = where.nonzero()[:, 0]
        self.draft.select(rows)
        self.target.select(rows)
        for name in ("sequence", "lengths", "going", "behind", "last_draft", "pending"):
            setattr(self, name, getattr(self, name)[rows])


class _Drafts(NamedTuple):
    tokens: Tensor
    """Shape (R, K, L)."""
    laws: list[Tensor]
    """The L laws they were drawn from, shape (R, K, V)."""


def _round(
    batch: _Batch, count: int, length: int, verifier: SelectionSampler, record: _Record, watch: Stopwatch
) -> None:
    with watch.time(DRAFTING):
        drafts = _draft(batch, count, length)
    with watch.time(SCORING):
        logits = _score(batch, drafts)
    before = batch.lengths.clone()
    leader, accepted = _select(batch, drafts, logits, verifier, record, watch)
    emitted = batch.lengths - before
    record.round(batch, accepted, emitted)
    with watch.time(SELECTION):
        _take_back(batch, drafts, leader, emitted)


def _draft(batch: _Batch, count: int, length: int) -> _Drafts:
    """Continue every row by K sequences; its cache is read once and copied after the first, shared step."""
    rows = len(batch.sequence)
    copies = torch.arange(rows, device=batch.device).repeat_interleave(count)
    tokens = torch.empty((rows * count, length), dtype=torch.int64, device=batch.device)
    fed, keep = batch.pending[:, None], torch.ones((rows, 1), dtype=torch.bool, device=batch.device)
    if batch.behind.any():
        fed = torch.stack([batch.last_draft, batch.pending], dim=1)
        keep = torch.cat([batch.behind[:, None], keep], dim=1)
    laws: list[Tensor] = []
    for index in range(length):
        law = batch.draft.model.law(batch.draft.append(fed, keep, last=1)[:, -1])
        if index == 0:
            law = law[copies]
            batch.draft.select(copies)
            keep = torch.ones((rows * count, 1), dtype=torch.bool, device=batch.device)
        tokens[:, index] = invert(law, batch.dice(count).flatten())
        fed = tokens[:, index : index + 1]
        laws.append(law.reshape(rows, count, -1))
    return _Drafts(tokens.reshape(rows, count, length), laws)


def _score(batch: _Batch, drafts: _Drafts) -> Tensor:
    """The target's logits before each drafted token and after the last, in one forward, shape (R, K, L + 1, V)."""
    rows, count, _ = drafts.tokens.shape
    copies = torch.arange(rows, device=batch.device).repeat_interleave(count)
    batch.target.select(copies)
    fed = torch.cat([batch.pending[copies, None], drafts.tokens.flatten(0, 1)], dim=1)
    logits = batch.target.append(fed, torch.ones_like(fed, dtype=torch.bool))
    return logits.reshape(rows, count, fed.shape[1], -1)


def _select(
    batch: _Batch, drafts: _Drafts, logits: Tensor, verifier: SelectionSampler, record: _Record, watch: Stopwatch
) -> tuple[Tensor, Tensor]:
    """Emit what the verifier accepts, level by level; return a draft that agrees with it, and the levels passed."""
    rows, count, length = drafts.tokens.shape
    dice, bonus = batch.dice(length, count + 1), batch.dice()
    alive = torch.ones((rows, count), dtype=torch.bool, device=batch.device)
    leader, accepted = torch.zeros_like(batch.lengths), torch.zeros_like(batch.lengths)
    testing = torch.arange(rows, device=batch.device)
    for level in range(length):
        with watch.time(SELECTION):
            first, offered, left = leader[testing], drafts.tokens[testing, :, level], alive[testing]
            draft_law = drafts.laws[level][testing, first]
            target_law = batch.target.model.law(logits[testing, first, level])
            selection = verify_level(draft_law, target_law, offered, left, dice[testing, level], verifier)
        record.level(batch.sequence[testing], level, left, draft_law, target_law, selection)
        with watch.time(SELECTION):
            batch.emit(testing, selection.tokens)
            passed = selection.accepted >= 0
            alive[testing] = agreeing(left, offered, selection)
            testing = testing[passed]
            leader[testing], accepted[testing] = alive[testing].int().argmax(dim=1), accepted[testing] + 1
            testing = testing[batch.going[testing]]
        if not len(testing):
            return leader, accepted
    with watch.time(SELECTION):
        target_law = batch.target.model.law(logits[testing, leader[testing], length])
        batch.emit(testing, invert(target_law, bonus[testing]))
    return leader, accepted


def _take_back(batch: _Batch, drafts: _Drafts, leader: Tensor, emitted: Tensor) -> None:
    """Leave one row a sequence in each cache, fed with what was emitted but for the last token, which is now pending.

    Of the columns of a round these are the first ``emitted``: the token that was pending, and the accepted ones.
    """
    rows, count, length = drafts.tokens.shape
    followed = torch.arange(rows, device=batch.device) * count + leader
    for cache, fed in ((batch.draft, length), (batch.target, length + 1)):
        _keep_emitted(cache, followed, (fed - emitted).clamp(min=0))
    batch.behind = emitted > length
    if length:
        batch.last_draft = drafts.tokens[torch.arange(rows, device=batch.device), leader, -1]


def _keep_emitted(cache: CachedModel, followed: Tensor, rejected: Tensor) -> None:
    cache.select(followed)
    cache.forget(rejected)


class _Record:
    """Collects the levels and rounds of a run, under the names that :class:`SpecTrRun` gives them."""

    def __init__(self, law: Law | None) -> None:
        self._law = law
        self._columns: dict[str, list[NDArray[Any]]] = {}

    def level(
        self, sequence: Tensor, level: int, alive: Tensor, draft: Tensor, target: Tensor, selection: Selection
    ) -> None:
        left = to_host(alive.sum(dim=1))
        self._add(
            level_sequence=to_host(sequence),
            level=np.full(len(left), level),
            level_alive=left,
            level_acceptance=self._acceptance(to_host(draft), to_host(target), left),
            level_accepted=to_host(selection.accepted >= 0),
        )

    def round(self, batch: _Batch, accepted: Tensor, emitted: Tensor) -> None:
        self._add(
            round_sequence=to_host(batch.sequence), round_accepted=to_host(accepted), round_emitted=to_host(emitted)
        )

    def finish(self, batch: _Batch, horizon: int, watch: Stopwatch) -> SpecTrRun:
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        for name, kind in _LEVEL_COLUMNS.items():
            columns.setdefault(name, np.empty(0, dtype=kind))
        calls = np.bincount(columns["round_sequence"], minlength=len(batch.tokens))
        tokens = to_host(batch.tokens[:, :horizon])
        return SpecTrRun(tokens=tokens, target_calls=calls, seconds=watch, **columns)

    def _acceptance(
        self, draft: NDArray[np.float64], target: NDArray[np.float64], left: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        found = np.full(len(left), np.nan)
        if self._law is not None:
            for count in np.unique(left):
                rows = left == count
                found[rows] = self._law(draft[rows], target[rows], int(count)).acceptance
        return found

    def _add(self, **columns: NDArray[Any]) -> None:
        for name, column in columns.items():
            self._columns.setdefault(name, []).append(column)


_LEVEL_COLUMNS = {
    "level_sequence": np.int64,
    "level": np.int64,
    "level_alive": np.int64,
    "level_acceptance": np.float64,
    "level_accepted": np.bool_,
}
"""Empty where the target decodes alone."""
