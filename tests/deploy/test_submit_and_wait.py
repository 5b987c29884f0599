"""Every way to run a job, Glue, EMR, a cluster of EMR's and Step Functions: submitting it, and waiting for it."""

import json
from typing import Any

import pytest

from deploy.job_runs import waiting
from tests.deploy.submitting import Runner, last_line


def test_a_job_is_started_and_waited_for(runner: Runner) -> None:
    runner.goes("RUNNING", "RUNNING", "SUCCEEDED")
    assert runner.submit() == 0
    assert (len(runner.runners.started), runner.runners.looks) == (1, 3)


def test_submitting_twice_starts_one_job(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    assert runner.submit() == 0
    assert runner.submit() == 0
    assert len(runner.runners.started) == 1


def test_an_answer_that_was_lost_starts_no_second_job(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_after(runner.start)
    assert runner.submit() == 0
    assert len(runner.runners.started) == 1


def test_the_exit_code_and_the_message_are_the_jobs_own(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "FAILED")
    runner.leaves_word(3, "the data is not fit to use: payments: 2 % of rows are in quarantine")
    assert runner.submit() == 3
    assert last_line(capsys) == "deploy: the data is not fit to use: payments: 2 % of rows are in quarantine"


def test_a_job_that_left_no_word_is_told_with_what_aws_says(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "FAILED", note="the driver was killed")
    assert runner.submit() == 4
    told = last_line(capsys)
    assert "ended as FAILED" in told
    assert "the driver was killed" in told


def test_a_connection_that_is_lost_while_waiting_is_waited_out(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_before(runner.look, times=12)
    assert runner.submit() == 0


def test_a_connection_that_stays_lost_ends_the_wait_and_not_the_job(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "LOST_SECONDS", 0.0)
    runner.goes("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_before(runner.look, times=12)
    assert runner.submit() == 4
    told = last_line(capsys)
    assert "cannot be reached" in told
    assert "runs on. Follow it with: python -m deploy" in told


def test_ctrl_c_leaves_the_job_running_and_says_how_to_follow_it(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.goes("RUNNING")

    def interrupted(look: Any, _: Any) -> Any:
        look()
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting, "_look", interrupted)
    assert runner.submit() == 130
    assert "runs on. Follow it with: python -m deploy" in last_line(capsys)


def test_throttling_is_waited_out_and_a_refusal_is_told(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    if runner.start != "AddJobFlowSteps":  # which is sent once
        runner.service.faults.throttle(runner.start, times=2)
    runner.service.faults.throttle(runner.look, times=2)
    assert runner.submit() == 0
    runner.runners.started.clear()
    runner.runners.tokens.clear()
    runner.service.faults.deny(runner.start)
    assert runner.submit() == 4
    assert "AccessDenied" in last_line(capsys)
    assert runner.runners.started == []


def test_a_dry_run_prints_the_request_and_starts_nothing(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.submit(*runner.named, "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["operation"].replace("_", "") == runner.start.lower()
    assert runner.runners.started == []


def test_who_does_not_wait_is_told_how_to_follow(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING")
    assert runner.submit(*runner.named, "--no-wait") == 0
    assert "Follow it with: python -m deploy" in capsys.readouterr().out
    assert runner.runners.looks == 0
