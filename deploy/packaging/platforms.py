"""The platforms that a bundle is built for, and the packages that each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SPARK: Mapping[str, str] = MappingProxyType({"pyspark": "4.1.1", "py4j": "0.10.9.9"})

# The packages that both Glue 6.0 and this project need, with Glue's versions.
# Source: base-requirements.txt of awslabs/aws-glue-libs, branch main, 2026-08-19.
GLUE_6_0: Mapping[str, str] = MappingProxyType(
    {
        **SPARK,
        "attrs": "26.1.0",
        "boto3": "1.42.84",
        "botocore": "1.42.84",
        "certifi": "2026.2.25",
        "charset-normalizer": "3.4.7",
        "fsspec": "2026.3.0",
        "idna": "3.11",
        "jmespath": "1.1.0",
        "narwhals": "2.19.0",
        "numpy": "2.4.4",
        "packaging": "26.0",
        "pandas": "2.3.3",
        "pyarrow": "23.0.1",
        "pygments": "2.20.0",
        "pyparsing": "3.3.2",
        "python-dateutil": "2.9.0.post0",
        "pytz": "2026.1.post1",
        "requests": "2.33.1",
        "s3transfer": "0.16.0",
        "six": "1.17.0",
        "tenacity": "9.1.2",
        "typing-extensions": "4.15.0",
        "tzdata": "2026.1",
        "urllib3": "2.6.3",
    }
)


@dataclass(frozen=True)
class Platform:
    """A platform that runs the pipeline.

    Attributes:
        name: its name on the command line, after AWS's release.
        python: major and minor version of its Python.
        glibc: minor version of its glibc 2; wheels built against a newer one do not load.
        architectures: the architectures of its machines, as AWS names them.
        preinstalled: the version of each package that it has, as far as AWS publishes versions.
    """

    name: str
    python: str
    glibc: int
    architectures: tuple[str, ...]
    preinstalled: Mapping[str, str]

    def marker_environment(self, architecture: str) -> dict[str, str]:
        """The values with which markers of requirements are evaluated: the platform's, not this machine's."""
        return {
            "extra": "",
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": architecture,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    def platform_tags(self, architecture: str) -> list[str]:
        """The platform tags of wheels that load there, newest first."""
        newest_first = [f"manylinux_2_{minor}_{architecture}" for minor in range(self.glibc, 4, -1)]
        return [*newest_first, f"manylinux2014_{architecture}", f"manylinux2010_{architecture}"]


GLUE = Platform(name="glue-6.0", python="3.13", glibc=34, architectures=("x86_64",), preinstalled=GLUE_6_0)

# AWS publishes neither the list nor the versions of EMR's own Python packages, so the bundle has all, boto3 included.
EMR = Platform(name="emr-8.1", python="3.11", glibc=34, architectures=("x86_64", "arm64"), preinstalled=SPARK)

PLATFORMS: Mapping[str, Platform] = MappingProxyType({platform.name: platform for platform in (GLUE, EMR)})
ARCHITECTURES: Mapping[str, str] = MappingProxyType({"x86_64": "x86_64", "arm64": "aarch64"})
"""Linux's name of each architecture that AWS names."""
