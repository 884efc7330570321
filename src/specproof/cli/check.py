"""The command ``specproof check``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from specproof.cli import EXIT_REFUTED
from specproof.cli.options import Html, Json, require_page
from specproof.conformance.contract import Contract


class BudgetName(StrEnum):
    """What a check may spend."""

    DEFAULT = "default"
    THOROUGH = "thorough"
    CI = "ci"


class Arrays(StrEnum):
    """What a verifier is handed."""

    NUMPY = "numpy"
    TORCH = "torch"


def check(
    function: Annotated[str, typer.Argument(metavar="MODULE:FUNCTION", help="MODULE may be the path of a .py file.")],
    contract: Annotated[Contract, typer.Option(help="The function's signature.")] = Contract.CHAIN,
    thorough: Annotated[bool, typer.Option("--thorough", help="Spend a minute, not seconds.")] = False,
    budget: Annotated[
        BudgetName | None, typer.Option(help="ci counts trials, not seconds.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the inputs and of the function's generators.")] = 0,
    level: Annotated[float, typer.Option(help="Probability that a lossless sampler fails, at least 1e-100.")] = 1e-6,
    time_limit: Annotated[
        float | None,
        typer.Option(
            help="Seconds, a day at most. A call that takes half of them is a hang; the first, which may compile, is "
            "not counted and may take six times the limit up to a minute, or all of a longer limit. Default: 10, or "
            "60 with --thorough."
        ),
    ] = None,
    arrays: Annotated[Arrays, typer.Option(help="What a verifier is handed.")] = Arrays.NUMPY,
    require_seed: Annotated[
        bool, typer.Option("--require-seed", help="Refuse output that is not reproduced by the same generator.")
    ] = False,
    within: Annotated[
        float | None,
        typer.Option(
            help="Total variation that a lossy rule declares: passed if certainly no more.", show_default=False
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the table of acceptance too.")] = False,
    as_json: Json = False,
    html: Html = None,
) -> None:
    """Check whether a sampler is lossless, and how far its acceptance is from the best.

    Ends with 0 if it is lossless, or within the bias that is declared, with 1 if it
    is not or too little was seen to say so, and with 2 if nothing could be checked, for want of such a function or
    for an option that cannot be used. Contracts, for n independent trials and a
    NumPy generator:

      chain     verify(draft_probs (n,L,V), target_probs (n,L+1,V), draft_tokens (n,L), rng) -> emitted (n,L+1)

      multi     verify(draft_probs (n,V), target_probs (n,V), draft_tokens (n,k), rng) -> (emitted (n,), accepted (n,))

      tree      verify(tree, target_probs (n,N,V), draft_probs (n,N,V) or None, rng) -> emitted (n,D+1)

      round     round(draft_model, target_model, prefix (n,m), length, rng) -> emitted (n, up to length+1)

      generate  generate(draft_model, target_model, prompt, length, n, rng) -> tokens (n,length)

    For example:

      specproof check my_engine/sampler.py:verify --contract chain --thorough
    """
    if html is not None:
        require_page(html)
    from specproof.conformance.checking import check_sampler
    from specproof.conformance.report.terminal import show

    report = check_sampler(
        function,
        contract,
        time_limit=time_limit,
        thorough=thorough,
        budget=None if budget is None else budget.value,
        level=level,
        seed=seed,
        arrays=arrays.value,
        require_seed=require_seed,
        within=within,
        isolate=True,
    )
    show(report, as_json=as_json, verbose=verbose)
    if html is not None:
        from specproof.report.check_page import check_page
        from specproof.report.page import write_page

        write_page(html, check_page(report, ["specproof", *sys.argv[1:]]))
    if not report.is_passed:
        raise typer.Exit(EXIT_REFUTED)
