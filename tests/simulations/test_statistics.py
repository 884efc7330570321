"""The statistical checks themselves: false-alarm rate, power, impossible outcomes.

Where a rate can be summed over all outcomes it is. Where it is simulated, a level of 0.05 is used and the number of
alarms in the repetitions is held against its own exact binomial bound at 1e-7; seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from specproof.simulations.statistics import (
    POWER,
    Check,
    binomial_interval,
    check_drift,
    check_frequency,
    check_law,
    check_mean,
    mean_interval,
)

RAISED, REPETITIONS, BOUND = 0.05, 2000, 1e-7
LAW = np.array([0.6, 0.3, 0.1])


def most_alarms(repetitions: int, level: float) -> int:
    return int(stats.binom.isf(BOUND, repetitions, level))


def fewest_seen(repetitions: int) -> int:
    return int(stats.binom.ppf(BOUND, repetitions, POWER))


def refuted_counts(trials: int, exact: float, level: float) -> np.ndarray:
    return np.array([check_frequency(count, trials, exact, level).is_refuted for count in range(trials + 1)])


@pytest.mark.parametrize("trials", [1, 7, 100, 10**6])
@pytest.mark.parametrize("level", [2**-4, 2**-20])
def test_interval_is_clopper_and_pearsons(trials: int, level: float) -> None:
    """Levels are powers of two, so that scipy's 1 - level is exact."""
    for successes in {0, 1, trials // 3, trials - 1, trials}:
        expected = stats.binomtest(successes, trials).proportion_ci(1 - level, method="exact")
        assert binomial_interval(successes, trials, level) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize("level", [0.05, 1e-7])
@pytest.mark.parametrize(("trials", "exact"), [(1, 0.5), (30, 0.01), (60, 0.5), (200, 0.9), (40, 0.0), (40, 1.0)])
def test_frequency_false_alarms_summed_over_all_counts(trials: int, exact: float, level: float) -> None:
    rate = stats.binom.pmf(np.arange(trials + 1), trials, exact)[refuted_counts(trials, exact, level)].sum()
    assert rate <= level * (1 + 1e-9)


@pytest.mark.parametrize("level", [0.05, 1e-7])
@pytest.mark.parametrize(
    ("trials", "exact"), [(10, 0.5), (60, 0.5), (200, 0.02), (200, 0.9), (200, 0.99999), (100, 0.0), (100, 1.0)]
)
def test_frequency_power_summed_over_all_counts(trials: int, exact: float, level: float) -> None:
    """A deviation of the detectable size is seen with 0.99 in both directions, one of 0.9 that size not in one."""
    detectable = check_frequency(0, trials, exact, level).detectable
    refuted, counts = refuted_counts(trials, exact, level), np.arange(trials + 1)

    def power(true: float) -> float:
        return float(stats.binom.pmf(counts, trials, true)[refuted].sum())

    possible = [true for true in (exact - detectable * 1.0001, exact + detectable * 1.0001) if 0 <= true <= 1]
    assert all(power(true) >= POWER for true in possible)
    smaller = [true for true in (exact - 0.9 * detectable, exact + 0.9 * detectable) if 0 <= true <= 1]
    assert min(map(power, smaller)) < POWER


def test_frequency_sees_what_it_should() -> None:
    """More trials see smaller deviations, and an acceptance close to 1 is not said to be known better than it is."""
    few, many = (check_frequency(trials, trials, 0.999, 1e-7).detectable for trials in (100, 100_000))
    assert many < 0.002 < 0.05 < few


@pytest.mark.parametrize("level", [0.05, 1e-7, 1e-300])
def test_impossible_outcomes_are_refuted_at_once(level: float) -> None:
    assert check_frequency(1, 1000, 0.0, level).is_refuted
    assert check_frequency(999, 1000, 1.0, level).is_refuted
    draws = np.array([0] * 1000 + [2])
    assert check_law(draws, np.array([0.5, 0.5, 0.0]), level).is_refuted
    assert check_law(np.array([1]), np.array([1.0, 0.0]), level).is_refuted
    assert check_drift(np.array([True, False]), np.array([0.0, 0.5]), level).is_refuted
    assert check_drift(np.array([False, False]), np.array([1.0, 0.5]), level).is_refuted


def test_certain_outcomes_are_not_refuted() -> None:
    assert not check_frequency(0, 10, 0.0, 0.05).is_refuted
    assert not check_frequency(10, 10, 1.0, 0.05).is_refuted
    assert not check_law(np.zeros(10, np.int64), np.array([1.0, 0.0]), 0.05).is_refuted
    assert not check_drift(np.array([True, False]), np.array([1.0, 0.0]), 0.05).is_refuted


def test_an_outcome_beyond_the_law_is_an_error() -> None:
    with pytest.raises(ValueError, match="outcome 3 was drawn from a law over 3"):
        check_law(np.array([3]), LAW, 0.05)


def test_law_reports_its_worst_outcome() -> None:
    draws = np.repeat([0, 1, 2], [60_000, 25_000, 15_000])
    check = check_law(draws, LAW, 1e-7)
    assert (check.exact, check.estimate, check.trials) == (0.1, 0.15, 100_000)
    assert check.is_refuted


def law_is_refuted(counts: np.ndarray, level: float) -> np.ndarray:
    """Check each row of counts, each distinct row once."""
    distinct, inverse = np.unique(counts, axis=0, return_inverse=True)
    verdicts = [check_law(np.repeat(np.arange(row.size), row), LAW, level).is_refuted for row in distinct]
    return np.array(verdicts)[inverse.reshape(-1)]


@pytest.mark.parametrize("trials", [20, 100])
def test_law_false_alarms(trials: int) -> None:
    counts = np.random.default_rng(61).multinomial(trials, LAW, REPETITIONS)
    alarms = np.count_nonzero(law_is_refuted(counts, RAISED))
    assert alarms <= most_alarms(REPETITIONS, RAISED)


@pytest.mark.parametrize(("outcome", "sign"), [(0, 1), (0, -1), (1, 1), (1, -1), (2, 1)])
def test_law_sees_a_detectable_deviation_of_any_outcome(outcome: int, sign: int) -> None:
    trials, repetitions = 150, 400
    shift = sign * check_law(np.zeros(trials, np.int64), LAW, RAISED).detectable
    true = LAW - shift * np.delete(LAW, outcome).sum() ** -1 * LAW
    true[outcome] = LAW[outcome] + shift
    assert true.sum() == pytest.approx(1.0)
    assert true.min() >= 0
    counts = np.random.default_rng(62).multinomial(trials, true, repetitions)
    assert np.count_nonzero(law_is_refuted(counts, RAISED)) >= fewest_seen(repetitions)


def test_mean_interval_by_hand() -> None:
    """Four values 0, 1, 1, 2 in [0, 2]: mean 1, variance 2/3; at level 4/e^(1/100) the logarithm is 1/100."""
    low, high = mean_interval(np.array([0.0, 1.0, 1.0, 2.0]), 0.0, 2.0, 4 * np.exp(-0.01))
    half = np.sqrt(2 * (2 / 3) * 0.01 / 4) + 7 * 2 * 0.01 / (3 * 3)
    assert (low, high) == pytest.approx((1 - half, 1 + half), rel=1e-12)


Values = Callable[[np.random.Generator], np.ndarray]
MEANS: dict[str, tuple[Values, float]] = {
    "coins": (lambda rng: (rng.random(300) < 0.3).astype(float), 0.3),
    "rare events": (lambda rng: (rng.random(300) < 0.01).astype(float), 0.01),
    "frequent events": (lambda rng: (rng.random(300) < 0.99).astype(float), 0.99),
    "beta": (lambda rng: rng.beta(2.0, 3.0, 300), 0.4),
    "nearly constant": (lambda rng: 0.5 + 0.001 * (rng.random(300) - 0.5), 0.5),
}


@pytest.mark.parametrize("name", MEANS)
def test_mean_false_alarms_and_power(name: str) -> None:
    """The bound holds for the true mean; a claim that is off by the detectable size, either way, is seen."""
    draw, mean = MEANS[name]
    rng, alarms, seen_above, seen_below = np.random.default_rng(63), 0, 0, 0
    for _ in range(REPETITIONS):
        values = draw(rng)
        check = check_mean(values, 0.0, 1.0, mean, RAISED)
        alarms += check.is_refuted
        # A slack of one part in 10^9: the bound is met with equality where the values never vary.
        shift = check.detectable * (1 + 1e-9)
        seen_above += not check.low <= mean + shift <= check.high
        seen_below += not check.low <= mean - shift <= check.high
    assert alarms <= most_alarms(REPETITIONS, RAISED)
    assert min(seen_above, seen_below) >= fewest_seen(REPETITIONS)


def test_mean_detectable_counts_the_part_of_the_interval_that_is_cut_off() -> None:
    """All values 0 in [0, 1]: a mean just below the interval's end is not refuted, so it must not be detectable."""
    check = check_mean(np.zeros(100), 0.0, 1.0, 0.0, 1e-7)
    assert check.low == 0.0
    assert check.detectable >= check.high


def dependent_run(rng: np.random.Generator, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Events whose chance depends on the last, until 30 have happened; the stated chances are off by ``shift``."""
    events, stated, last = [], [], False
    while sum(events) < 30:
        chance = 0.2 + 0.5 * last
        last = bool(rng.random() < chance)
        events.append(last)
        stated.append(chance + shift)
    return np.array(events), np.array(stated)


def drift_alarms(runs: list[tuple[np.ndarray, np.ndarray]]) -> int:
    return sum(check_drift(events, stated, RAISED).is_refuted for events, stated in runs)


@pytest.mark.slow
def test_drift_false_alarms_on_dependent_events_with_a_stopping_rule() -> None:
    rng, repetitions = np.random.default_rng(64), 500
    assert drift_alarms([dependent_run(rng) for _ in range(repetitions)]) <= most_alarms(repetitions, RAISED)


def test_drift_refutes_chances_that_are_wrong() -> None:
    rng = np.random.default_rng(65)
    assert drift_alarms([dependent_run(rng, shift=-0.18) for _ in range(50)]) >= 40


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("chance", [0.3, pytest.param(0.5, marks=pytest.mark.slow)])
def test_drift_sees_a_detectable_deviation(chance: float, sign: int) -> None:
    count, repetitions = 1500, 100
    stated = np.full(count, chance)
    detectable = check_drift(np.zeros(count, bool), stated, RAISED).detectable
    rng = np.random.default_rng(66)
    runs = [(rng.random(count) < chance + sign * detectable, stated) for _ in range(repetitions)]
    assert drift_alarms(runs) >= fewest_seen(repetitions)


def test_drift_interval_is_the_set_of_totals_that_are_not_refuted() -> None:
    """Evidence at the end of the interval is exactly 1/level: computed here from the average of the martingales."""
    rng = np.random.default_rng(67)
    stated = rng.random(400)
    check = check_drift(rng.random(400) < stated, stated, 1e-3)
    rates = np.geomspace(1e-3, 2.0, 24)
    for end in (check.low, check.high):
        total = 400 * (check.estimate - end)
        terms = [
            np.exp(slope * total - np.sum(np.log(1 - stated + stated * np.exp(slope)) - slope * stated))
            for slope in (*-rates, *rates)
        ]
        assert np.mean(terms) == pytest.approx(1e3, rel=1e-6)


@pytest.mark.parametrize(
    ("exact", "refuted"), [(0.2, False), (0.4, False), (0.3, False), (0.1999, True), (0.4001, True)]
)
def test_a_check_is_refuted_outside_its_closed_interval(exact: float, refuted: bool) -> None:
    assert Check(exact, 0.3, 0.2, 0.4, 10, 0.1).is_refuted is refuted
