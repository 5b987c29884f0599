"""Requests to AWS as values: built by pure functions, shown by ``--dry-run``, sent here; and their errors in a line."""

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

# botocore tries again by itself: throttling, 5xx and broken connections, with backoff.
CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)
ONCE = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"}


@dataclass(frozen=True)
class Request:
    """One call of a service.

    Attributes:
        service: as boto3 names it.
        operation: the client's method.
        parameters: its arguments.
        may_repeat: whether it is sent again when no answer came. Not where each arrival is work of its own.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    may_repeat: bool = True

    def as_json(self) -> dict[str, Any]:
        """The request, to be looked at."""
        return {"service": self.service, "operation": self.operation, "parameters": dict(self.parameters)}


class Aws:
    """An account and a region, by the ordinary credentials of the AWS command line.

    botocore reads AWS_DEFAULT_REGION and the profile's region, but not AWS_REGION, which other tools of AWS put first.
    """

    def __init__(self, *, region: str | None = None, profile: str | None = None, dry_run: bool = False) -> None:
        self._named = {"region_name": region or os.environ.get("AWS_REGION") or None, "profile_name": profile}
        self._clients: dict[tuple[str, bool], Any] = {}
        self.is_dry_run = dry_run

    @cached_property
    def session(self) -> Any:
        """The session that all clients are made from.

        Raises:
            ConfigurationError: There is no such profile.
        """
        try:
            return boto3.session.Session(**self._named)
        except ProfileNotFound as error:
            raise _not_set_up(error) from error

    def options(self, prefix: str) -> str:
        """What a command is given to mean this deployment in this account."""
        return f"--prefix {prefix} {self.place}"

    @property
    def place(self) -> str:
        """The options that mean the same account and region, whatever the environment is by then."""
        profile = self._named["profile_name"]
        return f"--region {self.region}" + (f" --profile {profile}" if profile else "")

    @property
    def region(self) -> str:
        """The region.

        Raises:
            ConfigurationError: None is set.
        """
        name = self.session.region_name
        if name is None:
            raise ConfigurationError("no AWS region is set. Give --region, or set AWS_REGION")
        return str(name)

    def client(self, service: str, *, may_repeat: bool = True) -> Any:
        """The client of a service, which sends again what got no answer, or does not."""
        key = (service, may_repeat)
        if key not in self._clients:
            self._clients[key] = self.session.client(service, config=CONFIG if may_repeat else ONCE)
        return self._clients[key]

    def ask(self, request: Request) -> Any:
        """Send a request that changes nothing, and return the answer.

        Raises:
            PipelineError: AWS refused, or could not be reached; see `told`.
        """
        with told(request):
            client = self.client(request.service, may_repeat=request.may_repeat)
            return getattr(client, request.operation)(**request.parameters)

    def change(self, request: Request) -> Any:
        """Send a request that changes something; in a dry run print it instead, and return None."""
        if self.is_dry_run:
            show(request)
            return None
        return self.ask(request)


def show(request: Request) -> None:
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
