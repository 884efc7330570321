"""One pytest test for each problem of a contract, for a log that says which problem fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from specproof.conformance.contract import Contract
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.verdict_errors import NotLossless
from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    import pytest


def parametrize_with_problems(
    contract: Contract | str, *, expected_failures: Mapping[str, str] | None = None
) -> pytest.MarkDecorator:
    """Decorate a test that takes ``problem``, to be run once for each problem of the ladder, with its name as id.

    The tests of all problems share the level of one check. They run neither degenerate problems nor batches of
    different ones, nor what a sampler is asked only if it has a parameter for it: keep a test of the whole check beside
    them.

    Parameters
    ----------
    contract : Contract or str
    expected_failures : mapping of str to str, optional
        The reasons why the sampler is known to fail, by names of problems. Those tests must fail with
        :class:`NotLossless`: a problem that passes, or of which too little is seen, fails its test.

    Raises
    ------
    InvalidInput
        If there is no such contract or problem, no mapping, or an empty reason; or if pytest is not installed.

    Examples
    --------
    >>> from specproof.conformance import assert_lossless, parametrize_with_problems
    >>> from specproof.conformance.references import token_by_token
    >>> @parametrize_with_problems("chain")
    ... def test_verifier(problem):
    ...     assert_lossless(token_by_token, "chain", budget="ci", problem=problem)
    """
    names = [name for name, problem in ladder(contract).items() if not problem.required]
    if not isinstance(expected_failures, Mapping | None):
        raise InvalidInput(f"expected_failures is {shown(expected_failures)}: give a mapping of names to reasons")
    reasons = dict(expected_failures or {})
    for name, reason in reasons.items():
        if name not in names:
            raise InvalidInput(
                f"expected_failures names {shown(name)}: the problems of {contract} are {', '.join(map(repr, names))}"
            )
        if not isinstance(reason, str) or not reason.strip():
            raise InvalidInput(f"expected_failures[{name!r}] is {shown(reason)}: say why it is known to fail")
    try:
        import pytest
    except ImportError:
        raise InvalidInput("parametrize_with_problems needs pytest: pip install pytest") from None
    return pytest.mark.parametrize(
        "problem",
        [
            pytest.param(
                name,
                id=name,
                marks=[pytest.mark.xfail(raises=NotLossless, strict=True, reason=reasons[name])]
                if name in reasons
                else [],
            )
            for name in names
        ],
    )
