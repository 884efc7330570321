"""Check a stranger's sampler: whether it is lossless, and how far from the best acceptance."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, Unpack

from specproof.conformance.arguments import LEVEL, Budget, Options, check_arguments
from specproof.conformance.contract import Contract
from specproof.conformance.report.finding import Verdict
from specproof.conformance.report.report import Report
from specproof.conformance.stages.whole_check import run_check, silent
from specproof.conformance.subject.isolation import check_in_process, name_of
from specproof.conformance.subject.loading import load_function
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.conformance.verdict_errors import NotLossless, TooLittleEvidence
from specproof.theory.errors import InvalidInput

Asked = ParamSpec("Asked")


def _refusing_in_one_frame(check: Callable[Asked, Report]) -> Callable[Asked, Report]:
    """Let what is said of a wrong argument come from one frame, which pytest hides: a test shows its own line alone."""

    @functools.wraps(check)
    def checked(*arguments: Asked.args, **options: Asked.kwargs) -> Report:
        __tracebackhide__ = True
        try:
            return check(*arguments, **options)
        except InvalidInput as error:
            raise error.with_traceback(None) from error.__cause__

    return checked


@_refusing_in_one_frame
def check_sampler(
    function: Sampler | str,
    contract: Contract | str = Contract.CHAIN,
    *,
    thorough: bool = False,
    level: float = LEVEL,
    seed: int = 0,
    time_limit: float | None = None,
    arrays: str = "numpy",
    budget: Budget | str | None = None,
    require_seed: bool = False,
    isolate: bool = False,
    within: float | None = None,
    problem: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Check whether a sampler is lossless.

    The sampler is run on a ladder of small problems whose laws are known exactly, alone and in batches of different
    problems, in small batches, and on degenerate ones. Each law is tested by an e-process
    (:mod:`specproof.conformance.evidence.e_processes`) that is looked at after every round; ``level`` is shared
    among all of them, so that a lossless sampler fails with probability at most ``level``.

    Parameters
    ----------
    function : callable or str
        A function with the signature of its contract, see :class:`~specproof.conformance.problems.Contract`, or where
        to find it: ``"MODULE:FUNCTION"``, MODULE being a dotted name or the path of a .py file. Its trials are
        independent given the inputs, and all its randomness comes from ``rng``. It may raise
        :class:`~specproof.conformance.Unsupported` on problems that it cannot be asked.
    contract : Contract or {"chain", "multi", "tree", "round", "generate"}
    thorough : bool
        Spend a minute instead of seconds.
    level : float
        The false-alarm probability of the whole check.
    seed : int
        The seed of the inputs and of the generators that the sampler is handed. The same seed gives the same report if
        time does not run out.
    time_limit : float, optional
        Seconds, default 10 and 60 with ``thorough``. A call that takes half as long is a hang. The first call, which
        may have to compile, is not counted, and may take six times the limit up to a minute, or all of a longer limit.
    arrays : {"numpy", "torch"}
        The library whose arrays the verifier is handed.
    budget : Budget or {"default", "thorough", "ci"}, optional
        The budget, in place of the one that ``thorough`` picks. "ci" counts trials and not seconds: the same verdict
        on a busy machine as on an idle one, in a second or two for a vectorised function.
    require_seed : bool
        Whether output that differs for the same inputs and the same ``rng`` is invalid: the contract says that all
        randomness comes from ``rng``. By default it is noted, as no law need be wrong for it.
    isolate : bool
        Whether the check runs in a process of its own: then a function that ends its process, breaks it or never gives
        back the interpreter's lock has the verdict "crashes". The function must be a ``"MODULE:FUNCTION"`` or one that
        can be pickled, and a script that calls this needs ``if __name__ == "__main__":``.
    within : float, optional
        The total variation from the target that a lossy rule declares. Its verdict is "within" if an upper confidence
        bound on every ordinary problem is at most that, "biased" if a lower one is above it on any problem, and else
        "inconclusive"; trials of a batch are taken to be independent. Draws that are the same in every call, whatever
        ``rng``, are "biased" too.
    problem : str, optional
        The name of one problem of the ladder, to run that alone: neither other problems nor degenerate ones. Checks of
        all problems in turn share ``level`` as one check does.
    progress : callable, optional
        Called with a short sentence before each stage. It cannot be had with ``isolate``.

    Raises
    ------
    InvalidInput
        If the function cannot be found or called, or not be taken to a process of its own; if the contract or kind of
        arrays is unknown; or if the level, seed, time limit or budget cannot be used.

    Examples
    --------
    >>> from specproof.conformance.references import token_by_token
    >>> budget = Budget(first=200, rounds=1, small=5, degenerate=20, seconds=60.0)
    >>> check_sampler(token_by_token, "chain", budget=budget).findings
    ()
    """
    if not callable(function) and not isinstance(function, str):
        raise InvalidInput(f"function is {name_of(function)}: give a function of the contract {contract}")
    settings = check_arguments(
        contract,
        thorough=thorough,
        level=level,
        seed=seed,
        time_limit=time_limit,
        arrays=arrays,
        budget=budget,
        require_seed=require_seed,
        within=within,
        problem=problem,
    )
    if progress is not None and not callable(progress):
        raise InvalidInput(f"progress is {name_of(progress)}: give a function of a sentence, such as print")
    if isolate and progress is not None:
        raise InvalidInput("progress cannot be told from a process of its own: leave out isolate or progress")
    if isolate:
        return check_in_process(function, settings)
    loaded = load_function(function) if isinstance(function, str) else function
    return run_check(loaded, name_of(function), settings, progress or silent)


def assert_lossless(
    function: Sampler | str, contract: Contract | str = Contract.CHAIN, **options: Unpack[Options]
) -> Report:
    """Check a sampler in a test: raises an AssertionError with the report unless it is lossless, or as declared.

    The arguments are those of :func:`check_sampler`.

    Raises
    ------
    NotLossless
        If a law is wrong or the contract is broken.
    TooLittleEvidence
        If the check was inconclusive: a larger budget or more time would tell.
    InvalidInput
        As :func:`check_sampler`.

    Examples
    --------
    >>> from specproof.conformance.references import token_by_token
    >>> budget = Budget(first=2000, rounds=2, small=300, degenerate=500, seconds=60.0)
    >>> assert_lossless(token_by_token, budget=budget).verdict
    <Verdict.LOSSLESS: 'lossless'>
    """
    __tracebackhide__ = True  # pytest then shows the line of the test, not ours
    report = check_sampler(function, contract, **options)
    if report.is_passed:
        return report
    if report.verdict is Verdict.INCONCLUSIVE:
        raise TooLittleEvidence(report)
    raise NotLossless(report) from report.findings[0].cause
