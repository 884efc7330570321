"""Decode the same prompts by the target alone and by several rules, and print tokens per second beside predictions.

The plan comes first: one text of the target after each prompt is priced, the parts of a round are timed, and together
they predict the speed of every rule at every length. Each rule is then decoded at the length that was planned for it.

What is predicted beside the measured speed is paired with it: before each prompt is decoded by all ways, the parts of
their rounds are timed once more, and the mean of these times is the clock of the prediction. What else the machine does
meanwhile lengthens both; a clock that was taken before would be that of another machine. The prediction knows nothing
of the decoding itself: its tokens per call are those of the priced text.

Every way is compared with the target alone of its own kind: first of the target as transformers runs it, alone as well
as under speculation; then, on a CPU, of the target with the fewest calls and the fastest products of this machine,
which gains less from the same draft. All this says something only of a machine that does nothing else.
Run it as ``python -m benchmarks.speed [--pair NAME] [--prompts NUMBER] [--horizon TOKENS]``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from specproof.simulations.language_models.block_rule import BlockVerification
from specproof.simulations.language_models.clock import Clock, ClockSamples, measure_clock
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.few_rows import with_fast_products
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.ngram import NGramModel
from specproof.simulations.language_models.pairs import load_pair
from specproof.simulations.language_models.prompts import Prompt, encode, load_prompts
from specproof.simulations.language_models.round_rule import RoundRule
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.traces.capture_pair import capture_of
from specproof.simulations.traces.configuration import BLOCK, ONE_DRAFT, Configuration
from specproof.simulations.traces.lookup import lookup_reach, lookup_sums
from specproof.simulations.traces.measured import MeasuredCosts
from specproof.simulations.traces.measuring import make_measurement
from specproof.simulations.traces.planning import Plan, make_plan
from specproof.simulations.traces.pricing import price
from specproof.simulations.traces.trace import Trace

PAIR, PROMPTS, HORIZON = "int8", 8, 64
LENGTHS, NUM_DRAFTS, LONGEST = (1, 2, 3, 4, 5, 6), 2, 3
SEVERAL = ("kseq", "priority")
"""The verifiers of several drafts."""
ASKED_RATIO, ASKED_ERROR = 1.3, 0.15
"""What the planned configuration is asked for: its speed over the target alone, and how far off its prediction is."""


SAMPLES = 2
"""The parts of all rounds are timed so often before each prompt."""


AS_LOADED, FASTEST = "as transformers runs it", "at its fastest"
"""The two kinds of target."""


class Way(NamedTuple):
    """A way to decode."""

    name: str
    target: str
    """The kind of its target: it is compared with the first way that has the same."""
    pair: ModelPair
    rule: RoundRule
    verifier: str
    num_drafts: int
    length: int
    expected: Callable[[Clock], float]
    """Its seconds a token by a clock of its pair, on the priced text."""


class Timed(NamedTuple):
    """What a way came to."""

    way: Way
    speed: float
    """Tokens per second, the reading of the prompts left out."""
    ratio: float
    """Its speed over that of the target alone, of its own kind."""
    predicted: float
    """The same by the clock that was taken in alternation with decoding."""

    @property
    def error(self) -> float:
        """How far the ratio is from its prediction, as a share of it."""
        return self.ratio / self.predicted - 1.0


def plan_of(trace: Trace, clock: Clock) -> Plan:
    """Price one draft, block verification, K-SEQ and the priority coupling at all lengths."""
    rules = [(ONE_DRAFT, 1), (BLOCK, 1), *((name, NUM_DRAFTS) for name in SEVERAL)]
    asked = [Configuration(rule, count, length) for rule, count in rules for length in LENGTHS]
    return make_plan(price(trace, asked), MeasuredCosts(clock))


def planned_ways(pair: ModelPair, target: str, plan: Plan) -> list[Way]:
    """Give every rule at its best length, the fastest first."""
    fastest: dict[str, Way] = {}
    for row in plan.rows:
        asked, tokens = row.configuration, row.tokens_per_call.estimate
        name = asked.label if asked.num_drafts == 1 else f"{asked.label}, K = {asked.num_drafts}"
        expected = partial(_seconds_a_token, asked, tokens)
        way = Way(name, target, pair, _rule(asked), asked.rule, asked.num_drafts, asked.length, expected)
        fastest.setdefault(name, way)
    return list(fastest.values())


def _seconds_a_token(asked: Configuration, tokens: float, clock: Clock) -> float:
    return clock.seconds(asked.num_drafts, asked.length, asked.rule) / tokens


def target_alone(pair: ModelPair, target: str) -> Way:
    """Give the target without a draft."""
    return Way("target alone", target, pair, LevelByLevel(), ONE_DRAFT, 1, 0, lambda clock: clock.seconds(1, 0))


def _rule(asked: Configuration) -> RoundRule:
    return BlockVerification() if asked.rule == BLOCK else LevelByLevel(SAMPLERS[asked.rule], asked.num_drafts)


def lookup_way(pair: ModelPair, trace: Trace, encoded: list[list[int]]) -> Way:
    """Give the draft by prompt lookup at its best length."""
    model = NGramModel(pair.target.vocabulary, pair.target.device, LONGEST)
    lookup = replace(pair, name=f"ngram:{LONGEST}", draft=model)
    clock = measure_clock(lookup, [1], [1, *(length + 1 for length in LENGTHS)])
    best = max(LENGTHS, key=lambda length: lookup_speed(trace, encoded, length, clock))
    return Way(
        *(lookup.name, AS_LOADED, lookup, LevelByLevel(), ONE_DRAFT, 1, best),
        lambda now: 1 / lookup_speed(trace, encoded, best, now),
    )


def lookup_speed(trace: Trace, encoded: list[list[int]], length: int, clock: Clock) -> float:
    """Predict the tokens per second of prompt lookup along the texts of a trace."""
    sums = []
    for prompt, (text, rows) in zip(encoded, trace.texts(), strict=True):
        reach, drafts = lookup_reach(prompt, rows["token"].tolist(), LONGEST, length)
        starts = None if text.ended else text.tokens - max(LENGTHS) + 1  # the same for all lengths
        sums.append(lookup_sums(reach, drafts, starts, lambda drafted: clock.seconds(1, drafted)))
    tokens, seconds = np.sum(sums, axis=0)
    return float(tokens / seconds)


def decode_all(ways: Sequence[Way], encoded: list[list[int]], tokens: int) -> list[Timed]:
    """Decode every prompt by every way in turn, so that what else the machine does falls on all alike.

    Before each prompt the parts of all rounds are timed. The first way with a kind of target is what the others with it
    are compared with.
    """
    clocks = clock_samples(ways)
    sums = np.zeros((len(ways), 2))
    for way in ways:
        _decode(way, encoded[0], 2 * (way.length + 1), 0)
    for each in clocks.values():
        each.take(keep=False)
    for seed, prompt in enumerate(encoded):
        for _ in range(SAMPLES):
            for each in clocks.values():
                each.take()
        for place, way in enumerate(ways):
            sums[place] += _decode(way, prompt, tokens, seed)
    speeds = (sums[:, 0] / sums[:, 1]).tolist()
    expected = [way.expected(clocks[id(way.pair)].clock(fmean)) for way in ways]
    targets = [way.target for way in ways]
    alone = [targets.index(target) for target in targets]
    return [
        Timed(way, speed, speed / speeds[base], expected[base] / seconds)
        for way, speed, seconds, base in zip(ways, speeds, expected, alone, strict=True)
    ]


def clock_samples(ways: Sequence[Way]) -> dict[int, ClockSamples]:
    """Make ready to time the rounds of all ways, by the identity of their pairs."""
    found = {}
    for pair in {id(way.pair): way.pair for way in ways}.values():
        own = [way for way in ways if way.pair is pair]
        rows, tokens = {1, *(way.num_drafts for way in own)}, {1, *(way.length + 1 for way in own)}
        several = list(dict.fromkeys(way.verifier for way in own if way.num_drafts > 1))
        found[id(pair)] = ClockSamples(pair, sorted(rows), sorted(tokens), verifiers=several)
    return found


def _decode(way: Way, prompt: list[int], tokens: int, seed: int) -> tuple[float, float]:
    """Give tokens and seconds of one decode."""
    rng = np.random.default_rng(seed)
    run = speculative_decode(way.pair, [prompt], tokens, way.length, way.rule, rng, whole_rounds=True)
    return float(run.round_emitted.sum()), sum(run.seconds.wall.values())


def compare(pair: ModelPair, prompts: list[Prompt], tokens: int) -> tuple[list[Timed], Plan]:
    """Plan, decode and time; the first line is the target alone, the second the planned configuration.

    That is the fastest by its prediction. On a CPU the last two lines are the same for the target at its fastest.
    """
    encoded = encode(prompts, pair.tokenizer)
    measurement = make_measurement(None, None, NUM_DRAFTS, seed=0)
    trace = capture_of(pair, prompts, tokens, len(prompts), measurement).run()
    plan = plan_of(trace, clock_of(pair))
    ways = [target_alone(pair, AS_LOADED), *planned_ways(pair, AS_LOADED, plan), lookup_way(pair, trace, encoded)]
    fastest = with_fast_products(pair)
    if fastest is not pair:
        at_fastest = plan_of(trace, clock_of(fastest))
        ways += [target_alone(fastest, FASTEST), planned_ways(fastest, FASTEST, at_fastest)[0]]
    return decode_all(ways, encoded, tokens), plan


def clock_of(pair: ModelPair) -> Clock:
    """Time the parts of all rounds that are planned."""
    return measure_clock(pair, [1, NUM_DRAFTS], [1, *(length + 1 for length in LENGTHS)], verifiers=SEVERAL)


def show(timed: Sequence[Timed], plan: Plan, console: Console) -> None:
    """Print the table, what was planned, and whether it came out as asked."""
    table = Table("target", "way", "L", "tokens/s", "over target alone", "predicted", "off by")
    for each in timed:
        numbers = (f"{each.speed:.1f}", f"{each.ratio:.2f}", f"{each.predicted:.2f}", f"{each.error:+.0%}")
        table.add_row(each.way.target, each.way.name, str(each.way.length), *numbers)
    console.print(table)
    console.print(f"Plan: {plan.recommendation()}", highlight=False)
    planned, fastest = timed[1], timed[-1]
    console.print(
        f"Decoded as planned, {_compared(planned)} the target alone (asked: {ASKED_RATIO}), and "
        f"{abs(planned.error):.0%} off its prediction (asked: {ASKED_ERROR:.0%}).",
        highlight=False,
    )
    if fastest.way.target == FASTEST:
        console.print(
            f"With the target at its fastest, {_compared(fastest)} that target alone, and "
            f"{fastest.speed / timed[0].speed:.2f} times as fast as transformers runs it.",
            highlight=False,
        )
    console.print(f"Load of the machine: {os.getloadavg()[0]:.1f}.", highlight=False)


def _compared(timed: Timed) -> str:
    return f"{timed.way.name} with L = {timed.way.length} is {timed.ratio:.2f} times as fast as"


def main(pair: str, prompts: int, horizon: int) -> None:
    """Measure, predict and print."""
    every = load_prompts()
    chosen = every[:: max(len(every) // prompts, 1)][:prompts]
    timed, plan = compare(load_pair(pair), chosen, horizon)
    show(timed, plan, Console(width=None if sys.stdout.isatty() else 110))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", default=PAIR, help="a pair's name, such as int8 or int8:bfloat16")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--horizon", type=int, default=HORIZON, help="tokens after each prompt")
    main(**vars(parser.parse_args()))
