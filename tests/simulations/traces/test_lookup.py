"""The prices of prompt lookup against the decoding that it prices."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.simulations.traces.lookup import lookup_reach, lookup_sums


def _counted(prompt: list[int], tokens: list[int], length: int) -> tuple[list[int], list[int]]:
    """Go along the text by calls, with the n-gram model of the decoding loop as the draft: starts, and drafts."""
    torch = pytest.importorskip("torch")
    from specproof.simulations.language_models.ngram import NGramModel

    starts, drafted, place = [], [], 0
    while place < len(tokens):
        text = [*prompt, *tokens[:place]]
        read = NGramModel(10, "cpu", 2).read([text[:-1]])
        fed, there = torch.tensor([text[-1:]]), torch.tensor([[True]])
        count = read.worth_drafting(length, fed, there)
        starts.append(place)
        drafted.append(count)
        for _ in range(count):
            fed = read.append(fed, there)[:, -1:].argmax(dim=-1)
            if place == len(tokens) or fed.item() != tokens[place]:
                break
            place += 1
        place += 1
    return starts, drafted


@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_it_prices_the_calls_that_the_ngram_model_makes(length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    prompt, tokens = rng.integers(0, 4, 5).tolist(), rng.integers(0, 4, 40).tolist()
    starts, drafted = _counted(prompt, tokens, length)
    reach, drafts = lookup_reach(prompt, tokens, 2, length)
    assert [length * bool(drafts[start]) for start in starts] == drafted
    _, seconds = lookup_sums(reach, drafts, None, lambda count: 1.0 + 0.25 * count)
    assert seconds == pytest.approx(len(starts) + 0.25 * sum(drafted))


def test_where_nothing_matches_a_call_emits_one_token_and_costs_no_draft() -> None:
    reach, drafts = lookup_reach([0], [1, 2, 3], 3, 2)
    assert not drafts.any()
    assert lookup_sums(reach, drafts, 2, lambda count: 1.0 + count) == (2.0, 2.0)
