"""The table of AWS errors: one row for each code, one line for each failure."""

from collections import Counter
from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
)
from botocore.parsers import ResponseParserError

from jobs.aws.errors import (
    DENIED,
    REFUSED,
    S3_ADVICE,
    SDK_FAILED,
    TABLE,
    THROTTLED,
    UNAVAILABLE,
    UNREACHABLE,
    AwsFailure,
    aws_errors,
    meaning_of,
    s3_errors,
)
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError


def answer(code: str, message: str = "", *, operation: str = "GetObject", **metadata: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation)


def test_a_code_has_one_meaning() -> None:
    codes = Counter(code for meaning in TABLE for code in meaning.codes)
    exceptions = Counter(exception for meaning in TABLE for exception in meaning.exceptions)
    assert [name for name, rows in (codes + exceptions).items() if rows > 1] == []


@pytest.mark.parametrize(
    ("error", "kind", "line"),
    [
        (
            answer("NoSuchBucket", "Gone."),
            ConfigurationError,
            "s3://b/k: no such bucket (GetObject: NoSuchBucket: Gone).",
        ),
        (
            answer("403", "Forbidden", operation="HeadObject"),
            OutsideSystemError,
            "s3://b/k: access denied (HeadObject: 403: Forbidden; needs s3:GetObject). Grant what docs/s3.md lists",
        ),
        (
            answer("SlowDown", "Reduce\nyour rate.", RetryAttempts=7),
            OutsideSystemError,
            "s3://b/k: too many requests (GetObject: SlowDown: Reduce your rate; 8 attempts). Run again later",
        ),
        (
            answer("InvalidObjectState"),
            OutsideSystemError,
            "s3://b/k: the request was refused (GetObject: InvalidObjectState). See",
        ),
        (NoRegionError(), ConfigurationError, "s3://b/k: no AWS region (You must specify a region). Set AWS_REGION"),
        (
            NoCredentialsError(),
            OutsideSystemError,
            "s3://b/k: no AWS credentials (Unable to locate credentials). Log in",
        ),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            OutsideSystemError,
            's3://b/k: the service cannot be reached (Could not connect to the endpoint URL: "http://127.0.0.1:9"). C',
        ),
        (
            ParamValidationError(report="no Bucket"),
            OutsideSystemError,
            "s3://b/k: the AWS SDK failed (Parameter validation failed: no Bucket). Run again",
        ),
    ],
)
def test_a_failure_is_one_line_with_the_exit_code_of_its_meaning(
    error: Exception, kind: type[PipelineError], line: str
) -> None:
    with pytest.raises(PipelineError) as failed, s3_errors("s3://b/k"):
        raise error
    assert type(failed.value) is kind
    assert str(failed.value).startswith(line)
    assert "\n" not in str(failed.value)


def test_an_upload_fails_with_what_s3_answered() -> None:
    failed = S3UploadFailedError("Failed to upload a to b/k")
    # As boto3 raises it: inside the handler of S3's answer.
    failed.__context__ = answer("AccessDenied", operation="PutObject")
    line = r"access denied \(PutObject: AccessDenied; needs s3:PutObject\)"
    with pytest.raises(OutsideSystemError, match=line), s3_errors("s3://b/k"):
        raise failed


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (answer("AccessDeniedException"), DENIED),
        (answer("ThrottlingException", HTTPStatusCode=500), THROTTLED),
        (answer("NewFault", HTTPStatusCode=500), UNAVAILABLE),
        (answer("NewFault", HTTPStatusCode=409), REFUSED),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), UNREACHABLE),
        (BotoCoreError(), SDK_FAILED),
    ],
)
def test_the_code_decides_and_then_the_status(error: Exception, meaning: object) -> None:
    assert meaning_of(error) is meaning


def test_a_caller_has_its_own_advice_and_classes() -> None:
    class RefusedError(OutsideSystemError):
        pass

    failures: list[AwsFailure] = []

    def error_of(failure: AwsFailure) -> PipelineError:
        failures.append(failure)
        return RefusedError(failure.message)

    asking_ann = aws_errors("could not load", advice={DENIED: "Ask Ann"}, error_of=error_of)
    with pytest.raises(RefusedError, match=r"could not load: .*\. Ask Ann$"), asking_ann:
        raise answer("AccessDenied")
    with pytest.raises(RefusedError), aws_errors("could not load", error_of=error_of):
        raise NoCredentialsError
    assert [(failure.code, failure.is_answer) for failure in failures] == [
        ("AccessDenied", True),
        ("NoCredentialsError", False),
    ]


def test_a_page_in_place_of_an_answer_is_one_line_that_names_a_proxy() -> None:
    page = "Unable to parse response (mismatched tag), invalid XML received:\n" + "<p>Bad gateway</p>\n" * 100
    with pytest.raises(OutsideSystemError) as raised, aws_errors("sts get_caller_identity"):
        raise ResponseParserError(page)
    line = str(raised.value)
    assert line.startswith(
        "sts get_caller_identity: the answer is none of AWS's (Unable to parse response (mismatched tag)"
    )
    assert line.endswith(" [...]). Check the network: a proxy may answer in place of AWS")
    assert len(line) < 650
    assert "\n" not in line


def test_a_failure_of_something_else_passes_through() -> None:
    with pytest.raises(ValueError, match="mine"), aws_errors("could not load", advice=S3_ADVICE):
        raise ValueError("mine")
