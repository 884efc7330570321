"""What runs on a GPU gives what the CPU gives, from the same uniforms; skipped where there is none.

Uniforms come from NumPy, and laws are float64 softmaxes of float32 logits, which the devices round differently: in the
last of their seven digits. So two texts from the same uniforms part only where one falls into a gap of about 1e-6.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_llama import save_model

from specproof.conformance import check_sampler
from specproof.reproduce import gather_evidence
from specproof.run_plan import plan_run
from specproof.simulations.claims.claim import Settings
from specproof.simulations.claims.priority import gain
from specproof.simulations.claims.real import acceptance, block_efficiency, rejection_martingale
from specproof.simulations.claims.yin2024 import opt_uno
from specproof.simulations.experiments.store import Store
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.pairs import load_pair
from specproof.simulations.language_models.prompts import Prompt
from specproof.simulations.language_models.quantise import round_to_nearest
from specproof.simulations.language_models.scoring import Continuation, likelihood_scorer
from specproof.simulations.language_models.skip import skip_layers
from specproof.simulations.language_models.walking import sample_target
from specproof.simulations.samplers import SAMPLERS, single
from specproof.simulations.samplers.inversion import invert
from specproof.theory.sampling_settings import SamplingSettings
from specproof.transformers import opt_sampler, speculative, speculative_batch, speculative_sequences, uno_sampler
from specproof.wanted import Wanted

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
]

PROMPTS = [[1, 2, 3], [5], [7, 7]] * 200
HORIZON = 12
PARTED = 0.01
"""Share of the texts that may part; a text has some 100 chances of 1e-6 to do so."""


@pytest.fixture(scope="module")
def on_gpu(make_pair: Any) -> ModelPair:
    return make_pair(device="cuda")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a pair of checkpoints."""
    folder = tmp_path_factory.mktemp("models")
    for name, seed in (("draft", 11), ("target", 12)):
        save_model(folder / name, seed)
    return f"hf:{folder}/draft,{folder}/target"


def assert_alike(found: np.ndarray, expected: np.ndarray) -> None:
    assert (found != expected).any(axis=1).mean() <= PARTED


@pytest.mark.parametrize(
    "settings", [SamplingSettings(), SamplingSettings(0.7, 9, 0.9, 0.05), SamplingSettings(top_p=0.8)], ids=str
)
def test_settings_make_the_distributions_that_they_make_in_numpy(settings: SamplingSettings) -> None:
    logits = np.random.default_rng(3).integers(-20, 3, (300, 61)) / 4
    found = settings.distribution(torch.from_numpy(logits).cuda())
    assert found.device.type == "cuda"
    assert np.abs(found.cpu().numpy() - settings.distribution(logits)).max() <= 1e-15


@pytest.mark.parametrize("name", [*SAMPLERS, "opt", "uno"])
def test_verifiers_choose_as_in_numpy(name: str) -> None:
    """Float64 on both sides: only the order of sums differs."""
    rng = np.random.default_rng(1)
    rule, count = (
        {**SAMPLERS, "opt": opt_sampler(0.3), "uno": uno_sampler(0.3)}[name],
        1 if name in {"opt", "uno"} else 3,
    )
    draft, target = rng.dirichlet(np.ones(50), size=(2, 2000))
    drafts = invert(draft[:, None, :], rng.random((2000, count)))
    arrays = draft, target, drafts, rng.random((2000, count + 1))
    expected = rule(*arrays)
    found = rule(*(torch.from_numpy(array).cuda() for array in arrays))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.device.type == "cuda"
        assert (ours.cpu().numpy() != theirs).mean() <= 0.001


def test_the_target_alone(pair: ModelPair, on_gpu: ModelPair) -> None:
    texts = [sample_target(models, PROMPTS, HORIZON, np.random.default_rng(2)) for models in (on_gpu, pair)]
    assert_alike(*texts)


@pytest.mark.parametrize("bonus", [False, True])
def test_speculative_decoding(pair: ModelPair, on_gpu: ModelPair, bonus: bool) -> None:
    rule = LevelByLevel(bonus=bonus)
    runs = [speculative_decode(own, PROMPTS, HORIZON, 3, rule, np.random.default_rng(3)) for own in (on_gpu, pair)]
    assert_alike(*(run.tokens for run in runs))
    assert runs[0].expected_rejections == pytest.approx(runs[1].expected_rejections, rel=0.01)
    assert runs[0].rejections > 500


@pytest.mark.parametrize("name", SAMPLERS)
def test_draft_sequences(pair: ModelPair, on_gpu: ModelPair, name: str) -> None:
    rule = LevelByLevel(SAMPLERS[name], 3)
    runs = [
        speculative_decode(own, PROMPTS, HORIZON, 2, rule, np.random.default_rng(4), whole_rounds=True)
        for own in (on_gpu, pair)
    ]
    assert_alike(*(run.tokens for run in runs))
    assert set(runs[0].seconds.wall) == {"draft", "target", "selection"}


def test_drafts_of_the_target_itself(on_gpu: ModelPair, pair: ModelPair) -> None:
    for make in (lambda module: round_to_nearest(module, 4, group=8), lambda module: skip_layers(module, [0])):
        ours, theirs = make(on_gpu.target.module), make(pair.target.module)
        tokens = torch.tensor([[1, 2, 3, 4]])
        with torch.no_grad():
            found, expected = ours(tokens.cuda()).logits.cpu(), theirs(tokens).logits
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_the_likelihood_scorer(saved: str) -> None:
    prompts = [Prompt("w1 w2", "a"), Prompt("w6", "b")]
    continuations = [Continuation([3, 4, 5], ""), Continuation([0], "")]
    found, expected = (
        likelihood_scorer(load_pair(saved, device))(prompts, continuations) for device in ("cuda", "cpu")
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "rule", [speculative, lambda a: speculative_batch(a, 2), lambda a: speculative_sequences(a, 2)]
)
def test_inside_generate(on_gpu: ModelPair, rule: Any) -> None:
    """The model as its own draft rejects nothing, and every text is whole."""
    target = on_gpu.target.module
    output = target.generate(
        torch.tensor([[1, 2, 3]] * 50).cuda(),
        custom_generate=rule(target),
        do_sample=True,
        max_new_tokens=8,
        return_dict_in_generate=True,
    )
    assert output.sequences.shape == (50, 11)
    assert output.sequences.device.type == "cuda"
    assert output.rejected.float().mean() <= 0.01


def test_the_claims_about_language_models(saved: str, tmp_path: Path) -> None:
    prompts = tuple({"id": str(i), "text": f"w{i % 8} w{i % 3}", "kind": "", "chat": False} for i in range(6))
    settings = Settings(pair=saved, prompts=prompts, device="cuda")
    claims = tuple(module.CLAIM for module in (acceptance, rejection_martingale, block_efficiency, gain, opt_uno))
    store = Store(tmp_path / "cells", lambda cell: cell.key(0, 0.0, ""))
    for part in gather_evidence(plan_run(Wanted(claims, (), claims), settings), store, jobs=1):
        assert part.surprises == []


def test_the_kit_checks_a_verifier_on_the_gpu() -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        n, length = draft_tokens.shape
        emitted = torch.full((n, length + 1), -1, device="cuda")
        going = torch.ones(n, dtype=torch.bool, device="cuda")
        draft, target, drafted = (array.cuda() for array in (draft_probs, target_probs, draft_tokens))
        for place in range(length):
            uniforms = torch.from_numpy(rng.random((n, 2))).cuda()
            chosen = single.verify(draft[:, place], target[:, place], drafted[:, place, None], uniforms)
            emitted[:, place] = torch.where(going, chosen.tokens, -1)
            going &= chosen.accepted == 0
        bonus = invert(target[:, -1], torch.from_numpy(rng.random(n)).cuda())
        emitted[:, -1] = torch.where(going, bonus, -1)
        return emitted

    report = check_sampler(verify, "chain", arrays="torch")
    assert report.verdict == "lossless", report
