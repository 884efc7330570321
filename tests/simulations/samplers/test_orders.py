import numpy as np

from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.orders import verify
from specproof.simulations.statistics import check_frequency, check_law
from specproof.theory.distribution import dirichlet
from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.verifiers.priority.orders import drafted_sets, independent_drafts, optimal_orders

LEVEL = 1e-9
TRIALS = 200_000


def test_different_drafts_have_the_exact_law():
    rng = np.random.default_rng(1)
    drafts, target = dirichlet(6, 0.5, rng, 3), dirichlet(6, 0.5, rng)
    coupling = optimal_orders(independent_drafts(drafts), target)
    drawn = np.stack([invert(row, rng.random(TRIALS)) for row in drafts], axis=-1)
    found = verify(coupling, drawn, rng.random((TRIALS, 3)))
    kept = found.accepted >= 0
    assert not check_law(found.tokens, target, LEVEL).is_refuted
    assert not check_frequency(int(kept.sum()), TRIALS, coupling.acceptance, LEVEL).is_refuted
    assert (drawn[kept, found.accepted[kept]] == found.tokens[kept]).all()


def test_draws_without_replacement_have_the_exact_law():
    rng = np.random.default_rng(2)
    draft, target = dirichlet(5, 1.0, rng), dirichlet(5, 1.0, rng)
    coupling = optimal_orders(drafted_sets(DraftSets.without_replacement(draft, 2)), target)
    drawn = np.argsort(rng.exponential(size=(TRIALS, 5)) / draft, axis=-1)[:, :2]  # a race: the first two to arrive
    found = verify(coupling, drawn, rng.random((TRIALS, 3)))
    assert not check_law(found.tokens, target, LEVEL).is_refuted
    accepted = int(np.count_nonzero(found.accepted >= 0))
    assert not check_frequency(accepted, TRIALS, coupling.acceptance, LEVEL).is_refuted


def test_the_other_joint_law_is_told_apart():
    rng = np.random.default_rng(3)
    draft, target = np.array([0.6, 0.2, 0.1, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    coupling = optimal_orders(drafted_sets(DraftSets.without_replacement(draft, 2)), target)
    drawn = invert(draft, rng.random((TRIALS, 2)))
    assert check_law(verify(coupling, drawn, rng.random((TRIALS, 3))).tokens, target, LEVEL).is_refuted
