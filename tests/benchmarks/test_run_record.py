"""When a run began its first step and wrote rfm, from its log."""

from datetime import UTC, datetime

import pytest

from benchmarks.run_record import step_times
from jobs.errors import OutsideSystemError

LOG = """\
WARNING: a line of Java
{"time": "2018-10-17T10:00:01.000+00:00", "event": "run started"}
{"time": "2018-10-17T10:00:05.500+00:00", "event": "step started", "step": "customers"}
{"time": "2018-10-17T10:00:09.000+00:00", "event": "step finished", "step": "customers"}
{"time": "2018-10-17T10:00:10.000+00:00", "event": "step started", "step": "rfm"}
{"time": "2018-10-17T10:00:20.250+00:00", "event": "step finished", "step": "rfm"}
{"time": "2018-10-17T10:00:30.000+00:00", "event": "step finished", "step": "kmeans"}
{cut
Run 2018-10-17-x
"""


def test_the_time_to_rfm_ends_with_its_step() -> None:
    start = datetime(2018, 10, 17, 10, 0, 0, tzinfo=UTC).timestamp()
    first, rfm = step_times(LOG)
    assert (first - start, rfm - start) == (5.5, 20.25)


def test_a_log_without_steps_is_refused() -> None:
    with pytest.raises(OutsideSystemError, match="no lines about its steps"):
        step_times("Run 2018-10-17-x\n")
