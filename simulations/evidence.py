"""Evidence: a tidy table, one row for each checked quantity."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from specproof.simulations.statistics import Check

if TYPE_CHECKING:
    import pandas as pd


class Method(StrEnum):
    """How a row was obtained.

    Examples
    --------
    >>> from specproof.claims import Method
    >>> str(Method.IDENTITY), str(Method.CONTROL)
    ('exact identity', 'negative control')
    """

    IDENTITY = "exact identity"
    CERTIFICATE = "certificate"
    SIMULATION = "simulation"
    ATTACK = "attack"
    CONTROL = "negative control"


class ClaimVerdict(StrEnum):
    """What a row says about its quantity.

    ``holds``: shown by exact computation. ``consistent``: a statistical test with enough power did not object.
    ``inconclusive``: it did not object, but would not have seen a deviation of the size asked for. ``refuted``: the
    exact value and the evidence contradict each other. A row of method ``negative control`` is about a broken
    control, which is wrong on purpose, and is expected to be refuted; it may be inconclusive only where data is too
    scarce to refute anything.

    Examples
    --------
    >>> from specproof.claims import within
    >>> str(within("acceptance", exact=0.75, estimate=0.5, tolerance=1e-12).verdict)
    'refuted'
    """

    HOLDS = "holds"
    CONSISTENT = "consistent"
    INCONCLUSIVE = "inconclusive"
    REFUTED = "refuted"


@dataclass(frozen=True)
class Evidence:
    """One row.

    Attributes
    ----------
    instance : str
        The parameters are written as a JSON object.
    quantity : str
        The quantity says in words what was checked.
    method : Method
        The method says how the row was obtained.
    exact : float
        The claim states this value, or this bound.
    estimate : float
        The experiment found this value.
    low, high : float
        The truth lies between these two: an interval at ``level`` for statistical rows, the tolerance around an exact
        value else.
    level : float
        The row is refuted with at most this probability although the claim is true; it is 0 for exact rows.
    trials : int
        This many independent trials, instances or positions are behind the estimate.
    detectable : float
        A deviation of this size would have been seen with probability 0.99; for exact rows it is the tolerance.
    verdict : ClaimVerdict
        The verdict says what follows for the claim.
    resolution : float
        The row is inconclusive if ``detectable`` is larger than this; infinite where nothing is asked for.
    claim : str
        The row bears on the claim of this id; this and the fields below are filled in by whoever ran the cell.
    seed : int
        The run has this root seed.
    cell : str
        This cell made the row; with the seed, that is all that is needed to make it again.
    seconds : float
        The whole cell took this long.

    Examples
    --------
    >>> from specproof.claims import within
    >>> row = within("acceptance", exact=0.75, estimate=0.75, tolerance=1e-12, tokens=2)
    >>> row.quantity, row.instance, str(row.verdict)
    ('acceptance', '{"tokens": 2}', 'holds')
    """

    instance: str
    quantity: str
    method: Method
    exact: float
    estimate: float
    low: float
    high: float
    level: float
    trials: int
    detectable: float
    verdict: ClaimVerdict
    resolution: float = math.inf
    claim: str = ""
    seed: int = 0
    cell: str = ""
    seconds: float = 0.0

    @property
    def is_expected(self) -> bool:
        """Whether the row is as it should be: no row is refuted but controls, and each of those unless inconclusive."""
        if self.method == Method.CONTROL:
            return self.verdict in (ClaimVerdict.REFUTED, ClaimVerdict.INCONCLUSIVE)
        return self.verdict != ClaimVerdict.REFUTED

    @property
    def trials_needed(self) -> float:
        """How many times as many trials would decide an inconclusive row, as intervals shrink with their root.

        It is 1 for a row that is decided, and infinite where nothing can be said.

        Examples
        --------
        >>> from specproof.claims import check_frequency, from_check
        >>> check = check_frequency(750, 1000, 0.75, level=1e-6)
        >>> row = from_check("acceptance", check, level=1e-6, resolution=check.detectable / 2)
        >>> str(row.verdict), row.trials_needed
        ('inconclusive', 4.0)
        """
        if self.verdict != ClaimVerdict.INCONCLUSIVE:
            return 1.0
        return (self.detectable / self.resolution) ** 2 if math.isfinite(self.detectable) else math.inf


COLUMNS = ["claim", *(field.name for field in fields(Evidence) if field.name != "claim")]


def within(
    quantity: str,
    *,
    exact: float,
    estimate: float,
    tolerance: float,
    trials: int = 1,
    method: Method = Method.IDENTITY,
    **instance: Any,
) -> Evidence:
    """Two computations of one number: holds if they agree within the tolerance.

    Examples
    --------
    >>> from specproof.claims import within
    >>> str(within("acceptance", exact=0.75, estimate=0.75, tolerance=1e-12).verdict)
    'holds'
    """
    verdict = ClaimVerdict.HOLDS if abs(estimate - exact) <= tolerance else ClaimVerdict.REFUTED
    low, high = exact - tolerance, exact + tolerance
    return Evidence(_json(instance), quantity, method, exact, estimate, low, high, 0.0, trials, tolerance, verdict)


def at_least(
    quantity: str,
    *,
    bound: float,
    estimate: float,
    tolerance: float,
    trials: int = 1,
    method: Method = Method.IDENTITY,
    **instance: Any,
) -> Evidence:
    """Record an inequality and its closest approach: holds if estimate >= bound - tolerance.

    Examples
    --------
    >>> from specproof.claims import at_least
    >>> str(at_least("share", bound=0.8, estimate=0.9, tolerance=1e-12).verdict)
    'holds'
    """
    verdict = ClaimVerdict.HOLDS if estimate >= bound - tolerance else ClaimVerdict.REFUTED
    low = bound - tolerance
    return Evidence(
        _json(instance), quantity, method, bound, estimate, low, float("inf"), 0.0, trials, tolerance, verdict
    )


def from_check(
    quantity: str,
    check: Check,
    *,
    level: float,
    resolution: float = float("inf"),
    method: Method = Method.SIMULATION,
    **instance: Any,
) -> Evidence:
    """Record a statistical check; inconclusive if it could not have seen a deviation as large as ``resolution``.

    Examples
    --------
    >>> from specproof.claims import check_frequency, from_check
    >>> check = check_frequency(750, 1000, 0.75, level=1e-6)
    >>> str(from_check("acceptance", check, level=1e-6, resolution=0.2).verdict)
    'consistent'
    """
    if check.is_refuted:
        verdict = ClaimVerdict.REFUTED
    else:
        verdict = ClaimVerdict.CONSISTENT if check.detectable <= resolution else ClaimVerdict.INCONCLUSIVE
    return Evidence(
        _json(instance), quantity, method, **asdict(check), level=level, verdict=verdict, resolution=resolution
    )


def as_table(rows: Iterable[Evidence]) -> pd.DataFrame:
    """Turn rows into a data frame, one column for each field, enumerations as text."""
    import pandas as pd

    records = [{name: _plain(value) for name, value in asdict(row).items()} for row in rows]
    return pd.DataFrame(records, columns=COLUMNS)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value


def _json(instance: Mapping[str, Any]) -> str:
    return json.dumps(instance, sort_keys=True)
