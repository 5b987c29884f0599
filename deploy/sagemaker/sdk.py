"""SageMaker through its SDK, ``sagemaker.core``: an optional extra, imported on use since the import takes seconds."""

import importlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from deploy.aws.requests import Aws, RefusedError, UnreachableError
from jobs.aws.errors import NO_CREDENTIALS
from jobs.errors import ConfigurationError

SHAPES = {
    "TrainingJob": "CreateTrainingJobRequest",
    "TransformJob": "CreateTransformJobRequest",
    "Model": "CreateModelInput",
    "EndpointConfig": "CreateEndpointConfigInput",
    "Endpoint": "CreateEndpointInput",
}
"""The SDK's name of the request that creates each kind of resource."""

FIND_ATTEMPTS = 8
"""Attempts to find a resource that may have been created; with their waits, about a minute."""

REFUSALS = ("AccessDenied", "Unrecognized", "ExpiredToken", "InvalidClientToken")


def image_of(region: str) -> str:
    """The image of a region's built-in k-means.

    Raises:
        ConfigurationError: The SDK is not installed, or has no image for the region.
    """
    try:
        return str(_sdk("image_uris").retrieve("kmeans", region))
    except ValueError as error:
        raise ConfigurationError(
            f"invalid --region {region}: expected a region with the built-in k-means ({error})"
        ) from None


def create(kind: str, request: Mapping[str, Any], *, aws: Aws) -> Any:
    """Create a resource from a request in the API's shape, and return the SDK's object for it.

    The SDK creates the resource and then describes it. Either response may be lost after the work is done. So the
    resource is looked up after a passing failure, and after a retry that found the name taken by the first attempt.

    Raises:
        ConfigurationError: The SDK is not installed.
        OutsideSystemError: AWS refused the request, or could not be reached.
    """
    resource, account = getattr(_sdk("resources"), kind), account_arguments(aws)
    codec = _sdk("utils.code_injection.codec")
    name = str(next(iter(request.values())))
    with aws_errors(f"cannot create {kind} {name}"):
        try:
            return resource.create(**codec.transform(dict(request), SHAPES[kind]), **account)
        except (ClientError, BotoCoreError) as error:
            if not is_passing(error) and not _is_own_doing(error):
                raise
            try:
                return _find_retries()(resource.get, name, **account)
            except ClientError as later:
                raise (error if is_absent(later) else later) from None


def find(kind: str, name: str, *, aws: Aws) -> Any:
    """The SDK's object for an existing resource.

    Raises:
        OutsideSystemError: It does not exist, or AWS could not be reached.
    """
    resource = getattr(_sdk("resources"), kind)
    with aws_errors(f"cannot find {kind} {name}"):
        return resource.get(name, **account_arguments(aws))


def delete(kind: str, name: str, *, aws: Aws) -> bool:
    """Delete a resource, and return whether it existed.

    Raises:
        OutsideSystemError: AWS refused the deletion, or could not be reached.
    """
    resource = getattr(_sdk("resources"), kind)
    with aws_errors(f"cannot delete {kind} {name}"):
        try:
            resource.get(name, **account_arguments(aws)).delete()
        except ClientError as error:
            if is_absent(error):
                return False
            raise
    return True


def account_arguments(aws: Aws) -> dict[str, Any]:
    """The arguments with which each call of the SDK gets the account and the region."""
    return {"session": aws.session, "region": aws.region}


def _find_retries() -> Retrying:
    return Retrying(
        retry=retry_if_exception(is_passing),
        stop=stop_after_attempt(FIND_ATTEMPTS),
        wait=wait_exponential(multiplier=0.25, max=30),
        reraise=True,
    )


def is_absent(error: ClientError) -> bool:
    """Whether AWS says that there is no such thing; it has no code of its own for that."""
    return "could not find" in str(error).lower() or "not found" in str(error).lower()


def _is_own_doing(error: ClientError | BotoCoreError) -> bool:
    """Whether a name is taken by an earlier try of the same call, whose answer was lost."""
    if not isinstance(error, ClientError):
        return False
    told = error.response.get("Error", {})
    # Of models, configurations and endpoints AWS says so in words alone.
    if told.get("Code") != "ResourceInUse" and "already existing" not in told.get("Message", ""):
        return False
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def is_passing(error: BaseException) -> bool:
    """Whether the same call may well succeed a little later: no connection, too many calls, a fault of AWS's."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or "Throttl" in error.response.get("Error", {}).get("Code", "")
    return isinstance(error, BotoCoreError) and not isinstance(error, NO_CREDENTIALS)


@contextmanager
def aws_errors(what: str) -> Iterator[None]:
    """What AWS, or the way there, raises, as an error in one line.

    Raises:
        UnreachableError: It did, and may well not a little later.
        RefusedError: It did, and will again.
    """
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        code, message = told.get("Code", "an error"), told.get("Message", "")
        advice = " Check the credentials and what they may do" if code.startswith(REFUSALS) else ""
        line = f"{what}: {code}: {message.rstrip('.')}.{advice}"
        raise (UnreachableError(line) if is_passing(error) else RefusedError(line, code)) from None
    except BotoCoreError as error:
        line = f"{what}: {error}. Check the credentials, the region and the network"
        raise (UnreachableError(line) if is_passing(error) else RefusedError(line, type(error).__name__)) from None


def _sdk(module: str) -> Any:
    os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
    try:
        imported = importlib.import_module(f"sagemaker.core.{module}")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("sagemaker"):
            raise
        raise ConfigurationError(
            "the SageMaker SDK is not installed, expected the extra deploy. "
            "Run: pip install 'olist-rfm-segments[deploy]'"
        ) from None
    # The SDK logs each state itself, in frames and colours.
    for name in list(logging.Logger.manager.loggerDict):
        if name.startswith("sagemaker"):
            logging.getLogger(name).setLevel(logging.ERROR)
    return imported
