"""The command ``specproof capture``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from specproof.cli.options import Device, Plugins
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.traces.trace import Trace

SHARED = {"tokens", "draft_temperatures", "num_drafts", "seed", "fresh"}
MEANT = {"--pair": SHARED | {"prompts", "device", "batch"}, "--logits": SHARED, "--logprobs": set[str]()}
"""The options that have a meaning beside each source of text, by the names that Python knows them by."""


def capture(
    out: Annotated[Path, typer.Option(help="The trace to write: one Parquet file.", metavar="TRACE")],
    pair: Annotated[
        str | None, typer.Option(help="Sample from a pair of models: rtn:4, skip:12,16,20, hf:DRAFT,TARGET, ...")
    ] = None,
    logits: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="DRAFT.npy TARGET.npy",
            help="Read saved logits of shape (T, V) or (N, T, V), row t those that token t was drawn from.",
            show_default=False,
        ),
    ] = None,
    logprobs: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Read log-probabilities that a server returned, a line a text."),
    ] = None,
    tokens: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE.npy",
            help="With --pair the most tokens of a text (default: 64); with --logits the file of token ids, (T,) or "
            "(N, T), -1 after a text's end.",
        ),
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="One JSON object with a 'text' a line. Default: the prompts shipped.")
    ] = None,
    temperature: Annotated[float, typer.Option(help="The text's temperature.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Keep the k likeliest tokens; 0: all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Keep the likeliest tokens of this share together.")] = 1.0,
    min_p: Annotated[float, typer.Option(help="Drop tokens below this share of the likeliest.")] = 0.0,
    draft_temperature: Annotated[
        list[float] | None,
        typer.Option(help="The draft's temperature; may be repeated. Default: that of the text."),
    ] = None,
    num_drafts: Annotated[
        int | None, typer.Option(help="Measure agreement for 1 to K drafts; 0 for rules of one draft. Default: 8.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Root of every random stream. Default: 0.")] = None,
    device: Annotated[Device | None, typer.Option(help="Where the models run. Default: auto.")] = None,
    batch: Annotated[
        int | None, typer.Option(help="Texts sampled side by side. It decides the random streams. Default: 28.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, even if parts of this trace are kept.")] = False,
    plugin: Plugins = None,
) -> None:
    """Make a trace: text of the target, with what both models say along it.

    'specproof plan' then tells what every rule would gain. Give one of --pair,
    --logits and --logprobs. Sampling settings are applied to both models, as
    engines do: temperature, top-k, top-p, min-p. With --logprobs they are only
    written down, and the log-probabilities must be those after temperature and
    filters.

    An interrupted capture goes on where it was: finished parts are kept in
    TRACE.parts until the trace is written. The trace is the same then.

    Sample 64 tokens after each of the prompts shipped, and price the draft at two temperatures:

      specproof capture --pair rtn:4 --draft-temperature 0.7 --draft-temperature 1 --out trace.parquet

    Read logits that were saved. A forward pass gives in row t the logits of token
    t + 1, so save logits[:-1] with tokens[1:]. Of two vocabularies the shorter is
    padded by -inf:

      specproof capture --logits draft.npy target.npy --tokens tokens.npy --temperature 0.8 --out trace.parquet

    Read what servers returned, a line {"draft": ..., "target": ...} for each text,
    with lists of log-probabilities, 'logprobs' objects or whole responses:

      specproof capture --logprobs scored.jsonl --out trace.parquet
    """
    chosen: dict[str, Any] = {
        "prompts": prompts,
        "tokens": tokens,
        "draft_temperatures": draft_temperature or None,
        "num_drafts": num_drafts,
        "seed": seed,
        "device": device,
        "batch": batch,
        "fresh": fresh or None,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    source = _source({"--pair": pair, "--logits": logits, "--logprobs": logprobs})
    for name in given.keys() - MEANT[source]:
        option = name.replace("temperatures", "temperature").replace("_", "-")
        raise InvalidInput(f"--{option} has no meaning beside {source}: leave it out")

    from specproof.own_code import load_plugin
    from specproof.progress import progress
    from specproof.simulations.traces.capture_arrays import capture_arrays
    from specproof.simulations.traces.capture_logprobs import capture_logprobs
    from specproof.simulations.traces.capture_pair import capture_pair
    from specproof.theory.sampling_settings import SamplingSettings

    for each in plugin or []:
        load_plugin(each)
    given |= {"settings": SamplingSettings(temperature, top_k, top_p, min_p), "progress": progress}
    if pair is not None:
        made = capture_pair(pair, out, **given | _number_of_tokens(tokens))
    elif logits is not None:
        made = capture_arrays(*logits, out=out, **given | _file_of_tokens(tokens))
    else:
        assert logprobs is not None
        made = capture_logprobs(logprobs, out, **given)
    _show(made, out)


def _source(sources: dict[str, Any]) -> str:
    given = [name for name, value in sources.items() if value is not None]
    if len(given) != 1:
        what = f"{' and '.join(given)} are given" if given else "no source of text is given"
        raise InvalidInput(f"{what}: give one of {', '.join(sources)}")
    return given[0]


def _number_of_tokens(given: str | None) -> dict[str, int]:
    if given is None:
        return {}
    if not given.isdecimal():
        raise InvalidInput(f"--tokens is {given!r}: beside --pair it is the number of tokens of a text, such as 64")
    return {"tokens": int(given)}


def _file_of_tokens(given: str | None) -> dict[str, Path]:
    if given is None:
        raise InvalidInput("--tokens is missing: beside --logits it is the .npy file of the texts' token ids")
    return {"tokens": Path(given)}


def _show(trace: Trace, out: Path) -> None:
    """Say what was written, and the acceptance of one draft, which needs no rule and no plan."""
    header = trace.header
    sizes = [text.tokens for text in header.texts]
    ended = sum(text.ended for text in header.texts)
    print(f"{out}: {sum(sizes)} tokens of {len(sizes)} texts, {ended} of which ended by themselves")
    for temperature, rows in trace.table.groupby("draft_temperature", sort=False):
        low, high = rows["overlap_low"].mean(), rows["overlap_high"].mean()
        overlap = f"{low:.4f}" if low == high else f"between {low:.4f} and {high:.4f}"
        print(f"one draft at temperature {temperature:g} is accepted with mean probability {overlap}")
    print(f"next: specproof plan {out} --cost C")
