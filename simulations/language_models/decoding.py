"""Sampling from the target, and speculative decoding, with two real language models and their caches.

Dice come from a NumPy generator, one row of the batch after another, so that every device sees the same ones. All laws
are float64 softmaxes of float32 logits, and every token is drawn from exactly the law that is reported and verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from specproof.simulations.language_models.model import LanguageModel, start
from specproof.simulations.language_models.pairs import ModelPair
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.single import verify
from specproof.theory.errors import InvalidInput

Prompts = list[list[int]]
"""Token ids of each prompt, never empty; lengths may differ."""

Measure = Callable[[NDArray[np.float64], NDArray[np.float64]], Mapping[str, NDArray[np.float64]]]
"""Numbers by name, each of shape (n,), from the draft's and target's laws at n tested positions, shape (n, V)."""


class Step(NamedTuple):
    """One position of a batch, with both models' laws given the same text before it."""

    position: int
    """From 0, the first after the prompt."""
    active: NDArray[np.bool_]
    """Which sequences have not ended before this position, shape (B,). Rows of the others mean nothing."""
    draft: Tensor
    """Float64 laws on the pair's device, shape (B, V)."""
    target: Tensor
    tokens: NDArray[np.int64]
    """The tokens drawn from the target's laws, shape (B,); -1 where not active."""


@dataclass(frozen=True)
class DecodingRun:
    """What speculative decoding of a batch emitted, and every test it made on the way.

    A position is tested when a drafted token is put to the acceptance coin there: those after the first rejection of
    a round, after the end of a text or beyond the horizon are not, nor is the bonus token.
    """

    tokens: NDArray[np.int64]
    """The emitted tokens, shape (B, T), -1 after a sequence's end."""
    sequence: NDArray[np.int64]
    """Which sequence each test belongs to, shape (N,), in the order of testing; so are the next five."""
    position: NDArray[np.int64]
    """Where in the continuation, from 0."""
    tv: NDArray[np.float64]
    """Total variation distance of the two laws there: the probability of a rejection, given the text before."""
    rejected: NDArray[np.bool_]
    draft_token: NDArray[np.int64]
    emitted: NDArray[np.int64]
    """The drafted token, or the one drawn in its place."""
    round_sequence: NDArray[np.int64]
    """Which sequence each round belongs to, shape (R,); so are the next three."""
    round_tested: NDArray[np.int64]
    round_accepted: NDArray[np.int64]
    """Drafted tokens accepted in the round."""
    round_emitted: NDArray[np.int64]
    """Tokens emitted in the round: the accepted, and the replacement or bonus token."""
    target_calls: NDArray[np.int64]
    """Rounds, each one forward pass of the target, for each sequence, shape (B,). Reading the prompt is not counted."""
    measured: Mapping[str, NDArray[np.float64]]
    """What ``measure`` found at each test, shape (N,)."""

    @property
    def rejections(self) -> int:
        """How many tests ended in a rejection."""
        return int(self.rejected.sum())

    @property
    def expected_rejections(self) -> float:
        r"""The sum of the total variation distances at the tested positions.

        Its mean is that of :attr:`rejections`, whatever the draft length: their difference is a martingale. Without
        bonus tokens every emitted position is tested, and the mean of either is the count of Yin et al. 2024,
        Theorem 1.
        """
        return float(self.tv.sum())

    @property
    def mean_accepted_length(self) -> float:
        """Accepted drafted tokens per round."""
        return float(self.round_accepted.mean())

    @property
    def tokens_per_target_call(self) -> float:
        """Emitted tokens per round."""
        return float(self.round_emitted.mean())


def sample_target(pair: ModelPair, prompts: Prompts, horizon: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Continue each prompt by tokens drawn from the target, one at a time; shape (B, horizon), -1 after the end.

    The same generator state gives the tokens of :func:`walk_target`.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon is below 1, or the model's context is too short.
    """
    check_request(prompts, horizon, (pair.target,))
    steps = _walk([pair.target], prompts, horizon, rng)
    tokens = np.full((len(prompts), horizon), -1, dtype=np.int64)
    for position, (_, _, drawn) in enumerate(steps):
        tokens[:, position] = drawn
    return tokens


def walk_target(pair: ModelPair, prompts: Prompts, horizon: int, rng: np.random.Generator) -> Iterator[Step]:
    """Sample from the target and give both models' laws along the way, position by position.

    Only one position's laws exist at a time, so that a large vocabulary needs no memory for all of them.

    Yields
    ------
    Step
        At most ``horizon`` of them; fewer if all sequences end.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon is below 1, or a model's context is too short.
    """
    check_request(prompts, horizon, (pair.draft, pair.target))
    steps = _walk([pair.draft, pair.target], prompts, horizon, rng)
    return (Step(n, active, laws[0], laws[1], drawn) for n, (active, laws, drawn) in enumerate(steps))


def _walk(
    models: list[LanguageModel], prompts: Prompts, horizon: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.bool_], list[Tensor], NDArray[np.int64]]]:
    """Advance all models in lockstep over tokens drawn from the last one's laws."""
    target = models[-1]
    caches = []
    for model in models:
        cache, tokens = start(model, prompts)
        caches.append(cache)
    active = torch.ones(len(prompts), dtype=torch.bool, device=target.device)
    for _ in range(horizon):
        laws = [c.model.law(c.append(tokens[:, None], active[:, None])[:, 0]) for c in caches]
        tokens = invert(laws[-1], uniforms(rng, (len(prompts),), target.device))
        yield to_host(active), laws, to_host(torch.where(active, tokens, -1))
        active = active & ~ends_text(tokens, target)
        if not active.any():
            return


@torch.inference_mode()
def speculative_decode(
    pair: ModelPair,
    prompts: Prompts,
    horizon: int,
    draft_length: int,
    bonus: bool,
    rng: np.random.Generator,
    verifier: SelectionSampler = verify,
    measure: Measure | None = None,
) -> DecodingRun:
    """Decode by rounds: draft some tokens, have the target look at all of them at once, keep what the tests accept.

    A round ends at the first rejection, with the token drawn in its place. (Leviathan et al. 2023, Algorithm 1; Chen et
    al. 2023, Algorithm 2; without the bonus token Yin et al. 2024, Algorithm 1.)

    Parameters
    ----------
    pair : ModelPair
    prompts : list of lists of int
    horizon : int
        A sequence stops after this many tokens, or after the target's end-of-text token.
    draft_length : int
        Tokens drafted in a round; fewer where the horizon is nearer.
    bonus : bool
        Draw one more token from the target when a whole round is accepted.
    rng : numpy Generator
    verifier : callable
        The rule that accepts or replaces a drafted token.
    measure : callable, optional
        Is shown both laws of every test, given the text emitted so far, as the run goes: a large vocabulary leaves no
        room to keep them.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon or draft length is below 1, or a model's context is too
        short.
    """
    if draft_length < 1:
        raise InvalidInput(f"draft_length is {draft_length}: draft at least one token a round")
    # The worst round emits one token, and may start with a column for the drafted token that is behind.
    check_request(
        prompts, horizon, (pair.draft, pair.target), overhang=draft_length, columns_per_token=draft_length + 2
    )
    batch = _Batch(pair, prompts, horizon, rng)
    record = _Record(measure)
    while batch.active.any():
        remaining = horizon - int(batch.lengths[batch.active].min())
        _settle(batch, _draft(batch, min(draft_length, remaining)), bonus, record, verifier)
    return record.finish(batch)


class _Batch:
    """The sequences between two rounds."""

    def __init__(self, pair: ModelPair, prompts: Prompts, horizon: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.horizon = horizon
        # The last token of each sequence, which neither model has been fed yet.
        self.draft, self.pending = start(pair.draft, prompts)
        self.target, _ = start(pair.target, prompts)
        self.device = pair.target.device
        count = len(prompts)
        self.rows = torch.arange(count, device=self.device)
        self.active = torch.ones(count, dtype=torch.bool, device=self.device)
        self.lengths = torch.zeros(count, dtype=torch.int64, device=self.device)
        self.tokens = torch.full((count, horizon), -1, dtype=torch.int64, device=self.device)
        # After a round with a bonus token the draft model has not been fed the last drafted one either.
        self.behind = torch.zeros(count, dtype=torch.bool, device=self.device)
        self.last_draft = torch.zeros(count, dtype=torch.int64, device=self.device)

    def dice(self, *shape: int) -> Tensor:
        """Uniform numbers, shape (B, *shape)."""
        return uniforms(self.rng, (len(self.rows), *shape), self.device)

    def emit(self, tokens: Tensor, where: Tensor) -> None:
        """Append a token to the rows where ``where`` is true, and end those that are complete."""
        self.tokens[self.rows[where], self.lengths[where]] = tokens[where]
        self.lengths = self.lengths + where
        self.pending = torch.where(where, tokens, self.pending)
        complete = (self.lengths >= self.horizon) | ends_text(tokens, self.target.model)
        self.active = self.active & ~(where & complete)


class _Drafts(NamedTuple):
    tokens: Tensor
    """Shape (B, k)."""
    laws: list[Tensor]
    """The k laws they were drawn from, shape (B, V)."""


def _draft(batch: _Batch, length: int) -> _Drafts:
    tokens = torch.stack([batch.last_draft, batch.pending], dim=1)
    keep = torch.stack([batch.behind & batch.active, batch.active], dim=1)
    drafted: list[Tensor] = []
    laws: list[Tensor] = []
    for _ in range(length):
        laws.append(batch.draft.model.law(batch.draft.append(tokens, keep, last=1)[:, -1]))
        drafted.append(invert(laws[-1], batch.dice()))
        tokens, keep = drafted[-1][:, None], batch.active[:, None]
    return _Drafts(torch.stack(drafted, dim=1), laws)


def _settle(batch: _Batch, drafts: _Drafts, bonus: bool, record: _Record, verifier: SelectionSampler) -> None:
    """Test the drafts against the target, emit, and take back what was rejected from both caches."""
    length = len(drafts.laws)
    began, before = batch.active, batch.lengths
    # Without a bonus token nothing is asked of the target after the last draft.
    fed = torch.cat([batch.pending[:, None], drafts.tokens], dim=1)[:, : length + int(bonus)]
    logits = batch.target.append(fed, began[:, None].expand(fed.shape))
    tested, accepted = torch.zeros_like(before), torch.zeros_like(before)
    testing = began
    for index, draft_law in enumerate(drafts.laws):
        target_law = batch.target.model.law(logits[:, index])
        selection = verifier(draft_law, target_law, drafts.tokens[:, index : index + 1], batch.dice(2))
        record.test(batch, testing, draft_law, target_law, drafts.tokens[:, index], selection)
        batch.emit(selection.tokens, testing)
        tested = tested + testing
        passed = testing & (selection.accepted >= 0)
        accepted = accepted + passed
        testing = passed & batch.active
    if bonus:
        batch.emit(invert(batch.target.model.law(logits[:, length]), batch.dice()), testing)
    emitted = batch.lengths - before
    record.round(batch, began, tested, accepted, emitted)
    _take_back(batch, began, emitted, drafts, fed.shape[1])


def _take_back(batch: _Batch, began: Tensor, emitted: Tensor, drafts: _Drafts, fed: int) -> None:
    """Leave in each cache what was emitted, but for the last token, which is now pending.

    Of the columns of a round these are the first ``emitted``: the token that was pending, and the accepted ones.
    """
    length = len(drafts.laws)
    batch.target.forget((fed - emitted) * began)
    batch.draft.forget((length - emitted).clamp(min=0) * began)
    batch.behind = emitted > length
    batch.last_draft = drafts.tokens[:, -1]


class _Record:
    """Collects the tests and rounds of a run, under the names that :class:`DecodingRun` gives them."""

    def __init__(self, measure: Measure | None) -> None:
        self._measure = measure
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._measured: dict[str, list[NDArray[np.float64]]] = {}

    def test(
        self, batch: _Batch, where: Tensor, draft: Tensor, target: Tensor, drafted: Tensor, selection: Selection
    ) -> None:
        self._add(
            where,
            sequence=batch.rows,
            position=batch.lengths,
            tv=(0.5 * (target - draft).abs().sum(dim=-1)).clamp(max=1.0),
            rejected=selection.accepted < 0,
            draft_token=drafted,
            emitted=selection.tokens,
        )
        if self._measure is not None:
            for name, values in self._measure(to_host(draft[where]), to_host(target[where])).items():
                self._measured.setdefault(name, []).append(values)

    def round(self, batch: _Batch, where: Tensor, tested: Tensor, accepted: Tensor, emitted: Tensor) -> None:
        self._add(
            where,
            round_sequence=batch.rows,
            round_tested=tested,
            round_accepted=accepted,
            round_emitted=emitted,
        )

    def finish(self, batch: _Batch) -> DecodingRun:
        columns, measured = (
            {name: np.concatenate(parts) for name, parts in found.items()} for found in (self._columns, self._measured)
        )
        calls = np.bincount(columns["round_sequence"], minlength=len(batch.rows))
        return DecodingRun(tokens=to_host(batch.tokens), target_calls=calls, measured=measured, **columns)

    def _add(self, where: Tensor, **columns: Tensor) -> None:
        for name, column in columns.items():
            self._columns.setdefault(name, []).append(to_host(column[where]))


def check_request(
    prompts: Prompts, horizon: int, models: tuple[LanguageModel, ...], overhang: int = 0, columns_per_token: int = 1
) -> None:
    """Refuse a decode that cannot be done.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon is below 1, or a model's context is too short for the
        longest prompt, the horizon and ``overhang`` more tokens.
    """
    if not prompts:
        raise InvalidInput("prompts is empty: give at least one")
    for index, prompt in enumerate(prompts):
        if not prompt:
            raise InvalidInput(f"prompts[{index}] has no tokens: give it at least the beginning-of-text token")
    if horizon < 1:
        raise InvalidInput(f"horizon is {horizon}: decode at least one token")
    longest = max(map(len, prompts))
    for model in models:
        model.require_room(longest + horizon + overhang, longest + horizon * columns_per_token)


def uniforms(rng: np.random.Generator, shape: tuple[int, ...], device: str) -> Tensor:
    """Numbers in [0, 1) from a NumPy generator, the same on every device."""
    return torch.from_numpy(rng.random(shape)).to(device)


def ends_text(tokens: Tensor, target: LanguageModel) -> Tensor:
    """Which tokens are end-of-text tokens of the target."""
    return torch.isin(tokens, torch.tensor(target.eos_ids, dtype=tokens.dtype, device=tokens.device))


def to_host(values: Tensor) -> Any:
    """The same numbers as a NumPy array."""
    return values.cpu().numpy()
