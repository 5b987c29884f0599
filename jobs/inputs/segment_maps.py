"""Segment maps: those that are shipped, and a user's file."""

from functools import cache
from importlib import resources

from expectations.contracts.yaml_text import YAMLTextError, load_yaml
from jobs.errors import ConfigurationError
from jobs.storage.uris import folder_at
from transforms.rfm.segments import SegmentMap, SegmentMapError, SegmentMaps

SHIPPED_MAPS = resources.files("transforms.rfm") / "maps"


def load_maps(file: str | None) -> SegmentMaps:
    """The shipped maps, and the map that ``--segments`` names.

    Args:
        file: the user's file; None for none.

    Raises:
        ConfigurationError: There is no such file, or it is not a segment map.
    """
    own = None if file is None else _own_map(file)
    return SegmentMaps(_shipped_map("recency-frequency"), _shipped_map("recency-monetary"), own)


@cache
def _shipped_map(name: str) -> SegmentMap:
    return SegmentMap.from_content(load_yaml((SHIPPED_MAPS / f"{name}.yaml").read_text(encoding="utf-8")))


def _own_map(file: str) -> SegmentMap:
    text = folder_at(file, argument="--segments").read()
    if text is None:
        raise ConfigurationError(f"--segments {file}: no such file. Check the path, or leave --segments out")
    try:
        return SegmentMap.from_content(load_yaml(text))
    except YAMLTextError as error:
        raise ConfigurationError(f"--segments {file}, line {error.line + 1}: {error}. Correct the file") from None
    except SegmentMapError as error:
        raise ConfigurationError(f"--segments {file}: {error}. Correct the map (docs/segments.md)") from None
