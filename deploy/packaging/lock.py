"""requirements.lock: which version of each package, and the hashes that its files may have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One version of a package, and the hashes of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def as_line(self) -> str:
        """The pin as pip reads it."""
        return " ".join((f"{self.name}=={self.version}", *(f"--hash={value}" for value in self.hashes)))


def read_lock(text: str, environment: Mapping[str, str]) -> dict[str, Pin]:
    """The pins of a lock file that hold for an environment, by name.

    Args:
        text: the file: one requirement each, its hashes on lines that continue it.
        environment: what markers are evaluated with.
    """
    pins: dict[str, Pin] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        stated, _, _ = entry.partition(" --hash")
        if not stated.strip() or stated.startswith("#"):
            continue
        requirement = Requirement(stated)
        if requirement.marker and not requirement.marker.evaluate(dict(environment)):
            continue
        name = canonicalize_name(requirement.name)
        version = str(requirement.specifier).removeprefix("==")
        pins[name] = Pin(name=name, version=version, hashes=tuple(HASH.findall(entry)))
    return pins
