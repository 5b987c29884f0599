"""The command lines of ``python -m deploy sagemaker``."""

import argparse
import re
import secrets
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from deploy.aws.options import Subparsers, add_account_options
from deploy.sagemaker.requests import Placement, Training
from deploy.stacks.tags import PROJECT
from jobs.errors import ConfigurationError

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s?#]*)?")

HELP = {
    "train": "train on kmeans/train, and print the metrics and the model's address",
    "transform": "assign every customer of kmeans/score, and print the folder of the assignments",
    "endpoint": "put a model behind an address (paid for by the hour; the pipeline does not need it)",
    "predict": "send lines of recency,frequency,monetary from stdin to an endpoint, and print JSON",
    "delete-endpoint": "delete an endpoint, its configuration and its model",
}


def add_parsers(subparsers: Subparsers, commands: Mapping[str, Callable[[Namespace], None]]) -> None:
    """Add ``sagemaker`` with its commands."""
    sagemaker = subparsers.add_parser("sagemaker", help="clusters by SageMaker's k-means")
    own_subparsers: Subparsers = sagemaker.add_subparsers(
        required=True, metavar="COMMAND", parser_class=type(sagemaker)
    )
    for name, command in commands.items():
        parser = own_subparsers.add_parser(name, help=HELP[name], description=HELP[name])
        parser.set_defaults(run=command)
        add_account_options(parser, region=_region)
        _add_name(parser, is_required=name in ("endpoint", "predict", "delete-endpoint"))
        if name in ("train", "transform", "endpoint"):
            _add_placement(parser)
        if name in ("train", "transform"):
            channel = "train" if name == "train" else "score"
            features_help = f"the folder kmeans/{channel} of a run with --kmeans none, in S3"
            parser.add_argument("--features", type=_s3, required=True, metavar="S3", help=features_help)
            parser.add_argument("--output", type=_s3, required=True, metavar="S3", help="folder of the results")
        if name in ("transform", "endpoint"):
            parser.add_argument("--model-data", type=_s3, required=True, metavar="S3", help="model.tar.gz of train")
        if name == "train":
            _add_training(parser)


def placement_of(options: Namespace, image: str) -> Placement:
    """The machines, role and keys that a command line asks for.

    Raises:
        ConfigurationError: There are subnets without security groups, or the other way round.
    """
    if bool(options.subnets) != bool(options.security_groups):
        raise ConfigurationError("--subnets and --security-groups: found one of them, expected both or none")
    return Placement(
        role=options.role,
        image=image,
        instance_type=options.instance_type,
        instance_count=options.instance_count,
        volume_gb=getattr(options, "volume_gb", Placement.volume_gb),
        kms_key=options.kms_key,
        subnets=options.subnets,
        security_groups=options.security_groups,
        tags={"project": PROJECT, **dict(options.tag)},
    )


def training_of(options: Namespace) -> Training:
    """The settings of the algorithm that a command line asks for.

    Raises:
        ConfigurationError: The wait for spot machines and work is shorter than the work alone may be.
    """
    if not options.no_spot and options.max_wait < options.max_runtime:
        raise ConfigurationError(
            f"invalid --max-wait {options.max_wait}: expected at least --max-runtime {options.max_runtime}, or "
            "--no-spot"
        )
    return Training(
        k=options.k,
        epochs=options.epochs,
        mini_batch_size=options.mini_batch_size,
        init_method=options.init_method,
        extra_center_factor=options.extra_center_factor,
        max_runtime=options.max_runtime,
        max_wait=None if options.no_spot else options.max_wait,
    )


def _add_name(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    default = f"segments-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    parser.add_argument(
        "--name",
        type=_name,
        required=is_required,
        default=None if is_required else default,
        help="name of the job and of its resources; a name that exists is refused, so nothing runs twice"
        + ("" if is_required else " (default: segments, the time, random)"),
    )


def _add_placement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", type=_role, required=True, metavar="ARN", help="the role that SageMaker assumes")
    parser.add_argument("--instance-type", default=Placement.instance_type, help="default: %(default)s")
    parser.add_argument("--instance-count", type=_positive, default=Placement.instance_count, metavar="N")
    parser.add_argument("--kms-key", metavar="KEY", help="encrypts disks and results (default: the account's)")
    parser.add_argument(
        "--subnets",
        type=_list,
        default=(),
        metavar="LIST",
        help="of the VPC, separated by commas; the algorithm then runs without network (default: SageMaker's network)",
    )
    parser.add_argument("--security-groups", type=_list, default=(), metavar="LIST", help="separated by commas")
    parser.add_argument(
        "--tag",
        type=_tag,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"besides project={PROJECT}; may be repeated",
    )
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the end")
    parser.add_argument(
        "--poll", type=_seconds, default=15.0, metavar="SECONDS", help="between two polls (default: 15)"
    )


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--k", type=_positive, default=5, metavar="N", help="how many clusters (default: 5)")
    parser.add_argument("--epochs", type=_positive, default=Training.epochs, metavar="N", help="default: %(default)s")
    parser.add_argument("--mini-batch-size", type=_positive, default=Training.mini_batch_size, metavar="N")
    parser.add_argument("--init-method", choices=("kmeans++", "random"), default=Training.init_method)
    parser.add_argument("--extra-center-factor", type=_factor, default=Training.extra_center_factor, metavar="N|auto")
    parser.add_argument("--volume-gb", type=_positive, default=Placement.volume_gb, metavar="N")
    parser.add_argument("--max-runtime", type=_positive, default=Training.max_runtime, metavar="SECONDS")
    parser.add_argument(
        "--max-wait", type=_positive, default=Training.max_wait, metavar="SECONDS", help="for spot machines"
    )
    parser.add_argument(
        "--no-spot", action="store_true", help="on-demand machines: more expensive, and available at once"
    )


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise argparse.ArgumentTypeError(f"{text!r}: expected {expected}")
        return text

    return parse


_name = _matching(NAME, "up to 63 letters, digits and hyphens, such as segments-2018-10-17")
_role = _matching(ROLE, "a role's ARN, such as arn:aws:iam::123456789012:role/segments")
_s3 = _matching(S3, "an address in S3, such as s3://bucket/runs/2018-10-17/kmeans/train/")
_region = _matching(re.compile(r"[a-z]{2}(-[a-z]+)+-\d"), "a region, such as eu-west-1")
_factor = _matching(re.compile(r"auto|[1-9]\d{0,3}"), "a number up to 9999, or auto")


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number, at least 1")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds, such as 15")
    return float(text)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def _tag(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise argparse.ArgumentTypeError(f"{text!r}: expected KEY=VALUE")
    return key, value
