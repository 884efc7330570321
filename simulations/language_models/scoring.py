"""Judging continuations by one number each: the target's own likelihood, a reward model, or any function of theirs.

Names are understood without torch; only loading and scoring need the extra ``llm``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import ArrayLike

from specproof.simulations.language_models.prompts import Prompt, encode
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.language_models.model_pair import ModelPair

LIKELIHOOD, REWARD = "likelihood", "hf"
FORMS = f"{LIKELIHOOD} (mean log-probability of a token under the target), {REWARD}:NAME (a reward model, id or folder)"


class Continuation(NamedTuple):
    """What a model wrote after a prompt."""

    tokens: list[int]
    """The ids that the pair's tokenizer gives it, never empty, an end-of-text token included."""
    text: str
    """What they read as, without special tokens."""


Scorer = Callable[[Sequence[Prompt], Sequence[Continuation]], ArrayLike]
"""One finite number for each prompt with its continuation, the larger the better."""


def parse_scorer(name: str) -> str:
    """Bring a scorer's name into normal form.

    Raises
    ------
    InvalidInput
        If there is no such kind of scorer, or no model is named.
    """
    kind, _, location = name.partition(":")
    if name == LIKELIHOOD:
        return name
    if kind == REWARD and location.strip():
        return f"{REWARD}:{location.strip()}"
    raise InvalidInput(f"there is no scorer {name!r}: choose one of {FORMS}")


def load_scorer(name: str, pair: str, device: str) -> Scorer:
    """Load a scorer by name, for continuations of a pair.

    Raises
    ------
    InvalidInput
        If the name is wrong, or a model cannot be loaded.
    """
    from specproof.simulations.language_models.pairs import load_pair, require_llm

    scorer = parse_scorer(name)
    require_llm()
    if scorer == LIKELIHOOD:
        return likelihood_scorer(load_pair(pair, device))
    return reward_scorer(scorer.removeprefix(f"{REWARD}:"), device)


def score(scorer: Scorer, name: str, prompts: Sequence[Prompt], continuations: Sequence[Continuation]) -> Array:
    """Score every continuation, shape (n,), and refuse what cannot be compared; tensors of any kind are taken.

    Raises
    ------
    InvalidInput
        If the scorer does not return one number for each, or one of them is NaN or infinite.
    """
    given: Any = scorer(prompts, continuations)
    if is_torch_array(given):  # of which NumPy takes none with a gradient, in bfloat16 or on a GPU
        given = given.detach().double().cpu()
    try:
        scores = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:  # a RuntimeError: a list of tensors that have gradients
        raise InvalidInput(f"scorer {name} does not return numbers ({error}): give one for each text") from None
    if scores.shape != (len(continuations),):
        raise InvalidInput(
            f"scorer {name} returned shape {scores.shape} for {len(continuations)} continuations: give one number each"
        )
    wrong = np.flatnonzero(~np.isfinite(scores))
    if wrong.size:
        index = int(wrong[0])
        raise InvalidInput(
            f"scorer {name} gave continuation {index} ({continuations[index].text[:40]!r}, of prompt "
            f"{prompts[index].id}) the score {scores[index]}: scores are finite numbers, mend it or choose another"
        )
    return scores


def likelihood_scorer(pair: ModelPair) -> Scorer:
    r"""Make the scorer :math:`\frac1n \sum_i \log q(x_i | x_{<i})`, in nats a token, end-of-text included.

    The target's temperature counts; its filters do not, as a rule that is not lossless emits what they leave out.
    """
    import torch

    from specproof.simulations.language_models.model import start

    def likelihood(prompts: Sequence[Prompt], continuations: Sequence[Continuation]) -> Array:
        cached, last = start(pair.target, encode(list(prompts), pair.tokenizer))
        lengths = torch.tensor([len(each.tokens) for each in continuations], device=pair.target.device)
        totals = torch.zeros(len(continuations), dtype=torch.float64, device=pair.target.device)
        # A position at a time, as the laws of all of them at once would take gigabytes.
        for position in range(int(lengths.max())):
            goes_on = position < lengths
            logits = cached.append(last[:, None], goes_on[:, None])[:, 0]
            laws = torch.log_softmax(logits.double() / pair.target.settings.temperature, dim=-1)
            column = [each.tokens[min(position, len(each.tokens) - 1)] for each in continuations]
            last = torch.tensor(column, device=pair.target.device)
            totals += torch.where(goes_on, laws.gather(1, last[:, None])[:, 0], 0.0)
        means: Array = (totals / lengths).cpu().numpy()
        return means

    return likelihood


def reward_scorer(location: str, device: str) -> Scorer:
    """Make a scorer of a Hugging Face reward model: a sequence classifier of one label with its own tokenizer.

    A chat prompt and its answer go through the tokenizer's chat template, or as a pair of texts where there is none;
    other prompts and their continuations are one text.

    Raises
    ------
    InvalidInput
        If the model cannot be loaded, has several labels, or (when scoring) a text is longer than its context.
    """
    import torch

    from specproof.simulations.language_models.checkpoints import open_reward_model, open_tokenizer
    from specproof.simulations.language_models.quiet import quiet_transformers

    tokenizer = open_tokenizer(location)
    module = open_reward_model(location, device)
    longest = getattr(module.config, "max_position_embeddings", None)
    known = inspect.signature(module.forward).parameters

    @torch.inference_mode()
    def reward(prompts: Sequence[Prompt], continuations: Sequence[Continuation]) -> Array:
        scores = np.empty(len(continuations))
        for index, (prompt, continuation) in enumerate(zip(prompts, continuations, strict=True)):
            with quiet_transformers():
                encoded = _as_dialogue(tokenizer, prompt, continuation.text)
            size = len(encoded["input_ids"])
            if not 0 < size <= (longest or size):
                raise InvalidInput(
                    f"prompt {prompt.id} with its continuation has {size} tokens for the reward model {location}, "
                    f"which takes 1 to {longest}: change the prompt, or choose another scorer"
                )
            # One text at a time: padding would need a token that not every reward model has.
            inputs = {name: torch.tensor([values], device=device) for name, values in encoded.items() if name in known}
            scores[index] = float(module(**inputs).logits[0, 0])
        return scores

    return reward


def _as_dialogue(tokenizer: Any, prompt: Prompt, answer: str) -> dict[str, list[int]]:
    if not prompt.chat:
        return dict(tokenizer(prompt.text + answer))
    if getattr(tokenizer, "chat_template", None):
        messages = [{"role": "user", "content": prompt.text}, {"role": "assistant", "content": answer}]
        return dict(tokenizer.apply_chat_template(messages, return_dict=True))
    return dict(tokenizer(prompt.text, answer))
