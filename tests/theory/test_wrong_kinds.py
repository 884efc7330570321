"""Every argument of every public function, given something of the wrong kind, is refused by name."""

from __future__ import annotations

import inspect

import pytest
from public_arguments import HALF, PUBLIC, VALID

from specproof import InvalidInput

WRONG = (object(), "nonsense", [HALF, "a"], 1j)
"""None of them a number, a law, a count, a generator or an object of this package."""

LABELS_AND_FLAGS = {"name", "stationary", "exact"}

CALLED = {"values": "distribution"}
"""What as_distribution calls its argument unless it is given a name for it."""


def test_every_public_function_is_here_with_every_argument() -> None:
    expected = {name: set(inspect.signature(function).parameters) for name, function in PUBLIC.items()}
    assert {name: set(arguments) for name, arguments in VALID.items()} == {
        name: parameters - LABELS_AND_FLAGS for name, parameters in expected.items()
    }


@pytest.mark.parametrize("name", VALID)
def test_the_arguments_are_valid_as_they_stand(name: str) -> None:
    PUBLIC[name](**VALID[name])


@pytest.mark.parametrize(("name", "argument"), [(name, argument) for name in VALID for argument in VALID[name]])
def test_something_of_the_wrong_kind_is_refused_by_name(name: str, argument: str) -> None:
    for wrong in WRONG:
        with pytest.raises(InvalidInput, match=rf"^{CALLED.get(argument, argument)}\b") as caught:
            PUBLIC[name](**{**VALID[name], argument: wrong})
        assert "\n" not in str(caught.value)
