"""Segment maps: those that are shipped, against tables written by hand, and what a user's map may say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from expectations.contracts.yaml_text import load_yaml
from jobs.errors import ConfigurationError
from jobs.inputs.segment_maps import load_maps
from tests.frames import frame
from transforms.rfm.segments import CELLS, Segment, SegmentMap, SegmentMapError

SHIPPED = load_maps(None)

# By r, the segments of f from 1 to 5, as the customary table has them. Money does not matter.
OVER_FREQUENCY = {
    5: ("New customers", "Potential loyalists", "Potential loyalists", "Champions", "Champions"),
    4: ("Promising", "Potential loyalists", "Potential loyalists", "Loyal customers", "Loyal customers"),
    3: ("About to sleep", "About to sleep", "Need attention", "Loyal customers", "Loyal customers"),
    2: ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose them"),
    1: ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose them"),
}

# By r, the segments of m from 1 to 5. Frequency does not matter.
OVER_MONEY = {
    r: (f"{when} small spenders",) * 2 + (f"{when} medium spenders",) * 2 + (f"{when} big spenders",)
    for r, when in ((5, "Recent"), (4, "Recent"), (3, "Cooling"), (2, "Lapsed"), (1, "Lapsed"))
}

BEST = {"name": "Best", "code": "B", "advice": "Thank them.", "cells": [{"r": 5}]}
REST = {"name": "Rest", "code": "R", "advice": "Write.", "cells": [{"r": "1-4"}]}


def map_of(*segments: Mapping[str, Any]) -> SegmentMap:
    return SegmentMap.from_content({"name": "mine", "segments": list(segments)})


def message_of(content: Any) -> str:
    with pytest.raises(SegmentMapError) as error:
        SegmentMap.from_content(content)
    return str(error.value)


def names_of(segment_map: SegmentMap) -> dict[str, str]:
    return {"".join(map(str, cell)): segment.name for cell, segment in segment_map.by_cell.items()}


@pytest.mark.parametrize("shipped", [SHIPPED.over_frequency, SHIPPED.over_money], ids=["frequency", "money"])
def test_each_of_the_125_cells_is_in_one_segment_of_a_shipped_map(shipped: SegmentMap) -> None:
    cells = [(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    owners = {cell: [segment.name for segment in shipped.segments if cell in segment.cells] for cell in cells}
    assert {cell for cell, names in owners.items() if len(names) != 1} == set()
    assert sum(len(segment.cells) for segment in shipped.segments) == 125
    assert all(segment.cells for segment in shipped.segments)


def test_the_map_over_frequency_is_the_customary_table() -> None:
    expected = {
        f"{r}{f}{m}": name
        for r, names in OVER_FREQUENCY.items()
        for f, name in enumerate(names, start=1)
        for m in range(1, 6)
    }
    assert names_of(SHIPPED.over_frequency) == expected
    assert len(SHIPPED.over_frequency.segments) == 10


def test_the_map_over_money_is_by_recency_and_money_alone() -> None:
    expected = {
        f"{r}{f}{m}": name
        for r, names in OVER_MONEY.items()
        for m, name in enumerate(names, start=1)
        for f in range(1, 6)
    }
    assert names_of(SHIPPED.over_money) == expected
    assert len(SHIPPED.over_money.segments) == 9


def test_no_name_of_the_map_over_money_claims_loyalty() -> None:
    names = [segment.name.lower() for segment in SHIPPED.over_money.segments]
    assert not [name for name in names for word in ("loyal", "champion", "lose") if word in name]


def test_the_shipped_maps_name_the_best_segment_first_and_share_no_code() -> None:
    over_frequency, over_money = SHIPPED.over_frequency.segments, SHIPPED.over_money.segments
    assert (over_frequency[0].name, over_frequency[-1].name) == ("Champions", "Hibernating")
    assert (over_money[0].name, over_money[-1].name) == ("Recent big spenders", "Lapsed small spenders")
    assert len({segment.code for segment in (*over_frequency, *over_money)}) == 19


def test_a_degenerate_frequency_chooses_the_map_over_money() -> None:
    assert SHIPPED.own is None
    assert SHIPPED.chosen(frequency_is_degenerate=False) is SHIPPED.over_frequency
    assert SHIPPED.chosen(frequency_is_degenerate=True) is SHIPPED.over_money


def test_a_users_file_replaces_both_maps(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps({"name": "mine", "segments": [BEST, REST]}), encoding="utf-8")
    maps = load_maps(str(file))
    for is_degenerate in (False, True):
        assert maps.chosen(frequency_is_degenerate=is_degenerate) == map_of(BEST, REST)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "no such file"),
        ("name: [", "line 1: invalid YAML"),
        ("name: mine", "found {'name': 'mine'} (expected \"name\" and \"segments\")"),
    ],
)
def test_a_users_file_that_is_no_map_is_an_error_that_names_the_file(
    tmp_path: Path, text: str | None, found: str
) -> None:
    file = tmp_path / "mine.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_maps(str(file))
    assert f"--segments {file}" in str(error.value)
    assert found in str(error.value)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([545], {"545"}),
        (["545"], {"545"}),
        ([545, "545", 111], {"545", "111"}),
        ([{"r": 5, "f": 4, "m": 5}], {"545"}),
        ([{"r": "5", "f": "4-4"}], {"541", "542", "543", "544", "545"}),
        ([{"f": "2-3", "m": 1}], {"121", "131", "221", "231", "321", "331", "421", "431", "521", "531"}),
        ([{"r": 1, "f": 1, "m": "1-3"}, {"r": "1-2", "f": 1, "m": 3}, 555], {"111", "112", "113", "213", "555"}),
        ([{"r": "1-5"}], {f"{number}" for number in range(111, 556) if set(f"{number}") <= set("12345")}),
    ],
)
def test_cells_are_scores_as_number_or_text_and_ranges_of_scores(cells: list[Any], expected: set[str]) -> None:
    segment = Segment.from_content({**BEST, "cells": cells}, number=1)
    assert {"".join(map(str, cell)) for cell in segment.cells} == expected


def test_a_gap_names_the_cells_in_no_segment() -> None:
    others = [{"r": 5, "f": "1-4"}, {"r": 5, "f": 5, "m": "1-4"}]
    assert message_of({"name": "x", "segments": [{**BEST, "cells": others}, REST]}) == (
        "no segment has cell 555 (expected all 125 cells, 111 to 555)"
    )
    assert message_of({"name": "x", "segments": [REST]}) == (
        "no segment has cells 511, 512, 513, 514, 515, 521 and 19 more (expected all 125 cells, 111 to 555)"
    )


def test_an_overlap_names_the_cells_and_their_segments() -> None:
    assert message_of(
        {"name": "x", "segments": [BEST, REST, {**BEST, "name": "Top", "code": "T", "cells": [545]}]}
    ) == ("Top has cell 545, and so has Best (expected each cell in one segment)")
    both = {**BEST, "name": "Both", "code": "2", "cells": [{"r": "4-5", "f": 1, "m": "1-4"}]}
    assert message_of({"name": "x", "segments": [BEST, REST, both]}) == (
        "Both has cells 411, 412, 413, 414, 511, 512 and 2 more, and so has Best, Rest "
        "(expected each cell in one segment)"
    )


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ({"r": "0-6"}, "{'r': '0-6'}"),
        ({"r": "5-4"}, "{'r': '5-4'}"),
        ({"r": "x"}, "{'r': 'x'}"),
        ({"f": ""}, "{'f': ''}"),
        ({"f": 0}, "{'f': 0}"),
        ({"f": 4.0}, "{'f': 4.0}"),
        ({"m": None}, "{'m': None}"),
        ({"m": [1, 2]}, "{'m': [1, 2]}"),
        ({"r": 5, "q": 1}, "{'r': 5, 'q': 1}"),
        ({}, "{}"),
        (546, "546"),
        (55, "55"),
        ("5455", "'5455'"),
        ("5 4 5", "'5 4 5'"),
        (True, "True"),
        (None, "None"),
        ([545], "[545]"),
    ],
)
def test_cells_that_are_neither_scores_nor_ranges_are_an_error(cells: Any, shown: str) -> None:
    message = message_of({"name": "x", "segments": [{**BEST, "cells": [cells]}, REST]})
    assert message == f'"cells" of Best has {shown} (expected scores such as 545, or {{r: 4-5, f: 1}})'


LONG = "a printable text of at most"
UNPADDED = "without blanks around it"


@pytest.mark.parametrize(
    ("segment", "found", "expected"),
    [
        (None, "segment 1 is None", "name, code, advice, cells"),
        ({**BEST, "colour": "red"}, "segment 1 is {'name': 'Best', ", "name, code, advice, cells"),
        ({**BEST, "name": None}, '"name" of segment 1 is None', f"{LONG} 128 bytes, {UNPADDED}"),
        ({**BEST, "name": ""}, "\"name\" of segment 1 is ''", f"{LONG} 128 bytes, {UNPADDED}"),
        ({**BEST, "name": " Best"}, "\"name\" of segment 1 is ' Best'", f"{LONG} 128 bytes, {UNPADDED}"),
        ({**BEST, "name": "Be\x1bst"}, "\"name\" of segment 1 is 'Be\\x1bst'", f"{LONG} 128 bytes, {UNPADDED}"),
        # 65 letters of two bytes each.
        ({**BEST, "name": "é" * 65}, '"name" of segment 1 is \'ééé', f"{LONG} 128 bytes, {UNPADDED}"),
        (
            {key: BEST[key] for key in ("name", "advice", "cells")},
            '"code" of segment Best is None',
            f"{LONG} 32 bytes, {UNPADDED}",
        ),
        ({**BEST, "code": 5}, '"code" of segment Best is 5', f"{LONG} 32 bytes, {UNPADDED}"),
        ({**BEST, "code": "c" * 33}, '"code" of segment Best is \'ccc', f"{LONG} 32 bytes, {UNPADDED}"),
        ({**BEST, "code": "B 1"}, "\"code\" of Best is 'B 1'", "letters, digits, - and _"),
        ({**BEST, "code": "é"}, "\"code\" of Best is 'é'", "letters, digits, - and _"),
        (
            {**BEST, "advice": "Write.\nCall."},
            "\"advice\" of segment Best is 'Write.\\nCall.'",
            f"{LONG} 300 bytes, {UNPADDED}",
        ),
        ({**BEST, "advice": "x" * 301}, '"advice" of segment Best is \'xxx', f"{LONG} 300 bytes, {UNPADDED}"),
        ({**BEST, "cells": []}, '"cells" of Best is []', "a list, such as [{r: 4-5, f: 1}, 333]"),
        ({**BEST, "cells": "545"}, "\"cells\" of Best is '545'", "a list, such as [{r: 4-5, f: 1}, 333]"),
        ({**BEST, "cells": {"r": 5}}, "\"cells\" of Best is {'r': 5}", "a list, such as [{r: 4-5, f: 1}, 333]"),
    ],
)
def test_an_invalid_segment_is_an_error_that_names_what_was_found_and_expected(
    segment: Any, found: str, expected: str
) -> None:
    message = message_of({"name": "x", "segments": [segment, REST]})
    assert message.startswith(found)
    assert message.endswith(f"(expected {expected})")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "found None"),
        ([BEST, REST], "found [{'name': 'Best', "),
        ({"segments": [BEST, REST]}, "found {'segments': "),
        ({"name": "x", "segments": [BEST, REST], "version": 2}, "found {'name': 'x', "),
        ({"name": "", "segments": [BEST, REST]}, "\"name\" of the map is ''"),
        ({"name": "x", "segments": []}, '"segments" is [] (expected a list of 1 to 125 segments)'),
        ({"name": "x", "segments": "all"}, "\"segments\" is 'all' (expected a list of 1 to 125 segments)"),
        ({"name": "x", "segments": [BEST] * 126}, '"segments" is [{'),
        ({"name": "x", "segments": [BEST, {**REST, "name": "Best"}]}, "\"name\" 'Best' is that of two segments"),
        ({"name": "x", "segments": [BEST, {**REST, "code": "B"}]}, "\"code\" 'B' is that of two segments"),
    ],
)
def test_an_invalid_map_is_an_error_that_names_what_was_found(content: Any, found: str) -> None:
    message = message_of(content)
    assert message.startswith(found)
    assert "(expected " in message
    assert len(message) < 500


def test_the_longest_texts_that_a_column_holds_are_allowed() -> None:
    longest = {**BEST, "name": "é" * 64, "code": "c" * 32, "advice": "x" * 300}
    assert map_of(longest, REST).segments[0].name == "é" * 64


def test_segments_stay_in_their_order() -> None:
    one_each = [{**BEST, "name": f"Row {r}", "code": f"r{r}", "cells": [{"r": r}]} for r in (3, 5, 1, 4, 2)]
    segment_map = map_of(*one_each)
    assert [segment.code for segment in segment_map.segments] == ["r3", "r5", "r1", "r4", "r2"]
    restored = SegmentMap.from_content(json.loads(json.dumps(segment_map.as_json())))
    assert restored == segment_map
    assert restored.hash == segment_map.hash
    assert map_of(*reversed(one_each)).hash != segment_map.hash


BLOCK = """
# My segments.
segments:
  - cells:
      - m: 1-3
        r: 5
      - r: 5
        m: "4-5"
    code: 'B'
    advice: >-
      Thank
      them.
    name: Best
  - {name: "Rest", code: R, advice: Write., cells: [{r: 1-4}]}
name: mine
"""
FLOW = """
{"name": "mine", "segments": [
  {"name": "Best", "code": "B", "advice": "Thank them.", "cells": [{"r": 5, "m": "1-3"}, {"r": 5, "m": "4-5"}]},
  {"name": "Rest", "code": "R", "advice": "Write.", "cells": [{"r": "1-4"}]}]}
"""


def test_the_hash_is_that_of_the_content_whatever_the_yaml_looks_like() -> None:
    block, flow = (SegmentMap.from_content(load_yaml(text)) for text in (BLOCK, FLOW))
    assert block.hash == flow.hash
    for old, new in (("Thank them.", "Call them."), ('"R"', '"S"'), ("mine", "ours"), ('"Rest"', '"Others"')):
        assert SegmentMap.from_content(load_yaml(FLOW.replace(old, new))).hash != flow.hash


def test_the_columns_of_all_125_rows_are_those_of_their_cells(spark: SparkSession) -> None:
    scores = frame(spark, "r_score int, f_score int, m_score int", *CELLS)
    rows = scores.select("*", *SHIPPED.over_frequency.columns()).collect()
    assert len(rows) == 125
    codes = {segment.name: segment.code for segment in SHIPPED.over_frequency.segments}
    for row in rows:
        r, f, m = row["r_score"], row["f_score"], row["m_score"]
        name = OVER_FREQUENCY[r][f - 1]
        assert (row["rfm_score"], row["segment"], row["segment_code"]) == (f"{r}{f}{m}", name, codes[name])
        assert SHIPPED.over_frequency.by_cell[r, f, m].name == name
