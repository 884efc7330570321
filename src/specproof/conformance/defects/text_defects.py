"""Loops that are asked for more than a length: an end token, a least length, temperatures by row; and late memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from specproof.conformance.asked_loops import as_asked
from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.loop import End, Loop
from specproof.conformance.problems import Contract, GenerateProblem, Tokens
from specproof.conformance.problems.text_settings import TextSettings
from specproof.conformance.seeded_loops import by_row_seeds, seed_plus_step
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

CACHE = 5
"""The cache of :class:`WrappedLoop` holds so many tokens."""


def law_as_asked(
    law: Callable[[GenerateProblem], Array], settings: Callable[[TextSettings], TextSettings] = lambda it: it
) -> Callable[[GenerateProblem], Array]:
    """Make the law of texts without settings one of all."""

    def whole(problem: GenerateProblem) -> Array:
        asked = replace(problem, settings=settings(problem.settings))
        return problem.of_rows([law(plain) for plain in asked.plainly()])

    return whole


def for_any_settings(defect: Defect) -> Defect:
    """Give a defect of the contract generate its law for all settings; others stay as they are."""
    if defect.contract != Contract.GENERATE or defect.law is None:
        return defect
    return replace(defect, law=law_as_asked(defect.law))


def _no_least_length(settings: TextSettings) -> TextSettings:
    return settings._replace(least=0)


def first_rows_temperature(*arguments: Any, temperatures: Any = None) -> Tokens:
    """Take the temperature of the first row for all."""
    each = None if temperatures is None else np.full_like(temperatures, temperatures[0])
    return as_asked(Loop().sampler)(*arguments, temperatures=each)


def _of_another_row(problem: GenerateProblem) -> Array:
    """The law if each row has the temperature of another; of a batch of many."""
    law = Loop().law
    if len(problem.settings.temperatures) == 1:
        return law_as_asked(law)(problem)
    mean = np.mean([law(plain) for plain in problem.plainly()], axis=0)
    return problem.of_rows([mean] * len(problem.settings.temperatures))


def goes_on_within_a_round(*arguments: Any, end_token: int | None = None) -> Tokens:
    """Look for the end token in the last place of a text alone."""
    del end_token
    return Loop().sampler(*arguments)


@dataclass(frozen=True)
class WrappedLoop(Loop):
    """Rounds that see what came before in a cache that is too short: later tokens have taken the first ones' places."""

    def _round(
        self, draft_model: TabularModel, target_model: TabularModel, context: Tokens, missing: Tokens, rng: Any
    ) -> tuple[Tokens, Tokens]:
        return super()._round(draft_model, target_model, _wrapped(context), missing, rng)

    def _ends(self, problem: GenerateProblem, context: tuple[int, ...]) -> Iterator[End]:
        seen = tuple(_wrapped(np.array([context], dtype=np.int64))[0].tolist())
        for end in super()._ends(problem, seen):
            yield end._replace(context=context + end.emitted)


def _wrapped(context: Tokens) -> Tokens:
    """Put what is CACHE tokens later in the place of the tokens that it has overwritten, as often as it has."""
    seen, length = context.copy(), context.shape[1]
    for place in range(max(length - CACHE, 0)):
        seen[:, place] = context[:, place + (length - 1 - place) // CACHE * CACHE]
    return seen


WRAPPED = WrappedLoop()

TEXT_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "cache-wraps",
        "from the sixth token on, later tokens take the places of the first in what the models see",
        Contract.GENERATE,
        WRAPPED.sampler,
        law_as_asked(WRAPPED.law),
        "eight tokens, models that remember all of them",
        "eight tokens, whole history",
        ("vllm-project/vllm#50021", "ml-explore/mlx-lm#1914"),
    ),
    Defect(
        "min-length-ignored",
        "the end token is possible before the least length",
        Contract.GENERATE,
        as_asked(Loop().sampler, _no_least_length),
        law_as_asked(Loop().law, _no_least_length),
        "a least length",
        "texts that end, not before three tokens",
        ("sgl-project/sglang#31599", "vllm-project/vllm#47616"),
    ),
    Defect(
        "first-rows-temperature",
        "all rows of a call have the temperature of the first",
        Contract.GENERATE,
        first_rows_temperature,
        _of_another_row,
        "greedy and sampled rows in one call",
        "greedy and sampled rows",
        ("vllm-project/vllm#51226", "vllm-project/vllm#9441"),
    ),
    Defect(
        "end-token-overlooked",
        "texts go on after the end token",
        Contract.GENERATE,
        goes_on_within_a_round,
        None,
        "an end token",
        "",
        ("huggingface/transformers#47912", "openvinotoolkit/openvino.genai#4081"),
    ),
    Defect(
        "row-seed-plus-step",
        "the number of a token is drawn with its row's seed plus its step, so that rows of near seeds share theirs",
        Contract.GENERATE,
        by_row_seeds(seed_plus_step),
        law_as_asked(Loop().law),
        "rows with seeds that follow each other, and a look at the dependence of its trials",
        "longer",
    ),
)

LOOP_AS_ASKED = Defect(
    "plain-loop-as-asked",
    "rounds of the plain rule, with an end token, a least length and temperatures by row",
    Contract.GENERATE,
    as_asked(Loop().sampler),
    law_as_asked(Loop().law),
    "",
    "texts that end, not before three tokens",
)
"""The right loop, whatever is asked."""
