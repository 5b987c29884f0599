"""Faults of S3: a run survives temporary ones, and permanent ones end it with one line."""

from datetime import date
from types import SimpleNamespace

import botocore.endpoint
import pytest

from expectations.contracts.olist import CUSTOMERS
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError
from jobs.inputs.input_files import find_inputs
from jobs.storage.s3 import S3Folder, s3_client
from jobs.storage.store import RunStore
from jobs.storage.uris import folder_at
from tests.fakes.s3.service import S3Proxy

AS_OF = date(2018, 10, 17)


@pytest.fixture(autouse=True)
def no_waits_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore tries as often as it does, without a pause."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


@pytest.mark.parametrize("what", ["InternalError", "SlowDown", "reset", "truncated", "lost"])
def test_a_temporary_fault_changes_nothing(folder: S3Folder, proxy: S3Proxy, what: str) -> None:
    folder.write_text("text of some length", "f")
    for method in ("GET", "HEAD", "PUT"):
        if what not in ("reset", "truncated") or method == "GET":
            proxy.inject(what, method=method, path="/f", times=2)
    proxy.inject(what, path="list-type=2", times=2)
    assert folder.read("f") == "text of some length"
    assert folder.describe("f").size == 19
    folder.write_text("another", "f")
    assert folder.names() == ["f"]
    assert proxy.injected


@pytest.mark.parametrize(
    ("what", "code", "line"),
    [
        ("InternalError", 4, r"the service failed \(GetObject: InternalError: .*; \d attempts\)"),
        ("SlowDown", 4, r"too many requests \(GetObject: SlowDown: .*; \d attempts\)"),
        ("ExpiredToken", 4, "the AWS credentials have expired"),
        ("AccessDenied", 4, r"access denied \(GetObject: AccessDenied: Access Denied; needs s3:GetObject\)"),
        ("PermanentRedirect", 2, "the bucket is in another region"),
        ("reset", 4, "the service cannot be reached"),
        ("lost", 4, "the service cannot be reached"),
    ],
)
def test_a_permanent_fault_is_reported_in_one_line(
    folder: S3Folder, proxy: S3Proxy, what: str, code: int, line: str
) -> None:
    folder.write_text("text of some length", "f")
    proxy.inject(what, method="GET", times=1000)
    with pytest.raises(PipelineError, match=line) as failed:
        folder.read("f")
    assert failed.value.exit_code == code
    assert str(failed.value).startswith(folder.display_path("f"))
    assert "\n" not in str(failed.value)


@pytest.mark.usefixtures("proxy")
def test_a_missing_bucket_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"s3://no-such-bucket.*no such bucket \("):
        find_inputs("s3://no-such-bucket/raw", [CUSTOMERS])
    with pytest.raises(ConfigurationError, match=r"no such bucket \("):
        RunStore("s3://no-such-bucket").open_run(as_of=AS_OF, run_id=None)
    with pytest.raises(ConfigurationError, match=r"no such bucket \("):
        folder_at("s3://no-such-bucket/card.json", argument="--card").read()


def test_an_endpoint_that_nobody_listens_on_is_reported(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OutsideSystemError, match=r"the service cannot be reached.*127.0.0.1:9"):
        S3Folder("lake").names()


def test_missing_credentials_are_reported(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    s3_client.cache_clear()
    with pytest.raises(OutsideSystemError, match="no AWS credentials"):
        S3Folder("lake").names()
    s3_client.cache_clear()
