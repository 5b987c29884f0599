"""``package``: builds the bundle for Glue or EMR, and prints its files as JSON."""

import argparse
import json
import sys
from pathlib import Path

from deploy.aws.options import Subparsers
from deploy.packaging.bundle import FOLDER, build_bundle, check_architecture, requirements
from deploy.packaging.platforms import ARCHITECTURES, GLUE, PLATFORMS


def add_package(subparsers: Subparsers) -> None:
    """Add ``package`` to the commands."""
    parser = subparsers.add_parser("package", help="build the archives that run on Glue or EMR")
    parser.add_argument(
        "--target", choices=tuple(PLATFORMS), default=GLUE.name, help="the platform (default: glue-6.0)"
    )
    parser.add_argument(
        "--arch",
        choices=tuple(ARCHITECTURES),
        default="x86_64",
        help="architecture of its machines (default: x86_64, the only one of Glue)",
    )
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help=f"folder of the archives (default: {FOLDER})")
    parser.add_argument("--dry-run", action="store_true", help="print what would be built, and build nothing")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    platform = PLATFORMS[options.target]
    check_architecture(platform, options.arch)
    if options.dry_run:
        plan = {
            "target": platform.name,
            "architecture": options.arch,
            "folder": str(options.folder),
            "needs": requirements(),
        }
        sys.stdout.write(json.dumps(plan, indent=2) + "\n")
        return
    bundle = build_bundle(platform, architecture=options.arch, folder=options.folder)
    sys.stdout.write(json.dumps(bundle.as_json(), indent=2) + "\n")
