"""What has to do with batches: faults of some sizes only, and trials that depend on each other."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from shared_uniforms import Shared

from specproof.conformance import DEFAULT, Budget, Verdict, check_sampler, next_token_law
from specproof.conformance.evidence.dependence import FOLDS, PairEvidence, are_dependent
from specproof.conformance.problems import MultiProblem
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import select, token_by_token

BUDGET = replace(DEFAULT, rounds=4, small=50, seconds=100.0)
DEFAULT_AT_LEISURE = replace(DEFAULT, seconds=100.0)


def always(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """Every draft is accepted."""
    return token_by_token(np.full_like(draft_probs, 1e-9), target_probs, draft_tokens, rng)


def stale_bonus(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """The bonus token from the row before its own, where more than one is drafted."""
    rows = np.concatenate([target_probs[:, :-1], target_probs[:, -2:-1]], axis=1)
    return token_by_token(draft_probs, rows if draft_tokens.shape[1] > 1 else target_probs, draft_tokens, rng)


def only_if(wrong: Callable[[int], bool], fault: Callable[..., Any] = always) -> Callable[..., Any]:
    def verify(*arguments: Any) -> Any:
        return (fault if wrong(len(arguments[2])) else token_by_token)(*arguments)

    return verify


@pytest.mark.parametrize(
    ("wrong", "fault", "said"),
    [
        (lambda n: n == 1, stale_bonus, "batches of 1,"),
        (lambda n: n == 2, always, "batches of 2,"),
        (lambda n: n == 3, always, "batches of 3,"),
        (lambda n: 4 <= n < 64, always, "batches of 4 to 256,"),
    ],
)
def test_what_is_wrong_in_batches_of_some_size_only_is_seen(
    wrong: Callable[[int], bool], fault: Callable[..., Any], said: str
) -> None:
    report = check_sampler(only_if(wrong, fault), budget=replace(BUDGET, small=2000))
    assert report.verdict == Verdict.BIASED, str(report)
    assert report.findings[0].detector == "small batches"
    assert said in report.reason


def sharing(source: Callable[[int], Any], first: int = 0) -> Callable[..., Any]:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return by_position(draft_probs, target_probs, draft_tokens, Shared(rng, source, first))

    return verify


def by_position(draft_probs: Any, target_probs: Any, draft_tokens: Any, dice: Any) -> Any:
    """A correct verifier whose numbers for position i are in column i: one coin and one quantile for each."""
    n, length = draft_tokens.shape
    coins, quantiles = dice.random((n, length)), dice.random((n, length + 1))
    emitted, going = np.full((n, length + 1), -1), np.ones(n, dtype=bool)
    rows = np.arange(n)
    for place in range(length + 1):
        law = target_probs[:, place]
        kept = np.zeros(n, dtype=bool)
        if place < length:
            token = draft_tokens[:, place]
            kept = coins[:, place] * draft_probs[rows, place, token] < law[rows, token]
            excess = np.maximum(law - draft_probs[:, place], 0.0)
            law = np.where(excess.sum(axis=1, keepdims=True) > 0, excess, law)
        sums = law.cumsum(axis=1)
        drawn = np.minimum((sums <= quantiles[:, place, None] * sums[:, -1:]).sum(axis=1), law.shape[1] - 1)
        drawn = np.where(kept, draft_tokens[:, min(place, length - 1)], drawn)
        emitted[going, place] = drawn[going]
        going &= kept
    return emitted


def in_groups(size: int) -> Callable[[int], Any]:
    return lambda n: np.arange(n) // size * size


def tiled(period: int) -> Callable[[int], Any]:
    return lambda n: np.arange(n) % period


def test_the_verifier_of_these_tests_is_lossless() -> None:
    assert check_sampler(by_position, budget=BUDGET).is_lossless
    assert check_sampler(sharing(np.arange), budget=BUDGET).is_lossless


@pytest.mark.parametrize(
    ("source", "first"),
    [(in_groups(2), 1), (in_groups(2), 0), (in_groups(32), 0), (tiled(4), 0), (tiled(64), 0), (in_groups(10**9), 0)],
    ids=["pairs, from the second token on", "pairs", "groups of 32", "tiled by 4", "tiled by 64", "all"],
)
def test_of_trials_that_depend_on_each_other_no_law_is_said_to_be_wrong(
    source: Callable[[int], Any], first: int
) -> None:
    """Each trial's own law is the target's, so that a bound, a defect or a proof of loss would be a false statement."""
    report = check_sampler(sharing(source, first), budget=BUDGET)
    assert report.verdict == Verdict.BIASED, str(report)
    assert {finding.detector for finding in report.findings} <= {"pairs", "batch", "uniforms"}, str(report)
    assert "depend on each other" in report.reason
    assert report.instance is not None
    assert report.instance.total_variation == 0.0
    assert report.diagnosis is None


def sharing_if(condition: Callable[..., bool]) -> Callable[..., Any]:
    """All trials of a call share their uniforms where the inputs meet a condition; the law of each is right."""

    def verify(*arguments: Any) -> Any:
        return sharing(in_groups(10**9) if condition(*arguments[:3]) else np.arange)(*arguments)

    return verify


@pytest.mark.parametrize(
    "condition",
    [lambda p, q, x: 4 <= len(x) <= 256 and len(x) != 64, lambda p, q, x: bool((q != q[:1]).any())],
    ids=["in small batches", "in batches of different problems"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_trials_that_share_a_die_in_some_batches_only_have_no_law_that_is_wrong(
    condition: Callable[..., bool], seed: int
) -> None:
    report = check_sampler(sharing_if(condition), seed=seed, budget=replace(BUDGET, small=2000))
    assert report.verdict == Verdict.BIASED, str(report)
    assert {finding.detector for finding in report.findings} <= {"pairs", "batch", "uniforms"}, str(report)
    assert "depend on each other" in report.reason
    assert report.instance is not None
    assert report.instance.total_variation == 0.0


def test_pairs_that_share_a_die_in_batches_of_different_problems_only_are_seen() -> None:
    """No law shows it: two trials of a pair have the right law each, and pairs are independent."""

    def verify(*arguments: Any) -> Any:
        mixed = len(np.unique(arguments[1][:, 0], axis=0)) > 1
        return sharing(in_groups(2) if mixed else np.arange)(*arguments)

    report = check_sampler(verify, budget=BUDGET)
    assert [finding.detector for finding in report.findings] == ["batch", "pairs"], str(report)
    assert "of different problems depend on each other" in report.reason


@pytest.mark.parametrize("contract", ["chain", "multi"])
def test_rows_that_are_mixed_up_in_small_batches_only_are_seen(contract: str) -> None:
    """The first row's laws for all: alone each law is right, beside another problem it is the other's now and then."""

    def verify(*arguments: Any) -> Any:
        draft_probs, target_probs, draft_tokens, rng = arguments
        if len(draft_tokens) <= 256:
            target_probs = np.broadcast_to(target_probs[:1], target_probs.shape)
        return select("single", draft_probs, target_probs, draft_tokens, rng)

    def first_position(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        rows = target_probs.copy()
        if len(draft_tokens) <= 256:
            rows[:, 0] = rows[0, 0]
        return token_by_token(draft_probs, rows, draft_tokens, rng)

    report = check_sampler(verify if contract == "multi" else first_position, contract, budget=DEFAULT_AT_LEISURE)
    assert report.verdict == Verdict.BIASED, str(report)
    assert "rows are mixed up" in report.reason


@pytest.mark.parametrize("first", [0, 64])
def test_rows_with_dice_of_their_own_are_seen_though_every_law_is_right(first: int) -> None:
    """From some row on, each row draws from a stream that is the same in every call."""

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        class Stale:
            def random(self, shape: Any) -> Any:
                dice = rng.random(shape)
                dice[first:] = np.random.default_rng(5).random(shape)[first:]
                return dice

        return by_position(draft_probs, target_probs, draft_tokens, Stale())

    report = check_sampler(verify, budget=BUDGET)
    assert [finding.detector for finding in report.findings] == ["uniforms" if first == 0 else "rows"], str(report)


@pytest.mark.parametrize(("shift", "seed"), [(0.02, 4), (0.03, 3), (0.1, 0)])
def test_of_independent_trials_with_a_wrong_law_no_dependence_is_claimed(shift: float, seed: int) -> None:
    def generate(draft: Any, target: Any, prompt: Any, length: int, n: int, rng: Any) -> Any:
        tokens = np.tile(np.array(prompt, dtype=np.int64), (n, 1))
        for place in range(length):
            law = next_token_law(target, tokens)
            if place == 0:
                law[:, 0], law[:, 1] = law[:, 0] + shift, law[:, 1] - shift
            drawn = (law.cumsum(axis=1) <= rng.random((n, 1))).sum(axis=1, keepdims=True)
            tokens = np.concatenate([tokens, np.minimum(drawn, law.shape[1] - 1)], axis=1)
        return tokens[:, len(prompt) :]

    report = check_sampler(generate, "generate", seed=seed)
    assert report.verdict == Verdict.BIASED
    assert "depend on each other" not in str(report), str(report)
    assert report.diagnosis is not None


@pytest.mark.parametrize("bits", [2, 4, 6])
def test_few_streams_are_noticed(bits: int) -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return token_by_token(
            draft_probs, target_probs, draft_tokens, np.random.default_rng(int(rng.integers(2**bits)))
        )

    report = check_sampler(verify, budget=BUDGET)
    assert any(finding.detector == "uniforms" and "few streams" in finding.text for finding in report.findings), str(
        report
    )


@pytest.mark.parametrize("budget", [Budget(1, 1, 1, 1, 60.0), Budget(20, 2, 5, 20, 60.0)])
def test_a_budget_that_sees_nothing_is_inconclusive(budget: Budget) -> None:
    report = check_sampler(token_by_token, budget=budget)
    assert report.verdict == Verdict.INCONCLUSIVE
    assert "a larger budget" in report.reason


def test_a_sampler_that_takes_long_for_every_trial_is_not_called_a_hang() -> None:
    def slow(*arguments: Any) -> Any:
        time.sleep(0.02 * len(arguments[2]))
        return token_by_token(*arguments)

    report = check_sampler(slow, time_limit=2.0)
    assert report.verdict == Verdict.INCONCLUSIVE, str(report)


def test_the_mean_of_pair_evidence_is_at_most_one() -> None:
    """Exactly: over all outcomes of four trials of one call, each for the same pairings."""
    problem = MultiProblem([0.5, 0.5], [0.3, 0.7], 1)
    mean = 0.0
    for outcomes in itertools.product(range(2), repeat=4):
        evidence = PairEvidence(problem)
        evidence.add(np.array(outcomes), np.array(outcomes), np.random.default_rng(0))
        mean += float(problem.target_law[list(outcomes)].prod() * np.exp(evidence.log_value))
    assert mean == pytest.approx(1, abs=1e-6)  # log-gammas at 7e7 are off by about 1e-7


def test_pairs_of_independent_trials_are_no_evidence_and_shared_tokens_are() -> None:
    rng = np.random.default_rng(3)
    problem = ladder("chain")["two drafts, three tokens"]
    law = problem.target_law.reshape(-1)
    independent = rng.choice(law.size, size=(2, 4096), p=law)
    repeated = np.repeat(independent[:, ::2], 2, axis=1)
    values, verdicts = [], []
    for batches in (independent, repeated):
        evidence = PairEvidence(problem)
        firsts = batches // (law.size // problem.num_tokens)
        for first, outcomes in zip(firsts, batches, strict=True):
            evidence.add(first, outcomes, rng)
        values.append(evidence.log_value)
        verdicts.append(are_dependent(list(zip(firsts, batches, strict=True)), problem.num_tokens, 1e-6))
    assert values[0] < 0 < 100 < values[1]
    assert verdicts == [False, True]
    assert law.size > FOLDS


def test_calls_whose_trials_share_one_die_are_dependent_though_no_pair_of_one_call_shows_it() -> None:
    rng = np.random.default_rng(4)
    calls = [rng.choice(4, size=512, p=rng.dirichlet(np.ones(4))) for _ in range(8)]
    assert are_dependent([(call, call) for call in calls], 4, 1e-6)
    alike = [rng.choice(4, size=512) for _ in range(8)]
    assert not are_dependent([(call, call) for call in alike], 4, 1e-6)


def test_calls_that_differ_a_little_are_dependent_though_pooled_pairs_do_not_show_it() -> None:
    """Shares of 0.45 and 0.55 in turn: a correlation of 0.01 in pairs, and 6 standard deviations in each call."""
    rng = np.random.default_rng(5)
    calls = [(rng.random(4096) < 0.5 + 0.05 * (-1) ** number).astype(np.int64) for number in range(8)]
    assert are_dependent([(call, call) for call in calls], 2, 1e-6)
