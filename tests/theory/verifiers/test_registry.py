import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import rough_pairs
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import VERIFIERS


@pytest.mark.parametrize("name", VERIFIERS)
@given(pair=rough_pairs(), num_drafts=st.integers(1, 6))
def test_every_verifier_is_lossless_and_within_the_optimum(name, pair, num_drafts):
    draft, target = pair
    law = VERIFIERS[name].law(draft, target, num_drafts)
    assert law.is_lossless(target)
    assert law.acceptance <= optimal_acceptance(draft, target, num_drafts) + 1e-12


@pytest.mark.parametrize("name", VERIFIERS)
def test_the_key_is_the_name(name):
    assert VERIFIERS[name].name == name
    assert VERIFIERS[name].label


def test_one_draft_ignores_the_others():
    law = VERIFIERS["single"].law([0.5, 0.5], [0.25, 0.75], 8)
    assert law.acceptance == pytest.approx(0.75)
    assert np.allclose(law.accepted, [0.25, 0.5])
