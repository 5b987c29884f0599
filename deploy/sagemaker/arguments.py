"""The command lines of ``python -m deploy sagemaker``."""

import argparse
import re
import secrets
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from deploy.sagemaker.requests import Placement, Training
from jobs.errors import ConfigurationError

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s?#]*)?")

HELP = {
    "train": "train on kmeans/train, and print the metrics and where the model is",
    "transform": "assign every customer of kmeans/score, and print where the assignments are",
    "endpoint": "put a model behind an address (paid for by the hour; the pipeline does not need it)",
    "predict": "ask an endpoint: lines of recency,frequency,monetary on stdin, JSON on stdout",
    "delete-endpoint": "delete an endpoint, its configuration and its model",
}


def add_commands(tree: Any, commands: Mapping[str, Callable[[Namespace], None]]) -> None:
    """Put the commands below ``sagemaker``."""
    branch = tree.add_parser("sagemaker", help="clusters by SageMaker's k-means", allow_abbrev=False)
    below = branch.add_subparsers(required=True, metavar="COMMAND", parser_class=type(branch))
    for name, carry_out in commands.items():
        parser = below.add_parser(name, help=HELP[name], description=HELP[name], allow_abbrev=False)
        parser.set_defaults(run=carry_out)
        parser.add_argument("--region", type=_region, help="default: AWS_REGION, or the profile's")
        parser.add_argument(
            "--profile", help="profile of the AWS configuration (default: AWS_PROFILE, or the default one)"
        )
        _add_name(parser, is_required=name in ("endpoint", "predict", "delete-endpoint"))
        parser.add_argument("--dry-run", action="store_true", help="print the requests, and ask AWS for nothing")
        if name in ("train", "transform", "endpoint"):
            _add_placement(parser)
        if name in ("train", "transform"):
            parser.add_argument("--features", type=_s3, required=True, metavar="S3", help=_features(name))
            parser.add_argument("--output", type=_s3, required=True, metavar="S3", help="where its results go")
        if name in ("transform", "endpoint"):
            parser.add_argument("--model-data", type=_s3, required=True, metavar="S3", help="model.tar.gz of train")
        if name == "train":
            _add_training(parser)


def placement_of(given: Namespace, image: str) -> Placement:
    """Where it runs.

    Raises:
        ConfigurationError: Subnets without security groups, or the other way.
    """
    if bool(given.subnets) != bool(given.security_groups):
        raise ConfigurationError("--subnets and --security-groups: found one of them, expected both or none")
    return Placement(
        role=given.role,
        image=image,
        instance_type=given.instance_type,
        instance_count=given.instance_count,
        volume_gb=getattr(given, "volume_gb", Placement.volume_gb),
        kms_key=given.kms_key,
        subnets=given.subnets,
        security_groups=given.security_groups,
        tags=dict(given.tag),
    )


def training_of(given: Namespace) -> Training:
    """How it is trained.

    Raises:
        ConfigurationError: It would have to wait for less time than it may run.
    """
    if not given.no_spot and given.max_wait < given.max_runtime:
        raise ConfigurationError(
            f"--max-wait {given.max_wait}: expected at least --max-runtime {given.max_runtime}, or --no-spot"
        )
    return Training(
        k=given.k,
        epochs=given.epochs,
        mini_batch_size=given.mini_batch_size,
        init_method=given.init_method,
        extra_center_factor=given.extra_center_factor,
        max_runtime=given.max_runtime,
        max_wait=None if given.no_spot else given.max_wait,
    )


def _features(name: str) -> str:
    return f"the folder kmeans/{'train' if name == 'train' else 'score'} of a run, in S3"


def _add_name(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    default = f"segments-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    parser.add_argument(
        "--name",
        type=_name,
        required=is_required,
        default=None if is_required else default,
        help="of the job, and of what is made for it. Given twice, the second is refused: nothing runs twice"
        + ("" if is_required else " (default: segments, the time, random)"),
    )


def _add_placement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", type=_role, required=True, metavar="ARN", help="the role that SageMaker assumes")
    parser.add_argument("--instance-type", default=Placement.instance_type, help="default: %(default)s")
    parser.add_argument("--instance-count", type=_positive, default=Placement.instance_count, metavar="N")
    parser.add_argument("--kms-key", metavar="KEY", help="for disks and results (default: the account's)")
    parser.add_argument("--subnets", type=_list, default=(), metavar="LIST", help="of the VPC, separated by commas")
    parser.add_argument("--security-groups", type=_list, default=(), metavar="LIST", help="separated by commas")
    parser.add_argument("--tag", type=_tag, action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the end")
    parser.add_argument("--poll", type=_seconds, default=15.0, metavar="SECONDS", help="between looks (default: 15)")


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--k", type=_positive, default=5, metavar="N", help="how many clusters (default: 5)")
    parser.add_argument("--epochs", type=_positive, default=Training.epochs, metavar="N", help="default: %(default)s")
    parser.add_argument("--mini-batch-size", type=_positive, default=Training.mini_batch_size, metavar="N")
    parser.add_argument("--init-method", choices=("kmeans++", "random"), default=Training.init_method)
    parser.add_argument("--extra-center-factor", type=_factor, default=Training.extra_center_factor, metavar="N|auto")
    parser.add_argument("--volume-gb", type=_positive, default=Placement.volume_gb, metavar="N")
    parser.add_argument("--max-runtime", type=_positive, default=Training.max_runtime, metavar="SECONDS")
    parser.add_argument("--max-wait", type=_positive, default=Training.max_wait, metavar="SECONDS", help="for spot")
    parser.add_argument("--no-spot", action="store_true", help="on-demand machines: dearer, and there at once")


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise argparse.ArgumentTypeError(f"found {text!r}, expected {expected}")
        return text

    return parse


_name = _matching(NAME, "up to 63 letters, digits and hyphens, such as segments-2018-10-17")
_role = _matching(ROLE, "a role's ARN, such as arn:aws:iam::123456789012:role/segments")
_s3 = _matching(S3, "a place in S3, such as s3://bucket/runs/2018-10-17/kmeans/train/")
_region = _matching(re.compile(r"[a-z]{2}(-[a-z]+)+-\d"), "a region, such as eu-west-1")
_factor = _matching(re.compile(r"auto|[1-9]\d{0,3}"), "a number, or auto")


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected seconds")
    return float(text)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def _tag(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not key or not sign:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected KEY=VALUE")
    return key, value
