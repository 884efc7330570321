"""What the audit says of assistants with another tokenizer: whose logits are whose goes by the vocabulary's order."""

from __future__ import annotations

import pytest

pytest.importorskip("transformers")

import torch
from transformers.generation.candidate_generator import AssistantToTargetTranslator

from audit.adapters.transformers_generate import llama
from audit.adapters.transformers_tokenizers import OwnVocabulary
from audit.repairs.transformers_tokenizers import InOrder


class Reversed(OwnVocabulary):
    """A tokenizer whose vocabulary comes in an order that a hash can have."""

    def get_vocab(self) -> dict[str, int]:
        """List the last id first."""
        return dict(sorted(super().get_vocab().items(), key=lambda entry: -entry[1]))


@pytest.mark.parametrize(("tokenizer", "is_right"), [(InOrder, True), (Reversed, False)])
def test_a_logit_is_of_its_token_where_vocabularies_come_in_order(
    tokenizer: type[OwnVocabulary], is_right: bool
) -> None:
    """The target writes the tokens 0, 1 and 2 as a, b and c, and the assistant as c, b and a after one of its own."""
    assistant = llama(torch.arange(16.0).view(4, 4).numpy())
    translator = AssistantToTargetTranslator(
        tokenizer("abc"), tokenizer("dcba"), 3, assistant_model=assistant, assistant_prune_lm_head=True
    )
    with torch.no_grad():
        logits = translator.get_target_logits(assistant(torch.tensor([[0]])).logits.float())[0, -1]
    assert (logits.round().tolist() == [3.0, 2.0, 1.0]) == is_right
