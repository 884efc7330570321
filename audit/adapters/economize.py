"""economize: ``RejectionVerifier``, for chains (``verify_batch``) and for trees (``verify_tree``)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.package import load
from audit.randomness import torch_generator
from audit.trials import log_rows, whole_batches
from specproof.conformance.defects.rules import emit
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="economize",
    version="0.3.2",
    filename="economize-0.3.2-py3-none-any.whl",
    size=671_906,
    sha256="189082a38616912482757d5ea1b63abe6ddb453bddfbc21b17a698f5d88524ca",
    member="economize/decoding/verifiers.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain: a draft of one token after the other."""
    verifier, draft, selector = _parts(draft_probs, draft_tokens, None, rng)
    accepted, following = verifier.verify_batch(log_rows(target_probs), draft, selector, None, ())
    return emit(draft_tokens, accepted.numpy(), following.numpy())


def verify_tree(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> tuple[Tokens, NDArray[np.int64]]:
    """Contract multi: a tree of k children of the last token, each drawn from the same law."""
    count = draft_tokens.shape[1]
    roots = torch.full(draft_tokens.shape, -1)
    laws = np.repeat(draft_probs[:, None], count, axis=1)
    verifier, draft, selector = _parts(laws, draft_tokens, roots, rng)
    # Row i+1 of the logits belongs to node i, where the token after an accepted child comes from: it is not looked at.
    logits = log_rows(np.repeat(target_probs[:, None], count + 1, axis=1))
    paths, following = verifier.verify_tree(logits, draft, selector)
    accepted = np.array([path[0] if path else -1 for path in paths])
    chosen = draft_tokens[np.arange(len(accepted)), np.maximum(accepted, 0)]
    return np.where(accepted >= 0, chosen, following), accepted


def _parts(laws: Array, tokens: Tokens, parents: torch.Tensor | None, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    module = load(WHEEL)
    lengths = [tokens.shape[1]] * len(tokens)
    draft = module.Draft(torch.from_numpy(tokens), lengths, parents, torch.from_numpy(laws))
    selector = SimpleNamespace(distributions=lambda logits: logits.softmax(-1), generator=torch_generator(rng))
    return module.RejectionVerifier(SimpleNamespace(verifier_options={})), draft, selector
