"""Decode the same prompts by the target alone and by several rules, and print tokens per second beside predictions.

The prediction of a rule is its tokens per call, from one text of the target for each prompt, over the seconds of a
round, from :func:`specproof.simulations.language_models.clock.measure_clock`. Both say something only of a machine that
does nothing else. Run it as ``python -m benchmarks.speed [HORIZON [LENGTH [PROMPTS]]]``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from specproof.simulations.language_models.block_rule import BlockVerification
from specproof.simulations.language_models.clock import Clock, measure_clock
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.pairs import load_pair
from specproof.simulations.language_models.prompts import encode, load_prompts
from specproof.simulations.language_models.round_rule import RoundRule
from specproof.simulations.language_models.texts import Prompts
from specproof.simulations.language_models.walking import walk_target
from specproof.simulations.samplers import SAMPLERS
from specproof.theory.distribution import Array
from specproof.theory.texts import block_by_block, draft_sequences, token_by_token, tokens_and_calls
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.at_tokens import agreement_at

HORIZON, LENGTH, PROMPTS = 48, 3, 6
NUM_DRAFTS = 2


class Text(NamedTuple):
    """What both models say along a text of the target."""

    draft: Array
    """Log-probabilities of its tokens under the draft, shape (T,)."""
    target: Array
    """Log-probabilities of its tokens under the target, shape (T,)."""
    agreement: dict[str, Array]
    """The agreement at its tokens by verifier, shape (T, K, K)."""


class Way(NamedTuple):
    """A way to decode."""

    name: str
    pair: ModelPair
    rule: RoundRule
    length: int
    num_drafts: int
    reach: Callable[[Text], Array] | None
    """Reach weights along a text, shape (T, L + 1); None where they are not predicted."""


def ways(length: int) -> list[Way]:
    """List what is compared, the target alone first."""
    pair, lookup = load_pair("int8"), load_pair("ngram:3")
    several = [
        Way(
            f"{name}, K = {NUM_DRAFTS}",
            pair,
            LevelByLevel(SAMPLERS[name], NUM_DRAFTS),
            length,
            NUM_DRAFTS,
            partial(_reach_of_sequences, name, length),
        )
        for name in ("kseq", "priority")
    ]
    return [
        Way("target alone", pair, LevelByLevel(), 0, 1, None),
        Way("one draft", pair, LevelByLevel(), length, 1, lambda text: token_by_token(text.draft, text.target, length)),
        Way(
            "block", pair, BlockVerification(), length, 1, lambda text: block_by_block(text.draft, text.target, length)
        ),
        *several,
        Way("ngram:3", lookup, LevelByLevel(), length, 1, None),
    ]


def _reach_of_sequences(name: str, length: int, text: Text) -> Array:
    return draft_sequences(text.agreement[name], text.target, NUM_DRAFTS, length)


def read_texts(pair: ModelPair, prompts: Prompts, horizon: int) -> list[Text]:
    """Sample a text after each prompt, alone, and note what the rules need along it."""
    texts = []
    for number, prompt in enumerate(prompts):
        rows: list[list[float]] = []
        agreement: dict[str, list[Array]] = {name: [] for name in ("kseq", "priority")}
        for step in walk_target(pair, [prompt], horizon, np.random.default_rng(number)):
            laws = step.draft.cpu().numpy(), step.target.cpu().numpy()
            rows.append([law[0, step.tokens[0]] for law in laws])
            for name, found in agreement.items():
                found.append(agreement_at(VERIFIERS[name], *laws, step.tokens, NUM_DRAFTS)[0])
        with np.errstate(divide="ignore"):
            draft, target = np.log(np.array(rows)).T
        texts.append(Text(draft, target, {name: np.stack(found) for name, found in agreement.items()}))
    return texts


def predicted(way: Way, texts: list[Text], clock: Clock) -> float:
    """Tokens per second of a way, NaN where they are not predicted."""
    if way.length == 0:
        return 1.0 / clock.seconds(1, 0)
    if way.reach is None:
        return float("nan")
    counts = [tokens_and_calls(way.reach(text), way.length, max(len(text.target) - way.length, 1)) for text in texts]
    tokens, calls = np.sum(counts, axis=0)
    return float(tokens / calls / clock.seconds(way.num_drafts, way.length))


def measured(way: Way, prompt: list[int], horizon: int, seed: int) -> float:
    """Tokens per second of one decode, the reading of the prompt left out."""
    rng = np.random.default_rng(seed)
    run = speculative_decode(way.pair, [prompt], horizon, way.length, way.rule, rng, whole_rounds=True)
    return float(run.round_emitted.sum() / sum(run.seconds.wall.values()))


def main(horizon: int = HORIZON, length: int = LENGTH, prompts: int = PROMPTS) -> None:
    """Measure, predict and print the table."""
    compared = ways(length)
    pair = compared[0].pair
    every = encode(load_prompts(), pair.tokenizer)
    chosen = every[:: max(len(every) // prompts, 1)][:prompts]
    texts = read_texts(pair, chosen, horizon)
    clock = measure_clock(pair, [1, NUM_DRAFTS], [1, length + 1])
    for way in compared:
        measured(way, chosen[0], 2 * (length + 1), seed=0)
    # One way after the other for each prompt, so that what else the machine does falls on all alike.
    speeds = [[measured(way, prompt, horizon, seed) for way in compared] for seed, prompt in enumerate(chosen)]
    forecast = [predicted(way, texts, clock) for way in compared]
    table = Table("way", "tokens/s", "ratio", "predicted ratio", title=f"Speed over the target alone, L = {length}")
    for column, (way, expected) in enumerate(zip(compared, forecast, strict=True)):
        ratio = median(row[column] / row[0] for row in speeds)
        speed = median(row[column] for row in speeds)
        table.add_row(way.name, f"{speed:.1f}", f"{ratio:.2f}", f"{expected / forecast[0]:.2f}")
    console = Console()
    console.print(table)
    console.print(f"load of the machine: {os.getloadavg()[0]:.1f}; c = {clock.draft(1) / clock.target(1, 1):.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
