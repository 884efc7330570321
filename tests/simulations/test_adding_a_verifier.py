"""A verifier of one's own takes two files, its theory and its sampler, and is then seen everywhere."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from check_budgets import QUICK

from specproof.bound import Rows, acceptances
from specproof.conformance import Verdict, check_sampler
from specproof.conformance.references import references
from specproof.figures import acceptance as acceptance_figure
from specproof.figures import block_efficiency_map
from specproof.simulations.claims.real import acceptance
from specproof.simulations.claims.spectr2023 import block_efficiency, sequences_lossless
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import CellContext
from specproof.simulations.samplers import SAMPLERS, register_sampler
from specproof.theory.distribution import dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import LOOKS, VERIFIERS, register_verifier

THEORY = """
from specproof.theory.verifiers import Verifier, register_verifier
from specproof.theory.verifiers.single import single_agreement, single_given, single_law

def last_given(draft, target, drafts):
    return single_given(draft, target, drafts[:, ::-1])[:, ::-1]

register_verifier(
    Verifier("last", "the last draft", "#56B4E9", "x", single_law, single_agreement, given_drafts=last_given)
)
"""

SAMPLER = """
from specproof.simulations.samplers import register_sampler
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.samplers.single import verify

def verify_last(draft, target, drafts, uniforms):
    tokens, accepted = verify(draft, target, drafts[..., -1:], uniforms[..., -2:])
    return Selection(tokens, (accepted + 1) * drafts.shape[-1] - 1)

register_sampler("last", verify_last)
"""

NAME, LABEL = "last", "the last draft"


@pytest.fixture(autouse=True)
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files are written and run; what they register is forgotten after the test."""
    for registry in (VERIFIERS, SAMPLERS, LOOKS):
        monkeypatch.setattr(registry, "_items", dict(registry._items))
    for name, text in (("theory.py", THEORY), ("sampler.py", SAMPLER)):
        (tmp_path / name).write_text(text)
        runpy.run_path(str(tmp_path / name))


def context(**tables: list[dict[str, object]]) -> CellContext:
    return CellContext(np.random.default_rng(0), 1e-9, tables)


def test_bound_prints_it() -> None:
    found = acceptances(Rows("draft", np.array([0.5, 0.5])), Rows("target", np.array([0.25, 0.75])), 3)
    assert {*VERIFIERS, "optimal"} <= set(found.acceptance)
    assert float(found.acceptance[NAME]) == 0.75


def test_claims_enumerate_and_simulate_it() -> None:
    rows = sequences_lossless.enumeration(context(), instances=2).rows
    assert f"worst error: joint law of block and continuation, {NAME}" in {row.quantity for row in rows}
    assert [row.quantity for row in rows if row.method == Method.IDENTITY and not row.is_expected] == []
    rows = block_efficiency.simulation(context(), verifier=NAME, trials=2000).rows
    assert {row.verdict for row in rows if row.method == Method.SIMULATION} <= {
        ClaimVerdict.CONSISTENT,
        ClaimVerdict.INCONCLUSIVE,
    }


def test_tables_of_claims_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for end in ("MOST", "LONGEST"):
        monkeypatch.setattr(block_efficiency, end, 2)
    table = pd.DataFrame(block_efficiency.efficiency_map(context()).tables["efficiency"])
    assert set(table.loc[table["verifier"] == NAME, "label"]) == {LABEL}
    assert LABEL in [axes.get_title() for axes in block_efficiency_map.draw(table).axes]


def test_legends_have_it() -> None:
    rng = np.random.default_rng(1)
    laws = dirichlet(12, 1.0, rng, 4), dirichlet(12, 1.0, rng, 4)
    columns = acceptance._acceptances(*laws) | acceptance._estimates(*laws, rng)
    positions = pd.DataFrame(columns).assign(pair="toy", prompt=[0, 0, 1, 1]).to_dict("records")
    found = acceptance.conclude(context(positions=positions))
    assert f"least of optimum minus {LABEL}, k = 8" in {row.quantity for row in found.rows}
    figure = acceptance_figure.draw(pd.DataFrame(found.tables["acceptance"]))
    assert LABEL in [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_kit_has_it_among_its_references() -> None:
    contract, sampler = references()[NAME]
    assert check_sampler(sampler, contract, budget=QUICK).verdict == Verdict.LOSSLESS


def test_a_name_stands_for_one_thing() -> None:
    register_verifier(VERIFIERS[NAME])
    with pytest.raises(InvalidInput, match="name is 'last': another verifier is registered by it"):
        register_verifier(replace(VERIFIERS[NAME], label="another"))
    with pytest.raises(InvalidInput, match="name is 'last': another verifier is registered by it"):
        register_sampler(NAME, SAMPLERS["kseq"])
    with pytest.raises(InvalidInput, match="name is 'optimal': another look is registered by it"):
        register_verifier(replace(VERIFIERS[NAME], name="optimal"))
    with pytest.raises(InvalidInput, match="register the verifier before its sampler"):
        register_sampler("unknown", SAMPLERS[NAME])
    with pytest.raises(InvalidInput, match="sampler is None: give a function"):
        register_sampler(NAME, None)
    with pytest.raises(InvalidInput, match="verifier is a str: give a Verifier"):
        register_verifier("kseq")


def test_the_registries_cannot_be_written_past_registration() -> None:
    with pytest.raises(TypeError):
        VERIFIERS["last"] = VERIFIERS["kseq"]
