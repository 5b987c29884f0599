"""Which cells are numbers, and which sign a file has before its decimals."""

import pytest

from jobs.proposing.number_cells import COMMA, POINT, NumberCell, decimal_of, number_of


@pytest.mark.parametrize(
    ("cell", "decimal", "expected"),
    [
        ("12.50", POINT, NumberCell(1, has_fraction=True, is_plain=True)),
        ("-12,50", COMMA, NumberCell(-1, has_fraction=True, is_plain=True)),
        ("+3", POINT, NumberCell(1, has_fraction=False, is_plain=True)),
        ("-0.00", POINT, NumberCell(0, has_fraction=False, is_plain=True)),
        ("17850.0", POINT, NumberCell(1, has_fraction=False, is_plain=True)),
        (".5", POINT, NumberCell(1, has_fraction=True, is_plain=True)),
        ("1e-05", POINT, NumberCell(1, has_fraction=False, is_plain=True)),
        ("0e5", POINT, NumberCell(0, has_fraction=False, is_plain=True)),
        ("1,234.50", POINT, NumberCell(1, has_fraction=True, is_plain=False)),
        ("-1.234,50", COMMA, NumberCell(-1, has_fraction=True, is_plain=True)),
        ("1.234", COMMA, NumberCell(1, has_fraction=False, is_plain=True)),
        ("1 234,50", COMMA, NumberCell(1, has_fraction=True, is_plain=False)),
        ("1'234.50", POINT, NumberCell(1, has_fraction=True, is_plain=False)),
        ("1\u00a0234,50 €", COMMA, NumberCell(1, has_fraction=True, is_plain=False)),
        ("R$ 5,00", COMMA, NumberCell(1, has_fraction=True, is_plain=False)),
        ("EUR 5", POINT, NumberCell(1, has_fraction=False, is_plain=False)),
        ("(12.50)", POINT, NumberCell(-1, has_fraction=True, is_plain=False)),
        ("12.50-", POINT, NumberCell(-1, has_fraction=True, is_plain=False)),
        ("\u22125", POINT, NumberCell(-1, has_fraction=False, is_plain=False)),
    ],
)
def test_a_number_has_a_sign_in_each_of_its_forms(cell: str, decimal: str, expected: NumberCell) -> None:
    assert number_of(cell, decimal) == expected


@pytest.mark.parametrize("cell", ["", "x", "C536379", "1,2,3", "1.2.3", "17.10.2018", "-", "(5", "5)", "٣", "1" * 65])
def test_what_is_no_number_has_none(cell: str) -> None:
    assert number_of(cell, POINT) is None


@pytest.mark.parametrize(
    ("columns", "decimal"),
    [
        ([["12.50", "3"]], POINT),
        ([["12,50", "3"]], COMMA),
        ([["1.234,50", "3,00"]], COMMA),
        ([["1,234.50"], ["a, b", "1,5 apples"]], POINT),
        ([["1,234"]], POINT),
        ([["1.234"]], POINT),
        ([["12,50"], ["1.2345"], ["3,10"]], COMMA),
        ([[]], POINT),
    ],
)
def test_the_sign_before_decimals_is_that_of_the_cells_with_one_reading(columns: list[list[str]], decimal: str) -> None:
    assert decimal_of(columns) == decimal
