"""Keys and totals of every table, and the equations of the manifest: what came in is what is there, by named cause."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from jobs.querying.views import quoted
from jobs.verifying.audited import AuditedRun
from jobs.verifying.checks import MOST_FAULTS, Check, Fault
from jobs.verifying.columns import KEYS, MONEY, QUICK

KEYS_NAME = "{table}: key"
TOTALS_NAME, EQUATIONS_NAME = "manifest: totals of tables", "manifest: reconciliation"
QUARANTINE = "quarantine/"
PLAIN_NUMBER = r"^[ ]*[+-]?[0-9]{1,14}(\.[0-9]{1,4})?[ ]*$"

Boundary = tuple[str, str, str | None]
"""A table, what is totalled of it, and the part."""


def check_key(run: AuditedRun, table: str) -> list[Check]:
    """Check that the key of a table is never null and never there twice."""
    key, compared = KEYS[table], f"{', '.join(KEYS[table])} is never null and never there twice"
    name = KEYS_NAME.format(table=table)
    place = f"{run.with_quick(table)}.{table}" if table in QUICK else f"{run.schema}.{quoted(table)}"
    together = key[0] if len(key) == 1 else f"hash({', '.join(key)})"
    is_null = " or ".join(f"{column} is null" for column in key)
    rows, distinct, nulls = run.rows(f"select count(*), count(distinct {together}), count_if({is_null}) from {place}")[
        0
    ]
    if distinct == rows and not nulls:
        return [Check.of(name, compared, rows=rows, faults=())]
    listed = ", ".join(key)
    doubled = run.rows(f"""
        select {listed}, count(*) over () as keys, count(*) as rows from {run.schema}.{quoted(table)}
        group by {listed} having count(*) > 1 or {is_null} order by {listed} nulls first limit {MOST_FAULTS}
    """)
    faults = [
        Fault(dict(zip(key, row, strict=False)), "key", _times(row[-1], row[: len(key)]), "a key, once")
        for row in doubled
    ]
    return [Check.of(name, compared, rows=rows, faults=faults, off=doubled[0][-2] if doubled else 0)]


def _times(rows: int, key: Sequence[Any]) -> str:
    return f"null in {rows:,} rows" if None in key else f"{rows:,} rows"


def check_totals(run: AuditedRun) -> list[Check]:
    """Compare the rows and the money of each table with the manifest's totals."""
    compared = "rows and money of each table with the totals in the manifest"
    stated = totals_in(run.content)
    faults: list[Fault] = []
    rows = 0
    not_added = []
    for table in run.manifest.tables:
        expected = stated.get((table, "written", None))
        if expected is None:
            faults.append(Fault({"table": table}, "total in the manifest", None, "rows"))
        elif table not in run.unreadable:
            actual, unclear = _total_of(run, table, expected)
            rows += actual["rows"]
            not_added += [table] if unclear else []
            faults += _differences({"table": table}, actual, expected)
    if isinstance(run.content.get("totals"), list):
        faults += [
            Fault({"table": table}, "table of the total in the manifest", None, "one")
            for table, kind, _ in stated
            if kind == "written" and table not in run.manifest.tables
        ]
    check = Check.of(TOTALS_NAME, compared, rows=rows, faults=faults)
    note = f"money of {', '.join(not_added)} not added: cells that are no plain numbers" if not_added else ""
    return [replace(check, note=note)]


def totals_in(content: Mapping[str, Any]) -> dict[Boundary, Mapping[str, Any]]:
    """The totals that a manifest states: rows, and money as text. Those of release 0.1 are by name."""
    stated = content.get("totals") or []
    if isinstance(stated, Mapping):
        return {(name, "written", None): total for name, total in stated.items()}
    return {(entry["table"], entry["kind"], entry.get("part")): entry for entry in stated}


def _total_of(run: AuditedRun, table: str, expected: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The rows and the money of a table, and whether its money cannot be added up here."""
    place = f"{run.schema}.{quoted(table)}"
    if table in QUICK:
        place = f"{run.with_quick(table)}.{table}"
    columns = run.columns(table)
    if table == "ledger":
        return _total_of_ledger(run, place, columns, expected), False
    column = MONEY.get(table.removeprefix(QUARANTINE))
    if "money" not in expected or column is None or column not in columns:
        [(rows,)] = run.rows(f"select count(*) from {place}")
        return {"rows": rows}, "money" in expected or "money_by_currency" in expected
    if not table.startswith(QUARANTINE):
        [(rows, money)] = run.rows(f"select count(*), sum({column}) from {place}")
        return {"rows": rows, "money": money or Decimal(0)}, False
    text = f"cast({column} as varchar)"
    [(rows, money, others)] = run.rows(f"""
        select count(*), sum(cast(case when regexp_matches({text}, '{PLAIN_NUMBER}') then trim({text}) end
            as decimal(18, 4))), count_if(not regexp_matches(coalesce({text}, ''), '{PLAIN_NUMBER}')) from {place}
    """)
    return ({"rows": rows}, True) if others else ({"rows": rows, "money": money or Decimal(0)}, False)


def amount_of_ledger(columns: Sequence[str]) -> str:
    """The amount of a row of a ledger as it stands there; a product is rounded half up to four decimals."""
    if "payment_value" in columns:
        return "cast(payment_value as decimal(18, 4))"
    # In units of the eighth decimal, so that nothing is rounded before the one time it is meant to be.
    factors = (f"cast(cast({name} as decimal(22, 4)) * 10000 as hugeint)" for name in ("quantity", "unit_price"))
    units = " * ".join(factors)
    rounded = f"sign({units}) * ((abs({units}) + 5000) // 10000)"
    return f"cast(cast({rounded} as decimal(22, 0)) * 0.0001 as decimal(18, 4))"


def _total_of_ledger(
    run: AuditedRun, place: str, columns: Sequence[str], expected: Mapping[str, Any]
) -> dict[str, Any]:
    amount = amount_of_ledger(columns)
    if "money_by_currency" in expected and "currency" in columns:
        by_currency = run.rows(f"select currency, count(*), sum({amount}) from {place} group by 1 order by 1")
        return {
            "rows": sum(rows for _, rows, _ in by_currency),
            "money_by_currency": {name: money for name, _, money in by_currency if money},
        }
    [(rows, money)] = run.rows(f"select count(*), sum({amount}) from {place}")
    return {"rows": rows, "money": money or Decimal(0)}


def _differences(where: Mapping[str, Any], actual: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Fault]:
    """The figures of two totals that differ, as far as both state them."""
    return [
        Fault(where, name, _shown(actual[name]), _shown(expected[name]))
        for name in ("rows", "money", "money_by_currency")
        if name in actual and name in expected and _figure(actual[name]) != _figure(expected[name])
    ]


def _figure(value: Any) -> Any:
    """A figure of a total, so that money as text and money as a number compare."""
    if isinstance(value, Mapping):
        return {name: Decimal(money) for name, money in value.items() if Decimal(money)}
    return Decimal(value)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {money}" for name, money in sorted(value.items())) or "nothing"
    return str(value)


def check_boundaries(name: str, compared: str, run: AuditedRun, derived: Mapping[Boundary, Mapping[str, Any]]) -> Check:
    """Compare totals that were derived with those in the manifest. A total over nothing may be absent there.

    Args:
        name: of the check.
        compared: what with what.
        run: the run.
        derived: rows and money by boundary.
    """
    stated = totals_in(run.content)
    faults = []
    for boundary, total in derived.items():
        table, kind, part = boundary
        where = {"table": table, "total": f"{kind} {part}" if part else kind}
        if boundary in stated:
            faults += _differences(where, total, stated[boundary])
        elif total["rows"]:
            faults.append(Fault(where, "total in the manifest", None, f"{total['rows']:,} rows"))
    return Check.of(name, compared, rows=len(derived), faults=faults)


def check_equations(content: Mapping[str, Any]) -> list[Check]:
    """Add up the reconciliation checks of the manifest again, and compare both sides with its totals."""
    compared = "each whole with the sum of its parts, and both with the totals"
    stated = content.get("reconciliation")
    if stated is None:
        return [Check.skipped(EQUATIONS_NAME, compared, why="the manifest has none, as those of release 0.1")]
    totals = totals_in(content)
    faults: list[Fault] = []
    for equation in stated:
        whole, parts = equation["whole"], equation["parts"]
        where = {"whole": _name_of(whole)}
        for entry in (whole, *parts):
            expected = totals.get((entry["table"], entry["kind"], entry.get("part")))
            if expected is None:
                faults.append(Fault({"total": _name_of(entry)}, "total in the manifest", None, "one"))
            else:
                faults += _differences({"total": _name_of(entry)}, entry, expected)
        faults += [Fault(where, *each) for each in _imbalances(whole, parts, equation["compared"])]
        if equation["passed"] is not True:
            faults.append(Fault(where, "passed", equation["passed"], True))
    return [Check.of(EQUATIONS_NAME, compared, rows=len(stated), faults=faults)]


def _imbalances(
    whole: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], compared: Sequence[str]
) -> Iterator[tuple[str, Any, Any]]:
    """What differs between a whole and the sum of its parts: the figure, the whole, and the sum."""
    if "rows" in compared and whole["rows"] != sum(part["rows"] for part in parts):
        yield "rows", whole["rows"], f"{sum(part['rows'] for part in parts)}, the sum of the parts"
    if "money" in compared:
        left, right = _money_by_currency([whole]), _money_by_currency(parts)
        if left != right:
            yield "money", _shown(left), f"{_shown(right)}, the sum of the parts"


def _money_by_currency(entries: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for entry in entries:
        amounts = entry.get("money_by_currency") or {"": entry.get("money") or "0"}
        for currency, amount in amounts.items():
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return {currency: amount for currency, amount in sums.items() if amount}


def _name_of(entry: Mapping[str, Any]) -> str:
    return " ".join(str(entry[name]) for name in ("table", "kind", "part") if entry.get(name))
