"""Submission and waiting, for every way to run a job: Glue, EMR Serverless, an EMR cluster and Step Functions."""

import json
from typing import Any

import pytest

from deploy.aws import waiting
from tests.deploy.submitting import Runner, last_line


def test_a_job_is_started_and_waited_for(runner: Runner) -> None:
    runner.passes_through("RUNNING", "RUNNING", "SUCCEEDED")
    assert runner.submit() == 0
    assert (len(runner.jobs.start_requests), runner.jobs.descriptions) == (1, 3)


def test_submitting_twice_starts_one_job(runner: Runner) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    assert runner.submit() == 0
    assert runner.submit() == 0
    assert len(runner.jobs.start_requests) == 1


def test_an_answer_that_was_lost_starts_no_second_job(runner: Runner) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_after(runner.start)
    assert runner.submit() == 0
    assert len(runner.jobs.start_requests) == 1


def test_the_exit_code_and_the_message_are_the_jobs_own(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.passes_through("RUNNING", "FAILED")
    runner.leaves_failure(3, "the data is not fit to use: payments: 2 % of rows are in quarantine")
    assert runner.submit() == 3
    assert last_line(capsys) == "deploy: the data is not fit to use: payments: 2 % of rows are in quarantine"


def test_a_job_without_a_failure_file_is_reported_with_awss_reason(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.passes_through("RUNNING", "FAILED", note="the driver was killed")
    assert runner.submit() == 4
    line = last_line(capsys)
    assert "ended as FAILED" in line
    assert "the driver was killed" in line


def test_a_connection_that_is_lost_while_waiting_is_waited_out(runner: Runner) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_before(runner.describe, times=12)
    assert runner.submit() == 0


def test_a_connection_that_stays_lost_ends_the_wait_and_not_the_job(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "LOST_SECONDS", 0.0)
    runner.passes_through("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_before(runner.describe, times=12)
    assert runner.submit() == 4
    line = last_line(capsys)
    assert "cannot be reached" in line
    assert "may still run. Follow it with: python -m deploy" in line


def test_ctrl_c_leaves_the_job_running_and_prints_how_to_follow_it(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.passes_through("RUNNING")

    def interrupted(poll: Any, _: Any) -> Any:
        poll()
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting, "_poll_with_retries", interrupted)
    assert runner.submit() == 130
    assert "is still running. Follow it with: python -m deploy" in last_line(capsys)


def test_throttling_is_waited_out_and_a_refusal_is_reported(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    if runner.start != "AddJobFlowSteps":  # sent once, without retries
        runner.service.faults.throttle(runner.start, times=2)
    runner.service.faults.throttle(runner.describe, times=2)
    assert runner.submit() == 0
    runner.jobs.clear()
    runner.service.faults.deny(runner.start)
    assert runner.submit() == 4
    assert "AccessDenied" in last_line(capsys)
    assert runner.jobs.start_requests == []


def test_a_dry_run_prints_the_request_and_starts_nothing(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.submit(*runner.named, "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["operation"].replace("_", "") == runner.start.lower()
    assert runner.jobs.start_requests == []


def test_a_submission_without_wait_prints_how_to_follow(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.passes_through("RUNNING")
    assert runner.submit(*runner.named, "--no-wait") == 0
    assert "Follow it with: python -m deploy" in capsys.readouterr().out
    assert runner.jobs.descriptions == 0
