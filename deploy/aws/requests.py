"""Requests to AWS as values: pure functions build them, ``--dry-run`` prints them, and `Aws` sends them."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from jobs.aws import errors
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError

# botocore retries throttling, 5xx and broken connections with backoff.
CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)
CONFIG_WITHOUT_RETRIES = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

RENEW = "Get fresh credentials, then run the same command again"
SET_UP = "Run `aws configure`, or give --profile and --region"
REPEAT = "run the same command again; what was done is not done twice"

ADVICE: errors.Advice = MappingProxyType(
    {
        errors.DENIED: (
            "Ask for the permission, or use other credentials (--profile); docs/deploy.md lists what is needed"
        ),
        errors.EXPIRED: RENEW,
        errors.INVALID_CREDENTIALS: RENEW,
        errors.INVALID_REQUEST: "See docs/deploy.md",
        errors.NO_CREDENTIALS: SET_UP,
        errors.NO_REGION: SET_UP,
        errors.REFUSED: "See docs/deploy.md",
        errors.SDK_FAILED: f"Check the options, then {REPEAT}",
        errors.THROTTLED: "Run the same command again in a minute",
        errors.UNREACHABLE: f"Check the network and the region, then {REPEAT}",
    }
)


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
        with errors.aws_errors("AWS session", advice=ADVICE, error_of=_error_of):
            return boto3.session.Session(**self._session_options)

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

    @cached_property
    def dns_suffix(self) -> str:
        """The end of the names of AWS's hosts in the partition of the region, such as ``amazonaws.com``."""
        resolver = botocore.session.get_session().get_component("endpoint_resolver")
        return str(resolver.get_partition_dns_suffix(self.session.get_partition_for_region(self.region)))

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
            PipelineError: AWS refused, or could not be reached; see `request_errors`.
        """
        return self._send(request)

    def change(self, request: Request) -> Any:
        """Send a request that changes something, and return the response. A dry run prints it and returns None.

        Raises:
            PipelineError: AWS refused the request, or could not be reached; see `request_errors`.
        """
        if self.is_dry_run:
            print_request(request)
            return None
        return self._send(request)

    def _send(self, request: Request) -> Any:
        with request_errors(request):
            client = self.client(request.service, may_repeat=request.may_repeat)
            return getattr(client, request.operation)(**request.parameters)


def print_request(request: Request) -> None:
    """Print a request as JSON."""
    sys.stdout.write(json.dumps(request.as_json(), indent=2, default=_as_text) + "\n")


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


class RefusedError(OutsideSystemError):
    """AWS answered with an error; ``code`` is its own name for it."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnreachableError(OutsideSystemError):
    """No answer came from AWS."""


def request_errors(request: Request) -> AbstractContextManager[None]:
    """Turn what boto3 raises for a request into an error of one line.

    Raises:
        ConfigurationError: There are no credentials, no region, or no such profile.
        RefusedError: AWS answered with an error.
        UnreachableError: AWS did not answer.
    """
    return errors.aws_errors(f"{request.service} {request.operation}", advice=ADVICE, error_of=_error_of)


def _error_of(failure: errors.AwsFailure) -> PipelineError:
    if failure.meaning in (errors.NO_CREDENTIALS, errors.NO_REGION):
        return ConfigurationError(failure.message)
    return RefusedError(failure.message, failure.code) if failure.is_answer else UnreachableError(failure.message)
