"""eagle-harness: ``draw_children`` and ``reject_children``, siblings without replacement and recursive rejection."""

from __future__ import annotations

import numpy as np
import torch

from audit.package import load
from audit.randomness import torch_generator
from audit.trials import log_rows
from specproof.conformance.problems import Tokens, next_token_law
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="eagle-harness",
    version="0.1.3",
    filename="eagle_harness-0.1.3-py3-none-manylinux_2_34_x86_64.whl",
    size=2_893_378,
    sha256="f2b899ab3c48c8e5af3d863f742eef200d3dd29c00e1fdfbad580b2bcbec99b5",
    member="eagle_harness/core/sampled_tree.py",
)
WHEELS = (WHEEL,)
CHILDREN = 2


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate; a round is one position of all texts, whose children are drawn and rejected."""
    module, states = load(WHEEL), draft_model.num_states
    children, ids = min(CHILDREN, states), torch.arange(states).expand(n, -1)
    texts = np.tile(np.array(prompt, dtype=np.int64), (n, 1))
    for _ in range(length):
        logits = log_rows(next_token_law(draft_model, texts))
        proposals = module.draw_children(logits, ids, children, generator=torch_generator(rng))
        laws = torch.from_numpy(next_token_law(target_model, texts))
        uniforms = torch.from_numpy(rng.random((n, children))), torch.from_numpy(rng.random(n))
        emitted = module.reject_children(laws, proposals, *uniforms).tokens.numpy()
        texts = np.hstack([texts, emitted[:, None]])
    return texts[:, len(prompt) :]
