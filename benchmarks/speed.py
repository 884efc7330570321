"""Decode the same prompts by the target alone and by several rules, and print tokens per second beside predictions.

The prediction of a rule is its expected tokens along texts of the target, one for each prompt, over the seconds that
its calls take by :func:`specproof.simulations.language_models.clock.measure_clock`. Each rule is decoded at the draft
length for which that is fastest: the planned one. All of it says something only of a machine that does nothing else.
Run it as ``python -m benchmarks.speed [--horizon TOKENS] [--prompts NUMBER]``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch.nn import functional

from benchmarks.timing import best
from specproof.simulations.language_models.block_rule import BlockVerification
from specproof.simulations.language_models.clock import Clock, measure_clock, selection_seconds
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.few_rows import multiply_as_columns
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.ngram import continuation
from specproof.simulations.language_models.pairs import load_pair
from specproof.simulations.language_models.prompts import encode, load_prompts
from specproof.simulations.language_models.round_rule import RoundRule
from specproof.simulations.language_models.texts import Prompts
from specproof.simulations.language_models.walking import walk_target
from specproof.simulations.samplers import SAMPLERS, single
from specproof.theory.distribution import Array
from specproof.theory.texts import block_by_block, by_depth, call_starts, draft_sequences, token_by_token
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.at_tokens import agreement_at

HORIZON, PROMPTS = 48, 6
LONGEST = 8
"""Draft lengths up to this one are planned for."""
CONTEXT = 64
"""A round is timed after so many tokens."""
NUM_DRAFTS = 2
SEVERAL = ("kseq", "priority")
LOOKED_BACK = 3
"""The tokens that the n-gram draft looks for."""
ROWS = (1, 2, 3, 5, 9, 17)
"""Numbers of rows at which the two products of a layer are timed."""


class Text(NamedTuple):
    """What the drafts and the target say along a text of the target, T tokens."""

    draft: Array
    """Log-probabilities of its tokens under the int8 draft, shape (T,)."""
    target: Array
    """Log-probabilities of its tokens under the target, shape (T,)."""
    agreement: dict[str, Array]
    """The agreement at its tokens by verifier, shape (T, K, K)."""
    looked_up: NDArray[np.bool_]
    """Whether the n-gram draft has a match after the tokens before, shape (T,)."""
    found: NDArray[np.bool_]
    """Whether what it drafts there is the token, shape (T,)."""


class Way(NamedTuple):
    """A way to decode."""

    name: str
    pair: ModelPair
    rule: RoundRule
    num_drafts: int
    reach: Callable[[Text, int], Array]
    """Reach weights along a text for a draft length, shape (T, L + 1)."""
    selection: float
    """Seconds to put the drafts of one position to the rule."""
    skips: bool = False
    """Whether nothing is drafted where the n-gram draft has no match."""


def ways(pair: ModelPair, lookup: ModelPair) -> list[Way]:
    """List the rules that are compared with the target alone."""
    alone = selection_seconds(pair)

    def one_draft(text: Text, length: int) -> Array:
        return token_by_token(text.draft, text.target, length)

    def block(text: Text, length: int) -> Array:
        return block_by_block(text.draft, text.target, length)

    def sequences(name: str, text: Text, length: int) -> Array:
        return draft_sequences(text.agreement[name], text.target, NUM_DRAFTS, length)

    def looked_up(text: Text, length: int) -> Array:
        return by_depth(text.found.astype(float), length)

    several = [
        Way(
            f"{VERIFIERS[name].label}, K = {NUM_DRAFTS}",
            pair,
            LevelByLevel(SAMPLERS[name], NUM_DRAFTS),
            NUM_DRAFTS,
            partial(sequences, name),
            selection_seconds(pair, SAMPLERS[name], NUM_DRAFTS),
        )
        for name in SEVERAL
    ]
    return [
        Way("one draft", pair, LevelByLevel(), 1, one_draft, alone),
        Way("block verification", pair, BlockVerification(), 1, block, alone),
        *several,
        Way(lookup.name, lookup, LevelByLevel(), 1, looked_up, selection_seconds(lookup, single.verify), skips=True),
    ]


def read_texts(pair: ModelPair, prompts: Prompts, horizon: int) -> list[Text]:
    """Sample a text after each prompt, alone, and note what the rules need along it."""
    return [_read(pair, prompt, horizon, np.random.default_rng(number)) for number, prompt in enumerate(prompts)]


def _read(pair: ModelPair, prompt: list[int], horizon: int, rng: np.random.Generator) -> Text:
    chances: list[list[float]] = []
    agreement: dict[str, list[Array]] = {name: [] for name in SEVERAL}
    looked_up, found, text = [], [], list(prompt)
    for step in walk_target(pair, [prompt], horizon, rng):
        laws, token = (step.draft.cpu().numpy(), step.target.cpu().numpy()), int(step.tokens[0])
        chances.append([law[0, token] for law in laws])
        for name, joint in agreement.items():
            joint.append(agreement_at(VERIFIERS[name], *laws, step.tokens, NUM_DRAFTS)[0])
        match = continuation(text, LOOKED_BACK)
        looked_up.append(bool(match))
        found.append((match or text[-1:]) == [token])
        text.append(token)
    with np.errstate(divide="ignore"):
        draft, target = np.log(np.array(chances)).T
    joints = {name: np.stack(joint) for name, joint in agreement.items()}
    return Text(draft, target, joints, np.array(looked_up), np.array(found))


def predicted(way: Way, length: int, texts: list[Text], clock: Clock) -> float:
    """Tokens per second of a way, over the calls that start at least ``LONGEST`` tokens before the end of a text."""
    drafting, alone = clock.seconds(way.num_drafts, length), clock.seconds(1, 0)
    tokens = seconds = 0.0
    for text in texts:
        reach = way.reach(text, length)
        counted = max(len(text.target) - LONGEST + 1, 1)
        starts = call_starts(reach)[:counted]
        drafts = text.looked_up[:counted] if way.skips else np.ones(counted, dtype=bool)
        tokens += float(starts @ np.where(drafts, reach[:counted].sum(axis=1), 1.0))
        seconds += float(starts @ np.where(drafts, drafting, alone))
    return tokens / seconds


def planned(way: Way, texts: list[Text], clock: Clock) -> tuple[int, float]:
    """The draft length that is fastest by prediction, and its tokens per second."""
    forecast = {length: predicted(way, length, texts, clock) for length in range(1, LONGEST + 1)}
    length = max(forecast, key=forecast.__getitem__)
    return length, forecast[length]


def measured(pair: ModelPair, rule: RoundRule, length: int, prompt: list[int], horizon: int, seed: int) -> float:
    """Tokens per second of one decode, the reading of the prompt left out; length 0 is the target alone."""
    rng = np.random.default_rng(seed)
    run = speculative_decode(pair, [prompt], horizon, length, rule, rng, whole_rounds=True)
    return float(run.round_emitted.sum() / sum(run.seconds.wall.values()))


def clock_of(way: Way, widths: list[int]) -> Clock:
    """Measure the parts of a round of this way."""
    clock = measure_clock(way.pair, sorted({1, way.num_drafts}), widths, context=CONTEXT)
    return replace(clock, selection_seconds=way.selection)


def compare(pair: ModelPair, lookup: ModelPair, prompts: Prompts, horizon: int) -> Iterator[tuple[str, ...]]:
    """Make the rows of the table: way, draft length, tokens per second, ratio to the target alone, predicted ratio."""
    texts, widths = read_texts(pair, prompts, horizon), [1, 2, 3, 5, LONGEST + 1]
    compared = ways(pair, lookup)
    clocks = [clock_of(way, widths) for way in compared]
    plans = [planned(way, texts, clock) for way, clock in zip(compared, clocks, strict=True)]
    alone = 1.0 / clocks[0].seconds(1, 0)
    runs = [("target alone", pair, compared[0].rule, 0, alone)]
    runs += [(way.name, way.pair, way.rule, *plan) for way, plan in zip(compared, plans, strict=True)]
    for _, models, rule, length, _ in runs:
        measured(models, rule, length, prompts[0], 2 * (LONGEST + 1), seed=0)
    # One way after the other for each prompt, so that what else the machine does falls on all alike.
    speeds = [
        [measured(models, rule, length, prompt, horizon, seed) for _, models, rule, length, _ in runs]
        for seed, prompt in enumerate(prompts)
    ]
    for column, (name, _, _, length, forecast) in enumerate(runs):
        ratio = median(row[column] / row[0] for row in speeds)
        speed = median(row[column] for row in speeds)
        yield name, str(length), f"{speed:.1f}", f"{ratio:.2f}", f"{forecast / alone:.2f}"


def products(pair: ModelPair) -> Iterator[tuple[str, ...]]:
    """Make the rows of a second table: what a layer of the target takes by number of rows, for two ways to multiply."""
    weight = pair.target.module.get_output_embeddings().weight.detach()
    for count in ROWS:
        rows = torch.ones((count, weight.shape[1]), dtype=weight.dtype, device=weight.device)
        seconds = [best(partial(way, rows, weight)) for way in (functional.linear, multiply_as_columns)]
        yield str(count), *(f"{each * 1e3:.1f} ms" for each in seconds)


def show(title: str, columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    """Print a table."""
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def main(horizon: int, prompts: int) -> None:
    """Measure, predict and print the tables."""
    pair, lookup = load_pair("int8"), load_pair(f"ngram:{LOOKED_BACK}")
    every = encode(load_prompts(), pair.tokenizer)
    chosen = every[:: max(len(every) // prompts, 1)][:prompts]
    title = f"Speed over the target alone, {len(chosen)} prompts of {horizon} tokens, load {os.getloadavg()[0]:.1f}"
    show(title, ("way", "L", "tokens/s", "ratio", "predicted"), compare(pair, lookup, chosen, horizon))
    with torch.inference_mode():
        show("The largest layer of the target", ("rows", "x Wᵀ", "(W xᵀ)ᵀ"), products(pair))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--horizon", type=int, default=HORIZON, help="tokens after each prompt")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    main(**vars(parser.parse_args()))
