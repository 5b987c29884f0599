"""Jobs that pass through the states that a test scripts: one state per description, never by time."""

from typing import Any


class ScriptedJobs:
    """The jobs of one fake service.

    Attributes:
        states: The states through which the newest job passes. It enters the next one at each description, and stays in
            the last one. Earlier jobs have ended in the last one.
        note: The reason that the service gives for a failure.
        start_requests: The accepted requests to start a job, oldest first. Job 1 belongs to the first one.
        tokens: The number of the job that each client token has started.
        descriptions: How many descriptions the service has returned.
    """

    def __init__(self) -> None:
        self.states: list[str] = []
        self.note = ""
        self.start_requests: list[dict[str, Any]] = []
        self.tokens: dict[str, int] = {}
        self.descriptions = 0

    def next_state(self) -> str:
        """Describe the newest job: move it to its next state."""
        state = self.states[min(self.descriptions, len(self.states) - 1)]
        self.descriptions += 1
        return state

    def is_running(self) -> bool:
        """Whether the newest job has not reached its last state."""
        return bool(self.start_requests) and self.descriptions < len(self.states)

    def state_of(self, number: int) -> str:
        """The state of a job, which does not move."""
        if number < len(self.start_requests):
            return self.states[-1]
        return self.states[max(min(self.descriptions, len(self.states)) - 1, 0)]

    def clear(self) -> None:
        """Forget every job and client token."""
        self.start_requests.clear()
        self.tokens.clear()
