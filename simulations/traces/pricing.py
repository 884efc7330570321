r"""Prices from a trace: tokens per call of the target for each configuration, exact given the text, and paired.

Given a text, calls form a renewal process: :math:`S_s`, the probability that a call starts after s tokens, follows from
the reach weights, and such a call emits :math:`e_s = 1 + \sum_l v_l(s)` tokens. Tokens per call are
:math:`\sum_s S_s e_s / \sum_s S_s` over all texts. Only calls that cannot run past the end of a cut text are counted,
the same starts for all configurations, so that the cut biases nothing.

All configurations see the same text, so their differences are far better known than each of them. Intervals are of
Student's t over pseudo-values of the jackknife, which leaves out one prompt at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy  # its parts load when first used

from specproof.simulations.traces.configuration import ONE_DRAFT, Configuration, reach_weights
from specproof.simulations.traces.trace import DRAFTED, Trace
from specproof.simulations.traces.trace_header import TextRecord
from specproof.simulations.traces.tree_design import refuse_many_children
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.texts import call_starts, tokens_and_calls

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05
"""The error level of intervals."""


class Interval(NamedTuple):
    """An estimate and Student's interval of it; the ends are NaN where there is one prompt.

    Examples
    --------
    >>> from specproof.traces import Interval
    >>> Interval(estimate=1.5, low=1.25, high=1.75).half_width
    0.25
    """

    estimate: float
    """The ratio without its bias of first order: the mean of the pseudo-values."""
    low: float
    """The lower end."""
    high: float
    """The upper end."""

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return 0.5 * (self.high - self.low)


@dataclass(frozen=True, eq=False)
class Prices:
    """What a trace says of several configurations.

    Attributes
    ----------
    configurations : tuple of Configuration
        The configurations, in the order asked for.
    prompts : tuple of str
        The names of the independent units.
    tokens, calls : array, shape (configurations, prompts)
        Expected tokens and calls of the counted calls, summed over the texts of each prompt.
    idle : array, shape (configurations, prompts), optional
        How many of these calls draft nothing and cost what a call of the target alone does; by default none.

    Examples
    --------
    >>> from specproof.traces import Configuration, Prices
    >>> asked = Configuration("single", length=1), Configuration("block", length=2)
    >>> prices = Prices(asked, ("a", "b"), tokens=np.array([[6.0, 8.0], [8.0, 9.0]]), calls=np.full((2, 2), 4.0))
    >>> prices.tokens_per_call(0).estimate, prices.index_of(asked[1])
    (1.75, 1)
    """

    configurations: tuple[Configuration, ...]
    prompts: tuple[str, ...]
    tokens: Array
    calls: Array
    idle: Array | None = None

    def __repr__(self) -> str:
        return f"Prices({len(self.configurations)} configurations, {len(self.prompts)} prompts)"

    def tokens_per_call(self, index: int) -> Interval:
        """Block efficiency of one configuration."""
        return jackknife(self.tokens[index], self.calls[index])

    def ratio(self, index: int, reference: int, cost: float = 1.0, reference_cost: float = 1.0) -> Interval:
        """Tokens per unit of cost of one configuration over those of another, paired; costs are of one call."""
        return jackknife(
            self.tokens[index] / cost, self.calls[index], self.tokens[reference] / reference_cost, self.calls[reference]
        )

    def spent(self, costs: Sequence[float]) -> Array:
        """Cost of the counted calls of each prompt, shape (configurations, prompts).

        Parameters
        ----------
        costs : sequence of float
            The cost of a call that drafts, for each configuration, in calls of the target alone.
        """
        drafting = self.calls if self.idle is None else self.calls - self.idle
        total: Array = self.calls + drafting * (np.asarray(costs)[:, np.newaxis] - 1.0)
        return total

    def log_values(self, costs: Sequence[float] | None = None) -> Array:
        """Pseudo-values of the logarithm of tokens per unit of cost, shape (configurations, prompts).

        They are those of the jackknife, not finite where a prompt has all the calls. By default a call costs 1.
        """
        spent, count = self.calls if costs is None else self.spent(costs), len(self.prompts)
        if count == 1:
            alone: Array = np.log(self.tokens / spent)
            return alone
        tokens, whole = (each.sum(axis=1, keepdims=True) for each in (self.tokens, spent))
        with np.errstate(divide="ignore", invalid="ignore"):
            without = np.log((tokens - self.tokens) / (whole - spent))
        values: Array = count * np.log(tokens / whole) - (count - 1) * without
        return values

    def index_of(self, configuration: Configuration) -> int:
        """Find a configuration.

        Raises
        ------
        InvalidInput
            If it was not priced.
        """
        if configuration not in self.configurations:
            raise InvalidInput(f"{configuration} was not priced: ask for it")
        return self.configurations.index(configuration)

    def table(self) -> pd.DataFrame:
        """Tabulate all configurations: tokens per call with an interval, and the gain over one draft as long.

        The gain is NaN for lengths at which one draft, token by token, was not priced.
        """
        import pandas as pd

        return pd.DataFrame([self._record(index) for index in range(len(self.configurations))])

    def _record(self, index: int) -> dict[str, object]:
        asked = self.configurations[index]
        one = Configuration(ONE_DRAFT, 1, asked.length, draft_temperature=asked.draft_temperature)
        nothing = Interval(np.nan, np.nan, np.nan)
        gain = self.ratio(index, self.configurations.index(one)) if one in self.configurations else nothing
        found = self.tokens_per_call(index)
        return {
            "rule": asked.rule,
            "label": asked.label,
            "shape": asked.shape,
            "num_drafts": asked.rows,
            "length": asked.length,
            "draft_temperature": asked.draft_temperature,
            "tokens_per_call": found.estimate,
            "low": found.low,
            "high": found.high,
            "gain": gain.estimate,
            "gain_low": gain.low,
            "gain_high": gain.high,
        }


def jackknife(
    above: Array, below: Array, above_reference: Array | None = None, below_reference: Array | None = None
) -> Interval:
    """Estimate a ratio of sums over prompts, or a ratio of two such ratios, with an interval over prompts.

    Parameters
    ----------
    above, below : array, shape (n,)
        The parts of numerator and denominator that each prompt has.
    above_reference, below_reference : array, shape (n,), optional
        The same of a second ratio, by which the first is divided.
    """
    parts = [above, below] if above_reference is None else [above, below_reference, below, above_reference]
    half = len(parts) // 2

    def ratio(sums: Array) -> Array:
        value: Array = sums[:half].prod(axis=0) / sums[half:].prod(axis=0)
        return value

    return jackknife_of(ratio, np.stack([np.asarray(part, dtype=np.float64) for part in parts]))


def jackknife_of(value: Callable[[Array], Array], sums: Array) -> Interval:
    """Estimate a function of sums over prompts, with an interval over prompts.

    Parameters
    ----------
    value : callable
        It takes m sums as an array of shape (m, n), and gives n values. Twice the text has twice the sums and has to
        have the same value.
    sums : array, shape (m, prompts)
        The part of each sum that each prompt has.
    """
    totals, count = sums.sum(axis=1, keepdims=True), sums.shape[1]
    together = float(value(totals)[0])
    if count == 1:
        return Interval(together, np.nan, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):  # a prompt that has all counted calls
        values = count * together - (count - 1) * value(totals - sums)
    if not np.all(np.isfinite(values)):
        return Interval(together, np.nan, np.nan)
    arm = float(scipy.stats.t.isf(LEVEL / 2, count - 1)) * float(values.std(ddof=1)) / count**0.5
    centre = float(values.mean())
    return Interval(centre, centre - arm, centre + arm)


def price(trace: Trace, configurations: Sequence[Configuration]) -> Prices:
    """Price configurations on one trace.

    Parameters
    ----------
    trace : Trace
    configurations : sequence of Configuration
        Those that share rule and number of drafts are priced together, whatever their length.

    Raises
    ------
    InvalidInput
        If there is none, a tree has more distinct children than tokens, a cut text is shorter than the longest call, or
        the trace lacks what a rule needs.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import Configuration, capture_arrays, price
    >>> target = np.log([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    >>> draft = np.log([[0.75, 0.25]] * 4)
    >>> trace = capture_arrays(draft, target, [0, 1, 1, 0], num_drafts=2)
    >>> prices = price(trace, [Configuration("single", length=1), Configuration("priority", 2, length=1)])
    >>> [round(prices.tokens_per_call(index).estimate, 3) for index in range(2)]
    [1.8, 1.941]
    """
    asked = tuple(dict.fromkeys(configurations))
    if not asked:
        raise InvalidInput("configurations is empty: ask for at least one")
    for each in asked:
        refuse_many_children(trace, each)
    names = tuple(dict.fromkeys(text.name for text in trace.header.texts))
    places = {name: index for index, name in enumerate(names)}
    tokens, calls, idle = np.zeros((3, len(asked), len(names)))
    longest = max(each.length for each in asked)
    for temperature, families in _families(asked).items():
        for text, rows in trace.texts(temperature):
            starts = _starts(text, longest)
            for longest_of_family, members in families:
                reach = reach_weights(rows, longest_of_family)
                for index in members:
                    emitted, made = tokens_and_calls(reach, asked[index].length, starts)
                    tokens[index, places[text.name]] += emitted
                    calls[index, places[text.name]] += made
                    if DRAFTED in rows:
                        idle[index, places[text.name]] += _idle(rows, reach[:, : asked[index].length + 1], starts)
    return Prices(asked, names, tokens, calls, idle if DRAFTED in trace.table else None)


def _idle(rows: pd.DataFrame, reach: Array, starts: int | None) -> float:
    """Expected calls that draft nothing, of those that are counted."""
    return float((call_starts(reach) * ~rows[DRAFTED].to_numpy())[:starts].sum())


def _families(asked: tuple[Configuration, ...]) -> dict[float | None, list[tuple[Configuration, list[int]]]]:
    """Bring together, by draft temperature, what differs in length alone: the longest, and the numbers of all."""
    groups: dict[Configuration, list[int]] = defaultdict(list)
    for index, each in enumerate(asked):
        groups[each if each.is_tree else replace(each, length=1)].append(index)
    found: dict[float | None, list[tuple[Configuration, list[int]]]] = defaultdict(list)
    for key, members in groups.items():
        found[key.draft_temperature].append((max((asked[i] for i in members), key=lambda each: each.length), members))
    return found


def _starts(text: TextRecord, longest: int) -> int | None:
    """How many starts of calls are counted in a cut text: those that cannot run past it; None for one that ended."""
    if text.ended:
        return None
    if text.tokens < longest:
        raise InvalidInput(
            f"text {text.name} has {text.tokens} tokens, and a call of length {longest} does not fit: "
            "capture longer texts, or ask for shorter drafts"
        )
    return text.tokens - longest + 1
