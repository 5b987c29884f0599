"""SageMaker through its SDK, ``sagemaker.core``: an optional extra, imported on use since the import takes seconds."""

import importlib
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from deploy.aws.requests import ADVICE, Aws, RefusedError, UnreachableError
from jobs.aws import errors
from jobs.errors import ConfigurationError, OutsideSystemError

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

TRANSIENT = (errors.THROTTLED, errors.UNAVAILABLE, errors.UNREACHABLE, errors.SDK_FAILED)
"""Failures after which the same call may well succeed a little later."""

OWN_ADVICE: errors.Advice = MappingProxyType(
    {
        **ADVICE,
        errors.DENIED: "Check the credentials and what they may do",
        # Not the advice to repeat a command, which would start a second job under another name.
        errors.SDK_FAILED: "Check the options and the network",
        errors.UNREACHABLE: "Check the network and the region",
    }
)


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
    with sagemaker_errors(f"cannot create {kind} {name}"):
        try:
            return resource.create(**codec.transform(dict(request), SHAPES[kind]), **account)
        except (ClientError, BotoCoreError) as error:
            if not is_transient(error) and not _is_own_doing(error):
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
    with sagemaker_errors(f"cannot find {kind} {name}"):
        return resource.get(name, **account_arguments(aws))


def delete(kind: str, name: str, *, aws: Aws) -> bool:
    """Delete a resource, and return whether it existed.

    Raises:
        OutsideSystemError: AWS refused the deletion, or could not be reached.
    """
    resource = getattr(_sdk("resources"), kind)
    with sagemaker_errors(f"cannot delete {kind} {name}"):
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
        retry=retry_if_exception(is_transient),
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
    # For models, configurations and endpoints AWS has no code, only this message.
    message = error.response.get("Error", {}).get("Message", "")
    if errors.error_code(error) != "ResourceInUse" and "already existing" not in message:
        return False
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def is_transient(error: BaseException) -> bool:
    """Whether the same call may well succeed a little later: no connection, too many calls, a fault of AWS."""
    return isinstance(error, ClientError | BotoCoreError) and errors.meaning_of(error) in TRANSIENT


def sagemaker_errors(action: str) -> AbstractContextManager[None]:
    """Turn what AWS or its SDK raises into an error of one line.

    Args:
        action: what could not be done.

    Raises:
        UnreachableError: The same call may well succeed a little later.
        RefusedError: It will fail again. Missing credentials too: what was created may run on.
    """
    return errors.aws_errors(action, advice=OWN_ADVICE, error_of=_error_of)


def _error_of(failure: errors.AwsFailure) -> OutsideSystemError:
    if failure.meaning in TRANSIENT:
        return UnreachableError(failure.message)
    return RefusedError(failure.message, failure.code)


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
