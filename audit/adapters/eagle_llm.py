"""eagle-llm: ``evaluate_posterior`` on trees of one level, with siblings drawn by its own ``Model.sample``."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from audit.models import TabularLogits, generate_rounds
from audit.package import load
from audit.randomness import seeded
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="eagle-llm",
    version="1.2.1",
    filename="eagle_llm-1.2.1-py3-none-any.whl",
    size=164_367,
    sha256="e4a6d611a16d05ecee1f8afb24ce86f7d64b07a39999739309c51615313480ec",
    member="eagle/model/utils.py",
)
WHEELS = (WHEEL,)
SIBLINGS = 2


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
    temperature: float = 1.0,
) -> Tokens:
    """Contract generate. The models' logits are such that at the temperature asked for their laws are the tables'."""
    verifier, siblings = load(WHEEL), min(SIBLINGS, draft_model.num_states)
    sample = load(dataclasses.replace(WHEEL, member="eagle/model/cnets.py")).Model.sample
    processor = verifier.prepare_logits_processor(temperature=temperature)
    draft, target = TabularLogits(draft_model), TabularLogits(target_model)

    def one_round(ids: torch.Tensor) -> torch.Tensor:
        tokens, conditionals, law = sample(None, temperature * draft(ids)[:, -1], processor, k=siblings)
        paths = torch.cat([ids[:, -1].expand(siblings, 1), tokens.T], dim=1)
        logits = temperature * target(torch.cat([ids.expand(siblings, -1), tokens.T], dim=1))[:, -2:]
        probabilities = torch.cat([torch.ones(siblings, 1), conditionals.T], dim=1)
        tree = torch.cat([ids[:, -1:], tokens], dim=1)
        elder = [[[], torch.arange(1, 1 + index)] for index in range(siblings)]
        parents = [[0, 0]] * siblings
        path, count, weights = verifier.evaluate_posterior(
            logits, paths, processor, probabilities, [law], parents, tree, elder
        )
        following = torch.multinomial(weights, 1)
        return torch.cat([ids, paths[path, 1 : 1 + count][None], following[None]], dim=1)

    with seeded(rng):
        return generate_rounds(one_round, prompt, length, n)


def generate_warm(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, at temperature 0.5."""
    return generate(draft_model, target_model, prompt, length, n, rng, temperature=0.5)
