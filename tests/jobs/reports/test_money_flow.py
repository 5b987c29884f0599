"""Money from the files to the segments: stages that add up."""

from decimal import Decimal

from jobs.reports.money_flow import adds_up, money_stages
from jobs.runs.totals import Boundary, BoundaryKind, Total

EXCLUDED, SEGMENT = BoundaryKind.EXCLUDED, BoundaryKind.SEGMENT


def total(rows: int, money: str) -> Total:
    return Total(rows, Decimal(money))


TOTALS = {
    Boundary("payments", BoundaryKind.READ): total(10, "100"),
    Boundary("payments"): total(9, "90"),
    Boundary("quarantine/payments"): total(1, "10"),
    Boundary("transactions"): total(7, "70"),
    Boundary("payments", EXCLUDED, "purchased_after_as_of"): total(2, "20"),
    Boundary("orders", EXCLUDED, "without_payments"): Total(3),
    Boundary("purchases"): total(5, "70"),
    Boundary("rfm"): total(4, "75"),
    Boundary("purchases", EXCLUDED, "returns_of_others"): total(1, "-5"),
    Boundary("rfm", SEGMENT, "RM01"): total(3, "70"),
    Boundary("rfm", SEGMENT, "RM02"): total(1, "5"),
}


def test_each_stage_is_the_one_before_less_what_did_not_go_on() -> None:
    stages = money_stages(TOTALS)
    assert [(stage.name, stage.money, stage.removed_money) for stage in stages] == [
        ("in the files", 100, 0),
        ("accepted", 90, 10),
        ("transactions", 70, 20),
        ("purchases", 70, 0),
        ("customers", 75, -5),
        ("segments", 75, 0),
    ]
    assert list(stages[2].removed) == ["purchased after as of"]
    assert adds_up(stages)


def test_money_that_is_lost_on_the_way_does_not_add_up() -> None:
    assert not adds_up(money_stages({**TOTALS, Boundary("purchases"): total(5, "69.9999")}))


def test_a_run_that_starts_from_features_has_the_stages_that_it_knows() -> None:
    totals = {
        at: TOTALS[at] for at in (Boundary("rfm"), Boundary("rfm", SEGMENT, "RM01"), Boundary("rfm", SEGMENT, "RM02"))
    }
    assert [stage.name for stage in money_stages(totals)] == ["customers", "segments"]
