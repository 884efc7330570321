"""Traces of texts that a Markov chain wrote: every price has an exact counterpart."""

from __future__ import annotations

import numpy as np

from specproof.simulations.traces.position_columns import columns, traced_verifiers
from specproof.simulations.traces.trace import Trace, pack
from specproof.simulations.traces.trace_header import TextRecord, TraceHeader
from specproof.theory.chain import MarkovChain


def sample(chain: MarkovChain, length: int, rng: np.random.Generator) -> np.ndarray:
    """A text of the chain, shape (length,)."""
    text = [rng.choice(chain.initial.size, p=chain.initial)]
    while len(text) < length:
        text.append(rng.choice(chain.initial.size, p=chain.transitions[text[-1]]))
    return np.array(text)


def traced(
    draft: MarkovChain,
    target: MarkovChain,
    *,
    texts: int = 3,
    length: int = 12,
    num_drafts: int = 3,
    seed: int = 0,
    ended: bool = False,
    per_prompt: int = 1,
) -> Trace:
    """Texts of the target, with what the chains say along them."""
    rng = np.random.default_rng(seed)
    parts, records = [], []
    for number in range(texts):
        tokens = sample(target, length, rng)
        laws = [np.vstack([chain.initial, chain.transitions[tokens[:-1]]]) for chain in (draft, target)]
        found = columns(*laws, tokens, num_drafts, rng)
        parts.append(found | {"text": np.full(length, number), "position": np.arange(length), "token": tokens})
        records.append(TextRecord(f"prompt-{number // per_prompt}", length, ended))
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    names = traced_verifiers() if num_drafts else ()
    header = TraceHeader(
        "arrays", "two chains", tuple(records), vocabulary=draft.num_states, num_drafts=num_drafts, verifiers=names
    )
    return pack(header, {**table, "draft_temperature": np.ones(texts * length)})
