"""Requests to AWS as values: pure functions build them, ``--dry-run`` prints them, and `Aws` sends them."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError, ProfileNotFound

from jobs.aws.errors import NO_CREDENTIALS
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError

# botocore retries throttling, 5xx and broken connections with backoff.
CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)
CONFIG_WITHOUT_RETRIES = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"}


@dataclass(frozen=True)
class Request:
    """One call of an AWS service.

    Attributes:
        service: its name in boto3.
        operation: the method of the boto3 client.
        parameters: the method's arguments.
        may_repeat: whether it is sent again if no response came. False if each arrival starts work of its own.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    may_repeat: bool = True

    def as_json(self) -> dict[str, Any]:
        """The request as ``--dry-run`` prints it."""
        return {"service": self.service, "operation": self.operation, "parameters": dict(self.parameters)}


class Aws:
    """An account and a region, reached with the ordinary credentials of the AWS command line.

    botocore reads AWS_DEFAULT_REGION and the profile's region. It ignores AWS_REGION, which other AWS tools prefer, so
    that variable is read here.
    """

    def __init__(self, *, region: str | None = None, profile: str | None = None, dry_run: bool = False) -> None:
        self._session_options = {"region_name": region or os.environ.get("AWS_REGION") or None, "profile_name": profile}
        self._clients: dict[tuple[str, bool], Any] = {}
        self.is_dry_run = dry_run

    @cached_property
    def session(self) -> Any:
        """The boto3 session of all clients.

        Raises:
            ConfigurationError: The profile does not exist.
        """
        try:
            return boto3.session.Session(**self._session_options)
        except ProfileNotFound as error:
            raise _not_set_up(error) from error

    def deployment_options(self, prefix: str) -> str:
        """The options with which another command addresses the same stacks."""
        return f"--prefix {prefix} {self.account_options}"

    @property
    def account_options(self) -> str:
        """The options with which another command addresses the same account and region, whatever its environment."""
        profile = self._session_options["profile_name"]
        return f"--region {self.region}" + (f" --profile {profile}" if profile else "")

    @property
    def region(self) -> str:
        """The region.

        Raises:
            ConfigurationError: No region is set.
        """
        name = self.session.region_name
        if name is None:
            raise ConfigurationError("no AWS region is set. Give --region, or set AWS_REGION")
        return str(name)

    def client(self, service: str, *, may_repeat: bool = True) -> Any:
        """The boto3 client of a service, with or without retries."""
        key = (service, may_repeat)
        if key not in self._clients:
            config = CONFIG if may_repeat else CONFIG_WITHOUT_RETRIES
            self._clients[key] = self.session.client(service, config=config)
        return self._clients[key]

    def read(self, request: Request) -> Any:
        """Send a request that changes nothing, in a dry run too, and return the response.

        Raises:
            PipelineError: AWS refused the request, or could not be reached; see `told`.
        """
        return self._send(request)

    def change(self, request: Request) -> Any:
        """Send a request that changes something, and return the response. A dry run prints it and returns None.

        Raises:
            PipelineError: AWS refused the request, or could not be reached; see `told`.
        """
        if self.is_dry_run:
            print_request(request)
            return None
        return self._send(request)

    def _send(self, request: Request) -> Any:
        with told(request):
            client = self.client(request.service, may_repeat=request.may_repeat)
            return getattr(client, request.operation)(**request.parameters)


def print_request(request: Request) -> None:
    """Print a request as JSON."""
    sys.stdout.write(json.dumps(request.as_json(), indent=2, default=_as_text) + "\n")


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def code_of(error: ClientError) -> str:
    """The code of an error that AWS answered."""
    return str(error.response["Error"]["Code"])


class RefusedError(OutsideSystemError):
    """AWS answered with an error; ``code`` is its own name for it."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnreachableError(OutsideSystemError):
    """No answer came from AWS."""


@contextmanager
def told(request: Request) -> Iterator[None]:
    """Tell what went wrong with a request in one line.

    Raises:
        ConfigurationError: There are no credentials, or no such profile.
        RefusedError: AWS answered with an error.
        UnreachableError: AWS did not answer.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(request, error) from error
    except (*NO_CREDENTIALS, NoRegionError) as error:
        raise _not_set_up(error) from error
    except BotoCoreError as error:
        raise UnreachableError(
            f"{request.service} {request.operation}: AWS could not be reached ({error}). Check the network and the "
            "region, then run the same command again; what was done is not done twice"
        ) from error


def _refused(request: Request, error: ClientError) -> RefusedError:
    code, message = code_of(error), str(error.response["Error"].get("Message", "")).rstrip(".")
    what = f"{request.service} {request.operation}"
    if code in DENIED:
        advice = "Ask for the permission, or use other credentials (--profile); docs/deploy.md lists what is needed"
    elif code in EXPIRED:
        advice = "Get fresh credentials, then run the same command again"
    elif code in THROTTLED:
        advice = "Too much is asked of AWS just now: run the same command again in a minute"
    else:
        advice = "See docs/deploy.md"
    return RefusedError(f"{what}: {code}: {message}. {advice}", code)


def _not_set_up(error: Exception) -> PipelineError:
    return ConfigurationError(f"AWS credentials: {error}. Run `aws configure`, or give --profile and --region")
