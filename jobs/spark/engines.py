"""The engine that runs Spark's plans: Spark's own or Apache DataFusion Comet, which is chosen by settings alone.

Comet replaces operators of a plan by native code. What it lacks stays with Spark, within the same plan. docs/engines.md
says when to use it.
"""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark import SparkConf
from pyspark.sql import SparkSession

from jobs.aws.environment import is_submitted
from jobs.cli.arguments import Engine
from jobs.errors import ConfigurationError
from jobs.spark.jars import Libraries
from jobs.spark.java import java_home

DRIVER_MEMORY = os.environ.get("SPARK_DRIVER_MEMORY", "4g")
"""What Spark may take on a laptop: its heap or, with Comet, heap and native memory together."""

CLASS_PATH = "spark.driver.extraClassPath"

LIBRARIES = Libraries(
    "comet",
    title="Comet's library",
    size="99 MB",
    variable="COMET_JAR",
    page="docs/engines.md",
    error=ConfigurationError,
)

_EXTENSION = "org.apache.comet.CometSparkSessionExtensions"
_SHUFFLE = "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager"

# Spark reads these only while it starts. On AWS the stacks give the same to Glue and EMR.
PLUGIN = {
    "spark.plugins": "org.apache.spark.CometPlugin",
    # Rows stay in columns between two native operators, through the files of a shuffle too.
    "spark.shuffle.manager": _SHUFFLE,
    # Comet takes its memory from Spark's pool outside of the heap. Without that pool its plugin switches itself off.
    "spark.memory.offHeap.enabled": "true",
}

# What the job was submitted with takes precedence.
COMET = {
    # Where the native library does not load, Comet would leave everything to Spark, and say so in a log alone.
    "spark.comet.nativeLoadRequired": "true",
    # Joins by a hash table, without sorting both sides first. Its memory is Comet's, which spills.
    "spark.comet.exec.forceShuffledHashJoin": "true",
}

ARCHITECTURES = ("x86_64", "aarch64")
OLDEST_GLIBC = (2, 30)
"""The newest version that a symbol of the native library asks for."""

_SIZE = re.compile(r"(\d+) *([kmgt]?)b?", re.IGNORECASE)
_MEBIBYTES = {"k": 1 / 1024, "": 1, "m": 1, "g": 1024, "t": 1024**2}


@dataclass(frozen=True)
class EngineSetup:
    """An engine, and what Spark needs to start with it.

    Attributes:
        engine: what was asked for; None for what Spark was started with, which on a laptop is its own.
        laptop: the settings of a Spark that is started here.
    """

    engine: Engine | None = None
    laptop: Mapping[str, str] = field(default_factory=dict)

    def for_session(self, started: SparkConf) -> Mapping[str, str]:
        """What to set in a session that was started elsewhere.

        Raises:
            ConfigurationError: Comet is asked for, and the session was started without it.
        """
        if not has_comet(started):
            if self.engine == "comet":
                raise ConfigurationError(
                    "--engine comet: this Spark was started without it. Submit the job with Comet's jar, "
                    f"spark.plugins={PLUGIN['spark.plugins']} and memory outside of the heap (docs/engines.md), or "
                    "leave --engine out"
                )
            return {}
        if self.engine == "spark":
            return {"spark.comet.enabled": "false"}
        return {key: value for key, value in COMET.items() if not started.contains(key)}


AS_STARTED = EngineSetup()


def find_engine(engine: Engine | None) -> EngineSetup:
    """Find what an engine needs. On a laptop that is Comet's library, which is fetched once.

    Raises:
        ConfigurationError: This machine has no native code of Comet's, or its library cannot be had.
        OutsideSystemError: Java is missing.
    """
    if engine != "comet" or is_submitted() or SparkSession.getActiveSession():
        return EngineSetup(engine)
    check_machine()
    jar = LIBRARIES.find(java_home())[0]
    # On the class path alone. Spark would copy what `spark.jars` names to a temporary folder at each start.
    settings = {**PLUGIN, **COMET, **memory_settings(DRIVER_MEMORY), CLASS_PATH: str(jar)}
    return EngineSetup(engine, settings)


def check_machine() -> None:
    """Check that the library has native code for this machine: 64-bit Linux with a GNU C library.

    Raises:
        ConfigurationError: It has none.
    """
    system, machine = platform.system(), platform.machine()
    libc, version = platform.libc_ver() if system == "Linux" else ("", "")
    is_new_enough = tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= OLDEST_GLIBC
    if system != "Linux" or machine not in ARCHITECTURES or libc != "glibc" or not is_new_enough:
        description = " ".join(part for part in (system, machine, libc, version) if part)
        raise ConfigurationError(
            f"--engine comet: found {description}, expected Linux on {' or '.join(ARCHITECTURES)} with glibc "
            f"{'.'.join(map(str, OLDEST_GLIBC))} or newer, for which Comet has native code. Use --engine spark"
        )


def memory_settings(memory: str) -> dict[str, str]:
    """Half of the memory as heap and half outside of it, so that Comet takes no more than Spark alone.

    Reading CSV, sorting for the write and Spark ML stay in the heap; joins, exchanges and aggregates leave it.

    Raises:
        ConfigurationError: The memory is not a size as Spark writes it.
    """
    size = _SIZE.fullmatch(memory.strip())
    half = int(int(size[1]) * _MEBIBYTES[size[2].lower()] / 2) if size else 0
    if not half:
        raise ConfigurationError(f"invalid SPARK_DRIVER_MEMORY={memory}: expected a size such as 4g or 4096m")
    return {"spark.driver.memory": f"{half}m", "spark.memory.offHeap.size": f"{half}m"}


def has_comet(settings: SparkConf) -> bool:
    """Whether a session was started with Comet: its plugin adds the extension once it has the memory that it needs."""
    return _EXTENSION in (settings.get("spark.sql.extensions") or "")


def engine_of(session: SparkSession) -> str:
    """The engine of a session as the manifest names it: ``spark``, or ``comet`` with its version."""
    started = session.sparkContext.getConf()
    is_comet = has_comet(started) and session.conf.get("spark.comet.enabled", "true") == "true"
    return f"comet {started.get('spark.comet.version')}" if is_comet else "spark"


def platform_versions(session: SparkSession) -> dict[str, str]:
    """Versions of Python, Spark and the operating system, and the engine that runs Spark's plans."""
    return {
        "python": platform.python_version(),
        "spark": session.version,
        "engine": engine_of(session),
        "system": platform.platform(terse=True),
    }
