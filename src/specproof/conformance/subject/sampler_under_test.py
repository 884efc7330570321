"""A stranger's function: called on copies, watched for hangs, and heard without an echo."""

from __future__ import annotations

import copy
import inspect
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.subject import calling
from specproof.conformance.subject.calling import Output, Worker
from specproof.conformance.subject.failures import (
    Crash,
    Hang,
    InvalidOutput,
    Refusal,
    Unsupported,
    memory_limit,
    one_line,
)
from specproof.conformance.subject.global_generators import GlobalGenerators
from specproof.conformance.subject.surroundings import Surroundings
from specproof.conformance.tree import Tree
from specproof.theory.chain import TabularModel

Sampler = Callable[..., Any]
"""A function of one of the contracts."""

BATCH = 16
"""From so many trials of a call on, its time says how long a trial of a batch takes."""
LARGE = 2**15
"""So many probabilities and more are handed out themselves, not copied: no call after this one is handed them, and what
a function writes into its inputs shows in smaller batches."""
LONGEST_CALL = 0.2
"""One call should take this share of the time after which it counts as a hang."""


class Timing(NamedTuple):
    """Trials and the seconds they took."""

    trials: int = 0
    seconds: float = 0.0

    @property
    def pace(self) -> float:
        """The seconds that a trial takes."""
        return max(self.seconds, 1e-9) / max(self.trials, 1)

    def more(self, trials: int, seconds: float) -> Timing:
        """Add a call; timings of small batches are dropped once a large one exists."""
        if self.trials < BATCH:
            return Timing(trials, seconds)
        return Timing(self.trials + trials, self.seconds + seconds)


class Subject:
    """A sampler under test.

    Every call gets fresh copies of its inputs and a fresh generator, runs in a thread of its own so that a hang can be
    left behind, and may print without disturbing anybody.

    Parameters
    ----------
    function : callable
    arrays : {"numpy", "torch"}
        The library whose arrays verifiers are handed.
    call_limit : float
        Seconds after which a call counts as a hang.
    first_limit : float
        Seconds after which the first call does, which may have to compile.
    """

    def __init__(self, function: Sampler, arrays: str, call_limit: float, first_limit: float) -> None:
        self.calls = self.trials = 0
        self.batches = Timing()
        self.printed, self.first_printed = 0, ""
        self.changes_inputs = False
        self.surroundings, self.generators = Surroundings(), GlobalGenerators()
        self._worker, self._output = Worker(), Output()
        if arrays == "torch":
            import torch  # noqa: F401 (it takes seconds, which are not those of the function's first call)
        self._function, self._arrays = function, arrays
        self._call_limit, self._first_limit = call_limit, first_limit
        self._parameters = _parameters(function)

    @property
    def longest_call(self) -> float:
        """The number of trials that one call should have at most, at the pace so far, to be far from a hang."""
        return LONGEST_CALL * self._call_limit / self.batches.pace

    def takes(self, names: frozenset[str]) -> bool:
        """Whether the function has parameters of all these names."""
        return names <= self._parameters

    def call(
        self, arguments: Sequence[Any], trials: int, seed: int, asked: str, named: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function with copies of its arguments and a generator of this seed, for so many trials.

        Parameters
        ----------
        asked : str
            A description of the call for the message about one that fails.
        named : mapping of str, optional
            What the function is handed by name, where it has a parameter of that name.

        Raises
        ------
        Crash, InvalidOutput
            If it raises, does not return in time, or is asynchronous.
        """
        copies = [self._copied(argument) for argument in arguments]
        taken = {name: self._copied(value) for name, value in (named or {}).items() if name in self._parameters}
        function = partial(self._function, *copies, np.random.default_rng(seed), **taken)
        result = self._timed(function, trials, asked)
        if not all(map(_is_unchanged, copies, arguments)):
            self.changes_inputs = True
        return result

    def _copied(self, argument: Any) -> Any:
        if isinstance(argument, np.ndarray):
            handed = argument if argument.dtype.kind == "f" and argument.size >= LARGE else argument.copy()
            return self._as_arrays(handed)
        if isinstance(argument, Tree):
            return Tree(self._copied(argument.tokens), self._copied(argument.parents), argument.drawn)
        return copy.deepcopy(argument)

    def _as_arrays(self, array: NDArray[Any]) -> Any:
        if self._arrays == "numpy":
            return array
        import torch

        return torch.from_numpy(array)

    def _timed(self, function: Callable[[], Any], trials: int, asked: str) -> Any:
        limit = self._call_limit if self.calls else self._first_limit
        self.calls, self.trials = self.calls + 1, self.trials + trials
        self.generators.look()
        start = time.perf_counter()
        with self.surroundings.kept(), self._output.swallowed() as output:
            try:
                result, error = self._worker.call(partial(_answer, function), limit)
            except TimeoutError:
                self._worker = Worker()
                message = f"a call with {asked} did not return within {limit:g} s"
                raise Hang(f"{message}: a longer time_limit (--time-limit) allows slower calls") from None
        # What little is known of batches until there is a large one: of the last call, as the first may compile.
        if trials >= BATCH or self.batches.trials < BATCH:
            self.batches = self.batches.more(trials, time.perf_counter() - start)
        if output.written and not self.printed:
            self.first_printed = " ".join(output.beginning.decode(errors="replace").split())
        self.printed += output.written
        if isinstance(error, Unsupported):
            raise Refusal(one_line(error)) from error
        if error is not None:
            message = f"a call with {asked} raised {one_line(error)}{_place(error)}{memory_limit(error)}"
            raise Crash(message) from _without_ours(error)
        if inspect.iscoroutine(result):
            result.close()  # it would complain that nobody waited for it
            raise InvalidOutput("the function is asynchronous: give one that waits, such as by asyncio.run")
        return result


def _parameters(function: Sampler) -> frozenset[str]:
    """Name the parameters of a function; none if they cannot be read."""
    try:
        return frozenset(inspect.signature(function).parameters)
    except Exception:  # a stranger's object may raise what it likes
        return frozenset()


def _answer(function: Callable[[], Any]) -> Any:
    """Call a function and take arrays of other libraries as NumPy's, which takes time too if they are made lazily."""
    result = function()
    if isinstance(result, tuple | list):
        return tuple(map(_read, result)) if isinstance(result, tuple) else list(map(_read, result))
    return _read(result)


def _read(value: Any) -> Any:
    """Take an array of another library as NumPy's; what is none, or cannot be read, stays as it is."""
    try:
        is_other = hasattr(value, "__array__") and not isinstance(value, np.ndarray | np.generic)
        return to_numpy(value) if is_other else value
    except (Exception, SystemExit):  # whoever takes the answer apart says what is wrong with it
        return value


def to_numpy(result: Any) -> NDArray[Any]:
    """Take an array or a tensor as an array."""
    return np.asarray(result.detach().cpu() if hasattr(result, "detach") else result)


def _is_unchanged(given: Any, argument: Any) -> bool:
    """Whether what was handed out is still what it was, if it is of a kind that can be written to."""
    if isinstance(argument, np.ndarray):
        return np.array_equal(to_numpy(given), argument)
    if isinstance(argument, Tree):
        return _is_unchanged(given.tokens, argument.tokens) and _is_unchanged(given.parents, argument.parents)
    if isinstance(argument, TabularModel):
        tables = given.conditionals, argument.conditionals
        return len(tables[0]) == len(tables[1]) and all(map(np.array_equal, *tables))
    return True


def _place(error: BaseException) -> str:
    """Say where it was raised; nothing if the function could not even be called."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "" if last.filename in (__file__, calling.__file__) else f" at {Path(last.filename).name}:{last.lineno}"


def _without_ours(error: BaseException) -> BaseException:
    """Let the traceback of a stranger's exception begin where their code does."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, calling.__file__):
        frames = frames.tb_next
    return error.with_traceback(frames)
