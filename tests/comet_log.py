"""Runs a job with Comet in this process, and keeps Spark's log, in which Comet says what it leaves to Spark.

``python -m tests.comet_log LOG JOB ARGUMENT...``: the job's arguments, with ``--engine comet``.
"""

import importlib
import os
import sys
from pathlib import Path

from jobs.spark import session


def main() -> int:
    kept, job, *arguments = sys.argv[1:]

    def create_log() -> Path:
        log = own_log()
        os.link(log, kept)  # the job removes its log once it is done
        return log

    own_log, session.create_log = session.create_log, create_log
    session.LAPTOP["spark.comet.explain.fallback.enabled"] = "true"
    code: int = importlib.import_module(f"jobs.{job}").main([*arguments, "--engine", "comet"])
    return code


if __name__ == "__main__":
    sys.exit(main())
