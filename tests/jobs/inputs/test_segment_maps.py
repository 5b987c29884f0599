"""Segment maps by file: the shipped ones, the one of the documentation, and files that are not maps."""

import re
from pathlib import Path

import pytest

from jobs.errors import ConfigurationError
from jobs.inputs.segment_maps import load_maps

PAGE = (Path(__file__).parents[3] / "docs" / "segments.md").read_text()
MAP = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def refusal(folder: Path, text: str) -> str:
    file = folder / "map.yml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        load_maps(str(file))
    return str(error.value).replace(str(file), "map.yml")


def test_the_map_of_the_documentation_replaces_both_shipped_maps(tmp_path: Path) -> None:
    file = tmp_path / "map.yml"
    file.write_text(MAP)
    maps = load_maps(str(file))
    chosen = [maps.chosen(frequency_is_degenerate=is_degenerate) for is_degenerate in (True, False)]
    assert [segment.name for segment in chosen[0].segments] == ["VIP", "First small purchase", "Others"]
    assert chosen[0] == chosen[1]
    # By hand: VIP has 2 x 5 cells; the second segment 511, 512, 411 and 412; the third all others.
    assert [len(segment.cells) for segment in chosen[0].segments] == [10, 4, 111]


def test_the_degeneracy_of_frequency_decides_between_the_shipped_maps() -> None:
    maps = load_maps(None)
    assert maps.chosen(frequency_is_degenerate=True).name == "recency x monetary"
    assert maps.chosen(frequency_is_degenerate=False).name == "recency x frequency"


def test_a_cell_in_two_segments_is_refused_with_the_line_of_the_documentation(tmp_path: Path) -> None:
    message = refusal(tmp_path, MAP.replace("[511, 512,", "[511, 512, 513,"))
    assert f"pipeline: {message}" in PAGE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--segments map.yml: found None (expected"),
        ("name: [\n", "--segments map.yml, line 2: invalid YAML"),
        ("name: mine\nsegments: []\n", '"segments" is [] (expected a list of 1 to 125 segments)'),
        (MAP.replace("{r: 1-3}, ", ""), "no segment has cells 111, 112, 113, 114, 115, 121 and 69 more"),
    ],
)
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(tmp_path, text)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"--segments nowhere\.yml: no such file"):
        load_maps("nowhere.yml")
