"""One interpreter for all tests of the state machine. It keeps no state between executions."""

from collections.abc import Iterator

import pytest

from tests.deploy.state_machine.interpreter import Interpreter


@pytest.fixture(scope="session")
def nightly() -> Iterator[Interpreter]:
    interpreter = Interpreter()
    yield interpreter
    interpreter.close()
