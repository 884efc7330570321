"""Running a stranger's function: found by name, called on copies, watched for hangs, its output taken apart."""

from __future__ import annotations

import contextlib
import copy
import importlib
import importlib.util
import inspect
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.problems import ChainProblem, GenerateProblem, Inputs, MultiProblem, Problem, Tokens
from specproof.conformance.problems.drawing import are_well_formed
from specproof.conformance.subject.calling import Worker, swallowed
from specproof.theory.chain import TabularModel
from specproof.theory.errors import InvalidInput

Sampler = Callable[..., Any]

LARGEST_MESSAGE = 300
BATCH = 16
"""Trials of a call from which on its time says how long a trial of a batch takes."""
LONGEST_CALL = 0.2
"""Share of the time after which a call counts as a hang that one should take."""


class Crash(Exception):
    """The function raised, or did not return in time."""


class Hang(Crash):
    """The function did not return in time."""


class Unsupported(InvalidInput):
    """For adapters to raise on a problem that what they adapt cannot be asked, such as a chain with memory.

    The problem is left out of the check and named in the report.
    """


class Refusal(Crash):
    """The function raised :class:`Unsupported`."""


class InvalidOutput(Exception):
    """The function returned what its contract does not allow."""


class Emission(NamedTuple):
    """What one call returned, for n trials."""

    tokens: Tokens
    """Shape (n, L+1) in the contract chain, (n, 1) in multi, (n, length) in generate."""
    accepted: Tokens
    """Multi: the index of the accepted draft or -1. Chain: how many leading tokens are the drafts. Shape (n,)."""

    def rows(self, chosen: NDArray[Any]) -> Emission:
        """Some of the trials."""
        return Emission(self.tokens[chosen], self.accepted[chosen])


def load_function(name: str) -> Sampler:
    """Import ``MODULE:FUNCTION``, where MODULE is an importable module or the path of a .py file.

    Raises
    ------
    InvalidInput
        If there is no such file, module or function, or importing it fails.
    """
    module_name, colon, function_name = name.rpartition(":")
    if not colon or not module_name or not function_name:
        raise InvalidInput(f"{name!r} does not name a function: write MODULE:FUNCTION or path/to/file.py:FUNCTION")
    module = _load_file(Path(module_name)) if module_name.endswith(".py") else _load_module(module_name)
    function: Any = module
    for part in function_name.split("."):
        owner = function
        try:
            function = getattr(function, part)
        except Exception as error:  # a stranger's module may raise what it likes
            raise InvalidInput(
                f"{module_name} has no {function_name!r} ({_one_line(error)}): name a function that is defined there"
            ) from None
    if not callable(function):
        raise InvalidInput(f"{function_name!r} in {module_name} is a {type(function).__name__}: name a function")
    if inspect.isclass(owner) and inspect.isfunction(inspect.getattr_static(owner, part, None)):
        raise InvalidInput(f"{function_name!r} in {module_name} is a method: name one of an instance, or a function")
    found: Sampler = function
    return found


class Spent(NamedTuple):
    """Trials and the seconds they took."""

    trials: int = 0
    seconds: float = 0.0

    @property
    def pace(self) -> float:
        """Seconds for a trial."""
        return max(self.seconds, 1e-9) / max(self.trials, 1)

    def more(self, trials: int, seconds: float) -> Spent:
        """With those of another call; what was counted of a few trials is forgotten once there are many."""
        if self.trials < BATCH:
            return Spent(trials, seconds)
        return Spent(self.trials + trials, self.seconds + seconds)


class Subject:
    """A sampler under test.

    Every call gets fresh copies of its inputs and a fresh generator, runs in a thread of its own so that a hang can be
    left behind, and may print without disturbing anybody.

    Parameters
    ----------
    function : callable
    arrays : {"numpy", "torch"}
        What verifiers are handed.
    call_limit : float
        Seconds after which a call counts as a hang; the first, which may have to compile, may take twice as long.
    """

    def __init__(self, function: Sampler, arrays: str, call_limit: float) -> None:
        self.calls = self.trials = 0
        self.batches = Spent()
        self.printed = 0
        self.changes_inputs = False
        self._worker = Worker()
        self._function, self._arrays, self._call_limit = function, arrays, call_limit

    @property
    def longest_call(self) -> float:
        """Trials that one call should have at most, at the pace so far, to be far from a hang."""
        return LONGEST_CALL * self._call_limit / self.batches.pace

    def verify(self, problem: Problem, inputs: Inputs, seed: int) -> Emission:
        """Run the inputs of a chain or multi problem; rows may come from several problems of its shape.

        Raises
        ------
        Crash, InvalidOutput
        """
        copies = [self._convert(array) for array in inputs]
        rng = np.random.default_rng(seed)
        result = self._call(problem, len(inputs.draft_tokens), *copies, rng)
        if any(not np.array_equal(_to_numpy(given), array) for given, array in zip(copies, inputs, strict=True)):
            self.changes_inputs = True
        if isinstance(problem, MultiProblem):
            return _multi_emission(result, problem, inputs)
        assert isinstance(problem, ChainProblem)
        return _chain_emission(result, problem, inputs)

    def generate(self, problem: GenerateProblem, trials: int, seed: int) -> Emission:
        """Run a generate problem.

        Raises
        ------
        Crash, InvalidOutput
        """
        models = problem.draft, problem.target
        copies = tuple(copy.deepcopy(model) for model in models)
        rng = np.random.default_rng(seed)
        result = self._call(problem, trials, *copies, problem.prompt, problem.length, trials, rng)
        if not all(map(_are_same_model, copies, models)):
            self.changes_inputs = True
        tokens = _as_ids(result, "tokens", (trials, problem.length), 0, problem.num_tokens)
        return Emission(tokens, np.zeros(trials, dtype=np.int64))

    def _convert(self, array: NDArray[Any]) -> Any:
        if self._arrays == "torch":
            import torch

            return torch.from_numpy(array.copy())
        return array.copy()

    def _call(self, problem: Problem, trials: int, *arguments: Any) -> Any:
        limit = self._call_limit if self.calls else 2 * self._call_limit
        self.calls, self.trials = self.calls + 1, self.trials + trials
        start = time.perf_counter()
        with swallowed() as output:
            try:
                result, error = self._worker.call(lambda: self._function(*arguments), limit)
            except TimeoutError:
                self._worker = Worker()
                raise Hang(f"a call with {_asked(problem, trials)} did not return within {limit:g} s") from None
        # What little is known of batches until there is a large one: of the last call, as the first may compile.
        if trials >= BATCH or self.batches.trials < BATCH:
            self.batches = self.batches.more(trials, time.perf_counter() - start)
        self.printed += output.written
        if isinstance(error, Unsupported):
            raise Refusal(_one_line(error)) from error
        if error is not None:
            raise Crash(f"a call with {_asked(problem, trials)} raised {_one_line(error)}{_place(error)}") from error
        if inspect.iscoroutine(result):
            result.close()  # it would complain that nobody waited for it
            raise InvalidOutput("the function is asynchronous: give one that waits, such as by asyncio.run")
        return result


def _asked(problem: Problem, trials: int) -> str:
    """What a call was asked for."""
    name = {"chain": "L", "multi": "k", "generate": "length"}[problem.contract]
    return f"n = {trials}, {name} = {problem.shape[0]}, V = {problem.num_tokens}"


def _are_same_model(first: TabularModel, second: TabularModel) -> bool:
    tables = first.conditionals, second.conditionals
    return len(tables[0]) == len(tables[1]) and all(map(np.array_equal, *tables))


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise InvalidInput(f"{path} is not a file: give the path of a .py file or the name of a module")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # where dataclasses and pickle look for it
    with _importing(str(path), path.parent):
        spec.loader.exec_module(module)
    return module


def _load_module(name: str) -> Any:
    with _importing(name, Path.cwd()):
        return importlib.import_module(name)


@contextlib.contextmanager
def _importing(name: str, folder: Path) -> Any:
    """Look into a folder as well, as ``python file.py`` and ``python -m module`` do."""
    sys.path.insert(0, str(folder))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise InvalidInput(f"{name} cannot be imported ({_one_line(error)}): import it in Python to see why") from None
    finally:
        with contextlib.suppress(ValueError):  # the module took it away
            sys.path.remove(str(folder))


def _one_line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except (Exception, SystemExit):  # a stranger's exception need not have a message that can be read
        text = "(its message cannot be read)"
    return f"{type(error).__name__}: {text[:LARGEST_MESSAGE]}" if text else type(error).__name__


def _place(error: BaseException) -> str:
    """Where it was raised; nothing if the function could not even be called."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "" if last.filename == __file__ else f" at {Path(last.filename).name}:{last.lineno}"


def _chain_emission(result: Any, problem: ChainProblem, inputs: Inputs) -> Emission:
    trials, length = inputs.draft_tokens.shape
    tokens = _as_ids(result, "emitted", (trials, length + 1), -1, problem.num_tokens)
    if not are_well_formed(tokens, inputs.draft_tokens):
        _refuse_malformed(tokens, inputs.draft_tokens)
    return Emission(tokens, problem.matches(inputs, tokens))


def _refuse_malformed(tokens: Tokens, drafts: Tokens) -> None:
    ended = tokens < 0
    _refuse_rows(ended[:, 0], tokens, "emits no token", "emit at least one token in each trial")
    resumed = (ended[:, :-1] & ~ended[:, 1:]).any(axis=1)
    _refuse_rows(resumed, tokens, "goes on after -1", "-1 stands after the last emitted token only")
    replaced = ((tokens[:, :-1] != drafts) & ~ended[:, 1:]).any(axis=1)
    _refuse_rows(
        replaced,
        tokens,
        f"goes on after a token that is not the draft's, {drafts[int(np.argmax(replaced))].tolist()}",
        "the rows that follow are conditioned on the draft, so the replaced token is the last",
    )


def _multi_emission(result: Any, problem: MultiProblem, inputs: Inputs) -> Emission:
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise InvalidOutput(f"the function returned {_shown(result)}: return (emitted, accepted), two arrays (n,)")
    trials = len(inputs.draft_tokens)
    tokens = _as_ids(result[0], "emitted", (trials,), 0, problem.num_tokens)
    accepted = _as_ids(result[1], "accepted", (trials,), -1, problem.num_drafts)
    drafts = inputs.draft_tokens[np.arange(trials), np.maximum(accepted, 0)]
    wrong = (accepted >= 0) & (drafts != tokens)
    both = np.stack([tokens, drafts], axis=1)
    _refuse_rows(wrong, both, "emits another token than the draft it names", "[emitted, draft], -1 if none is accepted")
    return Emission(tokens[:, np.newaxis], accepted)


def _as_ids(result: Any, name: str, shape: tuple[int, ...], lowest: int, highest: int) -> Tokens:
    try:
        array = _to_numpy(result)
    except (Exception, SystemExit) as error:
        raise InvalidOutput(f"{name} is no array of shape {shape} ({_one_line(error)})") from None
    if array.shape != shape:
        raise InvalidOutput(f"{name} is {_shown(result)}: its shape must be {shape}")
    if array.dtype.kind not in "iu":
        raise InvalidOutput(f"{name} has dtype {array.dtype}: token ids are integers")
    wrong = np.asarray((array < lowest) | (array >= highest))
    rows = wrong.reshape(len(array), -1).any(axis=1) if wrong.any() else wrong
    _refuse_rows(rows, array, f"is out of range for {name}", f"allowed: {lowest}..{highest - 1}")
    return array.astype(np.int64, order="C")


def _to_numpy(result: Any) -> NDArray[Any]:
    return np.asarray(result.detach().cpu() if hasattr(result, "detach") else result)


def _refuse_rows(wrong: Any, rows: NDArray[Any], what: str, remedy: str) -> None:
    if wrong.any():
        index = int(np.argmax(wrong))
        raise InvalidOutput(f"trial {index} of {len(wrong)}, {rows[index].tolist()}, {what} ({remedy})")


def _shown(result: Any) -> str:
    try:
        shape = tuple(result.shape)
    except Exception:  # it has none, or none that can be read
        return f"a {type(result).__name__}"
    return f"a {type(result).__name__} of shape {shape}"
