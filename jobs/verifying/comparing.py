"""A table compared with what its sources make of it: first as a whole, and row by row only where that differs.

As a whole means: the number of rows, and the sum of a hash of each row. Of two tables that differ in any row, the sums
agree by an accident of one in 2^64. That costs one pass over each, and no join.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.querying.views import quoted
from jobs.verifying.audited import AuditedRun
from jobs.verifying.checks import MOST_FAULTS, Check, Fault
from jobs.verifying.columns import differs, hashed

Claim = tuple[str, Sequence[str]]
"""What is claimed of some columns, in words, and those columns."""


@dataclass(frozen=True)
class Derivation:
    """How a table is derived.

    Attributes:
        table: the table.
        key: its key.
        sql: a query for the rows that the table must have; ``{now}`` and ``{before}`` are the schemas of the two runs.
        sources: the tables of this run that it reads.
        claims: by the name of a check, what it claims of which columns.
        before: the run that is compared with, and the tables of it that the query reads.
        row_by_row: a query to use instead for the comparison row by row, where rows may have another value within a
            tolerance. Or None for the same.
        needs_ids: whether the query needs ids as they are, such as their order, so that it cannot take their hashes.
    """

    table: str
    key: tuple[str, ...]
    sql: str
    sources: tuple[str, ...]
    claims: Mapping[str, Claim]
    before: tuple[AuditedRun, tuple[str, ...]] | None = None
    row_by_row: str | None = None
    needs_ids: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that are compared, without the key."""
        return [column for _, columns in self.claims.values() for column in columns]


def compare(run: AuditedRun, derivation: Derivation) -> list[Check]:
    """Compare a table with its derivation: one check for its rows, and one for each claim about its columns."""
    if derivation.needs_ids:
        return _compare_rows(run, derivation)
    now = run.with_quick(derivation.table, *derivation.sources)
    before = ""
    if derivation.before is not None:
        earlier, tables = derivation.before
        before = earlier.with_quick(*tables)
    row = ", ".join(hashed(name) for name in (*derivation.key, *derivation.columns))
    derived = _over(derivation.sql, now=now, before=before)
    [(actual_rows, actual_sum, rows, total)] = run.rows(f"""
        select * from (select count(*), sum(hash({row})) from {now}.{derivation.table}),
            (select count(*), sum(hash({row})) from ({derived}))
    """)
    if (actual_rows, actual_sum) != (rows, total):
        return _compare_rows(run, derivation)
    return [
        Check.of(f"{derivation.table}: rows", _compared_keys(derivation), rows=rows, faults=()),
        *(Check.of(name, compared, rows=rows, faults=()) for name, (compared, _) in derivation.claims.items()),
    ]


def _over(sql: str, *, now: str, before: str) -> str:
    """A query over the schemas of the two runs. Names of segments in it may hold braces of their own."""
    return sql.replace("{now}", now).replace("{before}", before)


def _compared_keys(derivation: Derivation) -> str:
    return f"keys, each once, with those that {', '.join(derivation.sources)} give"


def _compare_rows(run: AuditedRun, derivation: Derivation) -> list[Check]:
    """Join the table to its derivation on the key, and keep the rows that differ."""
    sql = derivation.row_by_row or derivation.sql
    derived = _over(sql, now=run.schema, before=derivation.before[0].schema if derivation.before else "")
    on = " and ".join(f"actual.{name} = derived.{name}" for name in derivation.key)
    off = {
        name: "(" + " or ".join(differs(c, actual=f"actual.{c}", derived=f"derived.{c}") for c in columns) + ")"
        for name, (_, columns) in derivation.claims.items()
    }
    is_in_both = "actual.is_there and derived.is_there"
    flags = ", ".join(f"coalesce({is_in_both} and {sql}, false) as off_{at}" for at, sql in enumerate(off.values()))
    off_rows = f"quick_{run.schema}.off_{derivation.table}"
    run.execute(f"""
        create or replace table {off_rows} as
        select coalesce(actual.is_there, false) as is_actual, coalesce(derived.is_there, false) as is_derived,
            {", ".join(f"coalesce(actual.{c}, derived.{c}) as {quoted('key ' + c)}" for c in derivation.key)},
            {", ".join(f"actual.{c} as {quoted('actual ' + c)}" for c in derivation.columns)},
            {", ".join(f"derived.{c} as {quoted('derived ' + c)}" for c in derivation.columns)},
            {flags}
        from (select *, true as is_there from {run.schema}.{derivation.table}) actual
            full join (select *, true as is_there from ({derived})) derived on {on}
        where not coalesce({is_in_both}, false) or {" or ".join(off.values())}
    """)
    [(rows, expected)] = run.rows(f"""
        select * from (select count(*) from {run.schema}.{derivation.table}), (select count(*) from ({derived}))
    """)
    checks = [_check_of_keys(run, derivation, off_rows, rows=rows, expected=expected)]
    for at, (name, (compared, columns)) in enumerate(derivation.claims.items()):
        [(count,)] = run.rows(f"select count(*) from {off_rows} where off_{at}")
        faults = _faults(run, derivation.key, columns, where=f"from {off_rows} where off_{at}") if count else []
        checks.append(Check.of(name, compared, rows=rows, faults=faults, off=count))
    run.execute(f"drop table {off_rows}")
    return checks


def _check_of_keys(run: AuditedRun, derivation: Derivation, off_rows: str, *, rows: int, expected: int) -> Check:
    keys = [quoted(f"key {name}") for name in derivation.key]
    listed = ", ".join(keys)
    alone = run.rows(f"""
        select is_actual, {listed} from {off_rows} where is_actual <> is_derived order by {listed} limit {MOST_FAULTS}
    """)
    [(off,)] = run.rows(f"select count(*) from {off_rows} where is_actual <> is_derived")
    faults = [
        Fault(
            dict(zip(derivation.key, key, strict=True)),
            "row",
            "one" if is_actual else None,
            None if is_actual else "one",
        )
        for is_actual, *key in alone
    ]
    doubled = run.rows(f"""
        select {", ".join(derivation.key)}, count(*) from {run.schema}.{derivation.table} group by all
        having count(*) > 1 order by all
    """)
    faults += [
        Fault(dict(zip(derivation.key, row, strict=False)), "rows", f"{row[-1]:,}", "one")
        for row in doubled[:MOST_FAULTS]
    ]
    off += len(doubled)
    if not off and rows != expected:
        faults, off = [Fault({}, "number of rows", f"{rows:,}", f"{expected:,}")], 1
    return Check.of(f"{derivation.table}: rows", _compared_keys(derivation), rows=rows, faults=faults, off=off)


def _faults(run: AuditedRun, key: Sequence[str], columns: Sequence[str], *, where: str) -> list[Fault]:
    """The first rows that are off, a fault for each column that is."""
    keys = ", ".join(quoted(f"key {name}") for name in key)
    values = ", ".join(
        f"{quoted('actual ' + c)}, {quoted('derived ' + c)}, "
        + differs(c, actual=quoted(f"actual {c}"), derived=quoted(f"derived {c}"))
        for c in columns
    )
    rows = run.rows(f"select {keys}, {values} {where} order by {keys} limit {MOST_FAULTS}")
    faults = []
    for row in rows:
        where_it_is, rest = dict(zip(key, row, strict=False)), row[len(key) :]
        for at, column in enumerate(columns):
            actual, derived, is_off = rest[3 * at : 3 * at + 3]
            if is_off:
                faults.append(Fault(where_it_is, column, actual, derived))
    return faults


@dataclass(frozen=True)
class Projection:
    """Columns of a table that follow from other columns of the same row.

    Attributes:
        table: the table.
        key: its key.
        columns: by name, the expression that the column must equal, and whether it is in double precision.
        claims: by the name of a check, what it claims of which columns.
    """

    table: str
    key: tuple[str, ...]
    columns: Mapping[str, tuple[str, bool]]
    claims: Mapping[str, Claim]

    def is_off(self, name: str) -> str:
        """Whether a column of a row is not what it must be."""
        sql, is_double = self.columns[name]
        if is_double:
            return f"coalesce(abs({name} - ({sql})) > 1e-9 * greatest(1, abs({sql})), true)"
        return f"{name} is distinct from ({sql})"


def compare_within(run: AuditedRun, projection: Projection) -> list[Check]:
    """Compare columns with what other columns of the row make of them: one pass over the table."""
    place = f"{run.schema}.{projection.table}"
    names = list(projection.columns)
    counted = ", ".join(f"count_if({projection.is_off(name)}) as {name}" for name in names)
    # Of a claim about several columns a row counts once.
    claimed = ", ".join(
        f"count_if({' or '.join(projection.is_off(name) for name in columns)}) as claim_{at}"
        for at, (_, columns) in enumerate(projection.claims.values())
    )
    counts = run.row(f"select count(*) as all_rows, {counted} from {place}")
    is_off = any(counts[name] for name in names)
    of_claims = run.row(f"select {claimed} from {place}") if is_off else {}
    checks = []
    for at, (name, (compared, columns)) in enumerate(projection.claims.items()):
        faults = [fault for column in columns if counts[column] for fault in _off_within(run, projection, column)]
        off = of_claims.get(f"claim_{at}", 0)
        checks.append(Check.of(name, compared, rows=counts["all_rows"], faults=faults, off=off))
    return checks


def _off_within(run: AuditedRun, projection: Projection, column: str) -> list[Fault]:
    key, (sql, _) = ", ".join(projection.key), projection.columns[column]
    rows = run.rows(f"""
        select {key}, {column}, {sql} from {run.schema}.{projection.table} where {projection.is_off(column)}
        order by {key} limit {MOST_FAULTS}
    """)
    return [Fault(dict(zip(projection.key, row, strict=False)), column, row[-2], row[-1]) for row in rows]
