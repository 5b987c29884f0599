"""How this process was started: by whoever submits jobs to a platform, or by itself on a laptop."""

import os


def is_submitted() -> bool:
    """Whether ``spark-submit`` (EMR, Glue, a cluster) started this process; master, memory and Java are then its."""
    return "PYSPARK_GATEWAY_PORT" in os.environ
