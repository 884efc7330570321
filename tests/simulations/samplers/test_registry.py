import numpy as np
import pytest
import torch

from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.statistics import check_frequency, check_law
from specproof.theory.distribution import dirichlet
from specproof.theory.verifiers import VERIFIERS

LEVEL = 1e-9


def test_every_verifier_has_a_sampler():
    assert list(SAMPLERS) == list(VERIFIERS)


@pytest.mark.parametrize("name", SAMPLERS)
def test_samples_have_the_exact_law(name):
    rng = np.random.default_rng(3)
    draft, target = dirichlet(6, 1.0, rng), dirichlet(6, 1.0, rng)
    drafts = invert(draft, rng.random((200_000, 3)))
    found = SAMPLERS[name](draft, target, drafts, rng.random((200_000, 4)))
    law = VERIFIERS[name].law(draft, target, 3)
    assert not check_law(found.tokens, target, LEVEL).is_refuted
    accepted = int(np.count_nonzero(found.accepted >= 0))
    assert not check_frequency(accepted, found.tokens.size, float(law.acceptance), LEVEL).is_refuted
    kept = found.accepted >= 0
    assert (drafts[kept, found.accepted[kept]] == found.tokens[kept]).all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_torch_rows_give_what_numpy_rows_give(name):
    rng = np.random.default_rng(4)
    draft, target = dirichlet(9, 0.3, rng, 50), dirichlet(9, 0.3, rng, 50)
    drafts, uniforms = invert(draft[:, np.newaxis], rng.random((50, 4))), rng.random((50, 5))
    arrays = (draft, target, drafts, uniforms)
    found, again = SAMPLERS[name](*arrays), SAMPLERS[name](*map(torch.from_numpy, arrays))
    assert np.array_equal(found.tokens, again.tokens.numpy())
    assert np.array_equal(found.accepted, again.accepted.numpy())
