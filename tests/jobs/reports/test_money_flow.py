"""Money from the files to the segments: stages that add up."""

from collections.abc import Mapping
from decimal import Decimal

from jobs.reports.figures import Figure, money
from jobs.reports.money_flow import adds_up, ledger_table, money_stages
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


COUNTED, CONVERTED = BoundaryKind.COUNTED, BoundaryKind.CONVERTED


def amounts(rows: int, **currencies: int) -> Total:
    return Total(rows, None, {name: Decimal(amount) for name, amount in currencies.items()})


OF_LEDGER = {
    Boundary("ledger", BoundaryKind.READ): amounts(10, EUR=-100, USD=-50, GBP=-1),
    Boundary("ledger"): amounts(9, EUR=-100, USD=-50),
    Boundary("quarantine/ledger"): amounts(1, GBP=-1),
    Boundary("ledger", COUNTED, "purchase"): amounts(5, EUR=-90, USD=-60),
    Boundary("ledger", COUNTED, "return"): amounts(1, USD=10),
    Boundary("ledger", EXCLUDED, "status not kept"): amounts(2, EUR=-10),
    Boundary("ledger", EXCLUDED, "purchased_after_as_of"): amounts(1),
    Boundary("transactions"): total(6, "115"),
    Boundary("ledger", CONVERTED, "purchase"): total(5, "120"),
    Boundary("ledger", CONVERTED, "return"): total(1, "-5"),
    Boundary("purchases"): total(6, "115"),
    Boundary("rfm"): total(4, "115"),
}


def rows_of(totals: Mapping[Boundary, Total]) -> list[list[object]]:
    table = ledger_table(totals)
    assert table is not None
    return [list(row) for row in table.rows]


def test_the_rows_of_a_ledger_are_shown_currency_by_currency_as_they_stand() -> None:
    table = ledger_table(OF_LEDGER)
    assert table is not None
    assert list(table.header) == ["rows of the ledger", "rows", "EUR", "GBP", "USD"]

    def line(name: str, rows: int, *of_currencies: int) -> list[object]:
        return [name, Figure(rows), *[money(Decimal(amount)) for amount in of_currencies]]

    assert rows_of(OF_LEDGER) == [
        line("in the files", 10, -100, -1, -50),
        line("\u2212 quarantined", 1, 0, -1, 0),
        line("accepted", 9, -100, 0, -50),
        line("\u2212 status not kept", 2, -10, 0, 0),
        line("\u2212 purchased after as of", 1, 0, 0, 0),
        line("counts as purchase", 5, -90, 0, -60),
        line("counts as return", 1, 0, 0, 10),
    ]


def test_the_rows_of_a_ledger_of_one_currency_have_one_column_of_money() -> None:
    totals = {
        Boundary("ledger", BoundaryKind.READ): total(3, "10.50"),
        Boundary("ledger"): total(2, "10"),
        Boundary("quarantine/ledger"): total(1, "0.50"),
        Boundary("ledger", COUNTED, "purchase"): total(2, "10"),
    }
    table = ledger_table(totals)
    assert table is not None
    assert list(table.header) == ["rows of the ledger", "rows", "money"]
    assert rows_of(totals)[0] == ["in the files", Figure(3), money(Decimal("10.50"))]
    assert rows_of(totals)[3] == ["counts as purchase", Figure(2), money(Decimal(10))]


def test_olists_files_are_no_ledger() -> None:
    assert ledger_table(TOTALS) is None


def test_the_money_of_a_ledger_flows_from_its_transactions_on_in_one_currency() -> None:
    stages = money_stages(OF_LEDGER)
    assert [(stage.name, stage.money, stage.removed_money) for stage in stages] == [
        ("transactions", 115, 0),
        ("purchases", 115, 0),
        ("customers", 115, 0),
    ]
    assert adds_up(stages)
