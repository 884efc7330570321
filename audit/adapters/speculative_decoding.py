"""speculative-decoding (lucidrains): ``speculative_decoding``, the whole loop with its alignment of ragged batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from audit.models import START, TabularLogits
from audit.package import load
from audit.randomness import seeded
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="speculative-decoding",
    version="0.2.0",
    filename="speculative_decoding-0.2.0-py3-none-any.whl",
    size=11_493,
    sha256="0652f1723decdfeadec7333fe4d6d37abf17fe0cf59f59637107d7af3f762cfb",
    member="speculative_decoding/speculative_decoding.py",
)
EINOPS = Wheel(
    distribution="einops",
    version="0.8.2",
    filename="einops-0.8.2-py3-none-any.whl",
    size=65_638,
    sha256="54058201ac7087911181bfec4af6091bb59380360f069276601256a76af08193",
    member="einops/__init__.py",
)
BEARTYPE = Wheel(
    distribution="beartype",
    version="0.23.1",
    filename="beartype-0.23.1-py3-none-any.whl",
    size=1_582_101,
    sha256="4461b4dc57e3fdd6c8a8464b22cf118002eea107c33e9fef651c69068ab3cce3",
    member="beartype/__init__.py",
)
WHEELS = (WHEEL, EINOPS, BEARTYPE)
DRAFT_LENGTH = 2


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, at temperature 1 and without its top-k filter; all trials are rows of one batch."""
    prompts = torch.tensor([[START, *prompt]]).expand(n, -1)
    networks = _network(target_model), _network(draft_model)
    decode = load(*WHEELS).speculative_decoding
    with seeded(rng):
        texts, _ = decode(*networks, prompts, prompts.shape[1] + length, gamma=DRAFT_LENGTH, filter_thres=0.0)
    tokens: Tokens = texts.numpy()
    return tokens


def _network(model: TabularModel) -> Callable[..., Any]:
    """A network in the package's form. Its rows are aligned to the right; its cache holds nothing but a length."""
    logits = TabularLogits(model)

    def call(ids: torch.Tensor, *, seq_start_pos: torch.Tensor, **_: Any) -> tuple[torch.Tensor, Any]:
        wanted = torch.zeros(ids.shape[0], DRAFT_LENGTH + 1, model.num_states, dtype=torch.float64)
        for start in set(seq_start_pos.tolist()):
            rows = seq_start_pos == start
            laws = logits(ids[rows, start:])[:, -DRAFT_LENGTH - 1 :]
            wanted[rows, -laws.shape[1] :] = laws
        return wanted, (torch.zeros(*ids.shape, 1), None)

    return call


def texts(draft: Any, target: Any, prompt: tuple[int, ...], length: int, n: int, rng: np.random.Generator) -> Tokens:
    """The tokens after the prompt, all texts in one batch, from two networks of the package's class ``Decoder``."""
    prompts = torch.tensor([prompt]).expand(n, -1)
    decode = load(*WHEELS).speculative_decoding
    with seeded(rng):
        tokens: Tokens = decode(target, draft, prompts, len(prompt) + length, DRAFT_LENGTH, filter_thres=0.0)[0].numpy()
    return tokens
