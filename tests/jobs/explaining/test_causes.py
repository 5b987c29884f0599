"""What moved a customer between two runs: each cause alone, and all together, worked by hand."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jobs import explain
from tests.jobs.explaining.written_runs import BEFORE, CUTS, NOW, OTHER_MAP, Bought, WrittenRun


@dataclass(frozen=True)
class Case:
    """A customer in two runs, as of 2018-06-30 and 2018-07-31, and what is to be said.

    Attributes:
        before: days and money in the first run.
        now: days and money in the second.
        codes: the segment before the first step, and after each; "-" for none.
        cause: the cause.
        says: a line of the explanation.
        card: what else the cards have: cut points, the map and the window.
    """

    before: tuple[tuple[str, str], ...]
    now: tuple[tuple[str, str], ...]
    codes: str
    cause: str
    says: str
    card: dict[str, Any] = field(default_factory=dict)

    def write(self, output: Path) -> None:
        codes = [None if code == "-" else code for code in self.codes]
        window = {name: value for name, value in self.card.items() if name == "months"}
        first = WrittenRun(BEFORE, bought(self.before), **window)
        names = {code: f"segment {code}" for code in codes if code}
        row = (
            "ann",
            "2018-06-30",
            codes[0],
            names.get(codes[0]),
            codes[5],
            names.get(codes[5]),
            self.cause,
            *codes[1:5],
        )
        first.write(output)
        WrittenRun(NOW, bought(self.now), **self.card).because(row).write(output)


def bought(days: tuple[tuple[str, str], ...]) -> list[Bought]:
    """Ann's purchases, beside those of somebody who never moves."""
    return [("ann", day, money) for day, money in days] + [("zoe", "2018-06-29", "10.00")]


CASES = {
    # 46 days ago, then 77: R 4, then 3. 160.00 scores 4.
    "time passed": Case(
        before=(("2018-05-15", "160.00"),),
        now=(("2018-05-15", "160.00"),),
        codes="AAACCC",
        cause="time_passed",
        says="Time passed: the last purchase is 77 days ago now, 46 days as of 2018-06-30; 31 to 60 days score 4, so R "
        "went from 4 to 3 and the segment from Recent big to Lapsed big.",
    ),
    # 121 days ago: R 1. The new purchase makes that 0 days, two purchases, and 80.00.
    "new purchases": Case(
        before=(("2018-03-01", "40.00"),),
        now=(("2018-03-01", "40.00"), ("2018-07-30 09:00", "40.00")),
        codes="DDBBBB",
        cause="new_purchases",
        says="New purchases: 1 purchase (40.00 on 2018-07-30) since 2018-06-30; up to 30 days scores 5, so R went from "
        "1 to 5; 2 purchases score 2, so F went from 1 to 2; above 50.00, up to 100.00 spent scores 2, so M went from "
        "1 to 2 and the segment from Lapsed small to Recent small.",
    ),
    "past data, another value": Case(
        before=(("2018-06-20", "160.00"),),
        now=(("2018-06-20", "120.00"),),
        codes="ABBBBB",
        cause="past_data",
        says="Past data: up to 2018-06-30, the value of 2018-06-20 is 120.00 now, and was 160.00; above 150.00, up to "
        "200.00 spent scores 4, so M went from 4 to 3 and the segment from Recent big to Recent small.",
    ),
    # The purchase of 2018-06-30 23:59 came in late. It is the last one: 0 days ago, in place of 121.
    "past data, late and gone": Case(
        before=(("2018-03-01", "40.00"), ("2018-02-27", "10.00")),
        now=(("2018-03-01", "40.00"), ("2018-06-30 23:59:59", "5.5")),
        codes="DBBBBB",
        cause="past_data",
        says="Past data: up to 2018-06-30, added 1 purchase (5.50 on 2018-06-30); removed 1 purchase (10.00 on "
        "2018-02-27); up to 30 days scores 5, so R went from 1 to 5 and the segment from "
        "Lapsed small to Recent small.",
    ),
    # 5 days ago, then 36. 160.00 scores 4 up to now, and 3 where the third cut point is 170.
    "cut points": Case(
        before=(("2018-06-25", "160.00"),),
        now=(("2018-06-25", "160.00"),),
        codes="AAAABB",
        cause="cut_points",
        says="Cut points: changed; 160.00 spent scored 4 (above 150.00, up to 200.00) and now 3 (above 100.00, up to "
        "170.00), so M went from 4 to 3 and the segment from Recent big to Recent small.",
        card={"cuts": {**CUTS, "m": (50, 100, 170, 200)}},
    ),
    "segment map": Case(
        before=(("2018-06-25", "160.00"),),
        now=(("2018-06-25", "160.00"),),
        codes="AAAAAE",
        cause="segment_map",
        says="Segment map: this run has another one, five in place of four; the scores 414 are Waning big in it, and "
        "were Recent big.",
        card={"segment_map": OTHER_MAP},
    ),
    # 100.00 (41 days) is 160.00 now; a return makes that 140.00; 72 days; 140.00 scores 4 above 130; and the map.
    "all of them": Case(
        before=(("2018-05-20", "100.00"),),
        now=(("2018-05-20", "160.00"), ("2018-07-05", "-20.00")),
        codes="BABDCE",
        cause="segment_map",
        says="New purchases: 1 return (a return of 20.00 on 2018-07-05) since 2018-06-30; above 150.00, up to 200.00 "
        "spent scores 4, so M went from 4 to 3 and the segment from Recent big to Recent small.",
        card={"cuts": {**CUTS, "m": (50, 100, 130, 200)}, "segment_map": OTHER_MAP},
    ),
    # Two months up to 2018-07-31 begin on 2018-06-01, those up to 2018-06-30 on 2018-05-01.
    "a purchase left the window": Case(
        before=(("2018-05-10", "160.00"), ("2018-06-15", "10.00")),
        now=(("2018-06-15", "10.00"),),
        codes="AAABBB",
        cause="time_passed",
        says="Time passed: 1 purchase (160.00 on 2018-05-10) left the window, which begins on 2018-06-01; the last "
        "purchase is 46 days ago now, 15 days as of 2018-06-30; up to 30 days scores 5, so R went from 5 to 4; 2 "
        "purchases score 2, so F went from 2 to 1; above 150.00, up to 200.00 spent scores 4, so M went from 4 to 1 "
        "and the segment from Recent big to Recent small.",
        card={"months": 2},
    ),
    "new": Case(
        before=(),
        now=(("2018-07-10", "160.00"), ("2018-07-11", "-5.00")),
        codes="--AAAA",
        cause="new_customer",
        says="The first purchase in this run's data is after 2018-06-30: 1 purchase (160.00 on 2018-07-10).",
    ),
    "new, and late": Case(
        before=(),
        now=(("2018-06-01", "160.00"),),
        codes="-AAAAA",
        cause="new_customer",
        says="Up to 2018-06-30, this run has 1 purchase (160.00 on 2018-06-01), and the run before has none. Such rows "
        "came in late, or another setting counts them now.",
    ),
    "vanished from the window": Case(
        before=(("2018-05-10", "160.00"),),
        now=(),
        codes="AAA---",
        cause="vanished_customer",
        says="1 purchase (160.00 on 2018-05-10) left the window, which begins on 2018-06-01 now.",
        card={"months": 2},
    ),
    "vanished from the files": Case(
        before=(("2018-05-10", "160.00"),),
        now=(),
        codes="A-----",
        cause="vanished_customer",
        says="No longer among this run's purchases: 1 purchase (160.00 on 2018-05-10). Such rows are not in the files "
        "any more, are quarantined, or are excluded by another setting.",
    ),
    "vanished but for a return": Case(
        before=(("2018-05-10", "160.00"), ("2018-05-12", "-1.00")),
        now=(("2018-05-12", "-1.00"),),
        codes="A-----",
        cause="vanished_customer",
        says="This run has 1 return (a return of 1.00 on 2018-05-12): nobody is a customer for returns alone.",
    ),
    # Every purchase of before is gone, and others took their place.
    "nothing left, then new": Case(
        before=(("2018-06-20", "160.00"),),
        now=(("2018-07-30", "30.00"),),
        codes="A-BBBB",
        cause="new_purchases",
        says="New purchases: 1 purchase (30.00 on 2018-07-30) since 2018-06-30; with that the scores are 511, and the "
        "segment is Recent small.",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_story_is_that_of_segment_changes(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case.write(tmp_path)
    assert explain.main(["ann", "--output", str(tmp_path)]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert case.says in lines
    assert lines[-1] == "The run's table segment_changes says the same."
    assert explain.main(["ann", "--output", str(tmp_path), "--json"]) == 0
    movement = json.loads(capsys.readouterr().out)["movement"]
    codes = [movement["from_segment_code"], *(step["segment_code"] for step in movement["steps"])]
    assert "".join(code or "-" for code in codes) == case.codes
    assert (movement["cause"], movement["equals_segment_changes"]) == (case.cause, True)
