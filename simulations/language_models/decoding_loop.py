"""The decoding loop: draft, score, select, take back, over a batch of texts, until every text has ended.

What is random comes from :mod:`specproof.simulations.language_models.uniforms`, the models' distributions from
:mod:`specproof.simulations.language_models.prefixes`, and what is emitted is for a rule to say, see
:mod:`specproof.simulations.language_models.round_rule`. Every token is drawn from exactly the distribution that is
declared to the rule.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from specproof.simulations.language_models.model import start
from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.language_models.prefixes import Distributions, Prefixes
from specproof.simulations.language_models.round_rule import Observer, Round, RoundRule, Selected
from specproof.simulations.language_models.stopwatch import Stopwatch
from specproof.simulations.language_models.texts import Prompts, Texts
from specproof.simulations.language_models.uniforms import Uniforms
from specproof.simulations.samplers.inversion import invert

DRAFTING, SCORING, SELECTION = "draft", "target", "selection"
"""The parts of a round that are timed."""


class _Drafts(NamedTuple):
    origin: Tensor
    """Which member of the round each cache row continues, ascending, shape (N,)."""
    counts: Tensor
    """How many rows continue each member, shape (R,)."""
    tokens: Tensor
    """The drafted tokens, shape (N, L)."""
    distributions: list[Tensor]
    """The L distributions they were drawn from: at level 0 of shape (R, V), then (N, V)."""


class _Unfed(NamedTuple):
    tokens: Tensor
    """Tokens of each text that the draft has not been fed, the pending one last, shape (R, m)."""
    keep: Tensor
    """Which of them are there, shape (R, m)."""


class Decoding:
    """Two models between rounds: each cache holds one row for each unfinished text, fed with all but its last token.

    Parameters
    ----------
    draft, target : NextTokenModel
        On one device, over one vocabulary. The draft need not be a language model.
    prompts : list of lists of int
        What the caches start with.
    texts : Texts
        Where the tokens go, one text for each prompt.
    rule : RoundRule
    distributions, uniforms : callable
    observer : Observer
    watch : Stopwatch
        Takes the time of every round in the parts ``draft``, ``target`` and ``selection``.
    """

    def __init__(
        self,
        draft: NextTokenModel,
        target: NextTokenModel,
        prompts: Prompts,
        *,
        texts: Texts,
        rule: RoundRule,
        distributions: Distributions,
        uniforms: Uniforms,
        observer: Observer,
        watch: Stopwatch,
    ) -> None:
        self.texts, self.rule, self.distributions, self.uniforms = texts, rule, distributions, uniforms
        self.observer, self.watch = observer, watch
        self._draft, self._pending = start(draft, prompts)
        self._target, _ = start(target, prompts)
        self._text = torch.arange(len(prompts), device=self._pending.device)
        self._restart = torch.ones_like(self._text, dtype=torch.bool)
        self._unfed = _Unfed(self._pending[:, None], self._restart[:, None])

    def run(self, draft_length: int) -> None:
        """Decode to the end, by rounds of at most so many drafted tokens.

        Each text gets at least one token in a round, so a draft length of 0 needs a rule with a bonus token.
        """
        while len(self._text):
            length = self.texts.to_draft(self._text, draft_length)
            # Without a bonus token a round of no drafts would emit nothing.
            self._round(self._draft.worth_drafting(length, *self._unfed) if self.rule.bonus else length)

    def _round(self, length: int) -> None:
        before = self.texts.lengths[self._text]
        with self.watch.time(DRAFTING):
            drafts = self._continue(length)
        with self.watch.time(SCORING):
            logits = self._score(drafts)
        with self.watch.time(SELECTION):
            offered = self._offer(drafts, logits, before)
            selected = self.rule.select(offered, self.uniforms)
        emitted = self.texts.lengths[self._text] - before
        self.observer.completed(self._text, selected, emitted, length)
        with self.watch.time(SELECTION):
            self._take_back(offered, selected, emitted, logits.shape[1])

    def _continue(self, length: int) -> _Drafts:
        """Draft: the cache is read once for each text, and copied for its sequences after that first step."""
        counts = self.rule.num_sequences(self._restart) if length else torch.ones_like(self._text)
        member = torch.arange(len(counts), device=counts.device)
        origin = member.repeat_interleave(counts)
        lengths = self.texts.lengths[self._text]
        tokens = torch.empty((len(origin), 0), dtype=torch.int64, device=counts.device)
        found: list[Tensor] = []
        fed, keep = self._unfed
        for level in range(length):
            rows = origin if level else member
            prefixes = Prefixes(self._text[rows], lengths[rows], tokens if level else tokens[: len(rows)])
            logits = self._draft.append(fed, keep, last=1)[:, -1]
            found.append(self.distributions(self._draft.model, logits, prefixes))
            if not level:
                self._draft.select(origin)
                keep = torch.ones((len(origin), 1), dtype=torch.bool, device=counts.device)
            fed = invert(found[-1] if level else found[-1][origin], self.uniforms((len(origin),)))[:, None]
            tokens = torch.cat([tokens, fed], dim=1)
        return _Drafts(origin, counts, tokens, found)

    def _score(self, drafts: _Drafts) -> Tensor:
        """Read all sequences by the target in one forward; return the logits after each token, shape (N, ., V)."""
        self._target.select(drafts.origin)
        fed = torch.cat([self._pending[drafts.origin, None], drafts.tokens], dim=1)
        # Without a bonus token nothing is asked of the target after the last draft.
        fed = fed if self.rule.bonus else fed[:, :-1]
        return self._target.append(fed, torch.ones_like(fed, dtype=torch.bool))

    def _offer(self, drafts: _Drafts, logits: Tensor, lengths: Tensor) -> Round:
        place = torch.arange(int(drafts.counts.max()), device=drafts.counts.device)
        first = drafts.counts.cumsum(dim=0) - drafts.counts
        row = first[:, None] + torch.minimum(place, drafts.counts[:, None] - 1)
        return Round(
            text=self._text,
            tokens=drafts.tokens[row],
            drawn=place < drafts.counts[:, None],
            drafted=drafts.distributions,
            logits=logits,
            row=row,
            lengths=lengths,
            model=self._target.model,
            distributions=self.distributions,
            texts=self.texts,
            observer=self.observer,
        )

    def _take_back(self, offered: Round, selected: Selected, emitted: Tensor, fed: int) -> None:
        """Leave one row of the caches for each unfinished text, fed with all but its last token.

        Of the columns of a round these are the first ``emitted``: the token that was pending, and the accepted ones.
        """
        length = offered.tokens.shape[2]
        kept = self.texts.unfinished(self._text).nonzero()[:, 0]
        sequence, emitted = selected.sequence[kept], emitted[kept]
        for cache, columns in ((self._draft, length), (self._target, fed)):
            cache.select(offered.row[kept, sequence])
            cache.forget((columns - emitted).clamp(min=0))
        self._text = self._text[kept]
        self._pending = self.texts.last(self._text)
        self._restart = emitted > selected.accepted[kept]
        self._unfed = self._still_to_feed(offered.tokens[kept, sequence], emitted, kept)

    def _still_to_feed(self, drafted: Tensor, emitted: Tensor, kept: Tensor) -> _Unfed:
        """Find what the draft has not been fed: the pending token, and after a bonus token the last drafted one too.

        A round without drafts has fed it nothing.
        """
        length = drafted.shape[1]
        behind = (emitted > length)[:, None]
        if not length:
            tokens, keep = (before[kept] for before in self._unfed)
        elif behind.any():
            tokens, keep = drafted[:, -1:], behind
        else:
            tokens, keep = drafted[:, :0], behind[:, :0]
        pending = self._pending[:, None]
        return _Unfed(torch.cat([tokens, pending], 1), torch.cat([keep, torch.ones_like(behind)], 1))
