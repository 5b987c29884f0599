"""The contracts of the three files as one SQL script for DuckDB, with the meaning of `expectations.validation`.

Each row is validated by all rules, accepted with typed values or rejected with its reasons. References are joins, and
keys a window. The script is text, so that the peer that runs it need not load Spark.

Three things differ from a run. DuckDB splits a file into records, so rows that it cannot read have no cells, and no
rule warns of their quotes. Other forms of a value, such as a time with a T, are rejected. Great Expectations is not
asked.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pyspark.sql.types import DataType, DecimalType, IntegerType, StringType, TimestampType

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import FILE_CONTRACTS
from expectations.rules import (
    Between,
    HasAllFields,
    HasNoNul,
    InSet,
    Matches,
    MaxBytes,
    NotAfter,
    NotNull,
    ParsesAs,
    RefersTo,
    RowRule,
    Unique,
)
from expectations.rules.cells import DIGITS, INTEGER_TEXT, TIMESTAMP_TEXT, ZEROS
from expectations.rules.column_rules import NullableRule
from expectations.rules.row_rules import ReadRule
from jobs.inputs.input_files import RawInput, find_inputs

REASONS = 'struct(rule varchar, "column" varchar, "value" varchar, message varchar)[]'


def script(files: Path, results: Path) -> str:
    """The script that reads the CSV files of a folder and writes tables and quarantine, one folder of Parquet each.

    Args:
        files: The folder of the files.
        results: The folder for the tables, which must exist.

    Raises:
        PipelineError: A file is missing, or is no CSV.
    """
    return "\n\n".join(
        f"{statement.strip()};"
        for source in find_inputs(str(files), FILE_CONTRACTS)
        for statement in _statements(source, results)
    )


def _statements(source: RawInput, results: Path) -> Iterator[str]:
    contract = source.contract
    yield f"create temp table validated_{contract.table} as {_validated(source)}"
    written = f"{results / contract.table}/part-0.parquet"
    yield f"copy ({_accepted(contract)}) to {_text(written)} (format parquet)"
    rejected = f"{results / contract.quarantine}/part-0.parquet"
    yield f"copy ({_rejected(contract)}) to {_text(rejected)} (format parquet)"
    yield f"drop table validated_{contract.table}"
    yield f"create view {contract.table} as from read_parquet({_text(written)})"
    yield f"create view rejected_{contract.table} as from read_parquet({_text(rejected)})"


def _validated(source: RawInput) -> str:
    """Query for one row per record: the cells as text, the file, the reasons that reject it, and the warnings."""
    contract = source.contract
    cells = ", ".join(contract.source_columns)
    values = [
        f"{_parsed(name, kind)} as {_value(name, kind)}"
        for name, kind in contract.cells.types.items()
        if not isinstance(kind, StringType)
    ]
    rules = [rule for rule in contract.row_rules if not isinstance(rule, ReadRule | Unique)]
    rejecting = [rule for rule in rules if rule.severity != "warn"]
    warning = [rule for rule in rules if rule.severity == "warn"]
    return f"""
        with texts as ({_texts(source)}),
        marked as ({_marked(contract)}),
        parsed as (select *, {", ".join(values) or "1"} from marked),
        validated as (
            select *, {_reasons(rejecting, contract)} as reasons, {_reasons(warning, contract)} as warnings from parsed
        )
        select {cells}, source_file, {_with_key_reasons(contract)} as reasons, warnings
        from validated
        window same_key as (partition by {", ".join(_typed_key(contract))}, len(reasons) = 0)
    """


def _texts(source: RawInput) -> str:
    """Query for the records that DuckDB can split into cells. It stores the others in a table of its own."""
    contract = source.contract
    paths = ", ".join(_text(unquote(urlsplit(uri).path)) for uri in source.uris)
    columns = ", ".join(f"{_text(name)}: 'varchar'" for name in source.header)
    options = [
        *("auto_detect = false", "header = true", f"columns = {{{columns}}}", "delim = ','", "quote = '\"'"),
        *("escape = '\"'", "nullstr = ''", "filename = 'source_file'", "store_rejects = true", "rejects_limit = 0"),
        *(f"rejects_table = 'unread_{contract.table}'", f"rejects_scan = 'files_{contract.table}'"),
    ]
    cells = ", ".join(contract.source_columns)
    is_blank = f"coalesce({cells}) is null"
    return f"select {cells}, source_file from read_csv([{paths}], {', '.join(options)}) where not ({is_blank})"


def _marked(contract: FileContract) -> str:
    """Query for the records, each with whether an accepted or a rejected row has the key that it refers to."""
    marks, joins = [], []
    for number, rule in enumerate(contract.references):
        marks.append(f"a{number}.key is not null as {rule.accepted_mark}")
        marks.append(f"q{number}.key is not null as {rule.quarantined_mark}")
        for alias, query in (
            (f"a{number}", f"select {rule.key} as key from {rule.table}"),
            (f"q{number}", f"select distinct {rule.key} as key from rejected_{rule.table}"),
        ):
            joins.append(f"left join ({query}) {alias} on texts.{rule.column} = {alias}.key")
    return f"select {', '.join(['texts.*', *marks])} from texts {' '.join(joins)}"


def _with_key_reasons(contract: FileContract) -> str:
    """The reasons of a row with those of its key; rows that another rule rejects do not compete for it."""
    unique = contract.uniques[0]
    key = f"concat_ws(', ', {', '.join(unique.key)})"
    content = f"hash({', '.join(contract.source_columns)})"
    conflict = _reason(unique, key, f"expected {unique.expectation}, found several that differ; none was taken")
    copy = _reason(unique, key, "an exact copy of a row that was taken")
    return f"""
        case
            when len(reasons) > 0 or count(*) over same_key = 1 then reasons
            when min({content}) over same_key <> max({content}) over same_key then [{conflict}]
            when row_number() over same_key > 1 then [{copy}]
            else reasons
        end
    """


def _accepted(contract: FileContract) -> str:
    columns = []
    for column in contract.schema.fields:
        name = contract.source_name(column.name)
        is_text = isinstance(column.dataType, StringType)
        columns.append(f"{name if is_text else f'cast({name} as {_sql_type(column.dataType)})'} as {column.name}")
    return f"select {', '.join(columns)} from validated_{contract.table} where len(reasons) = 0"


def _rejected(contract: FileContract) -> str:
    """Query for the rejected rows: those that a rule rejects, and the lines that are no record."""
    cells = ", ".join(contract.source_columns)
    nothing = ", ".join(f"null as {name}" for name in contract.source_columns)
    unread = _reason(HasAllFields(), "csv_line", f"expected {HasAllFields().expectation}")
    return f"""
        select {cells}, source_file, reasons || warnings as reasons
        from validated_{contract.table} where len(reasons) > 0
        union all by name
        select {nothing}, file_path as source_file, [{unread}]::{REASONS} as reasons
        from (select distinct on (scan_id, file_id, line) * from unread_{contract.table})
        join files_{contract.table} using (scan_id, file_id)
    """


def _reasons(rules: Sequence[RowRule], contract: FileContract) -> str:
    """The reasons of the rules that a row fails. As in a run, they are collected only if it fails any."""
    if not rules:
        return f"[]::{REASONS}"
    passes = [f"coalesce({_passes(rule, contract)}, false)" for rule in rules]
    reasons = [
        f"case when not {each} then {_failure(rule, contract)} end" for rule, each in zip(rules, passes, strict=True)
    ]
    failures = f"list_filter([{', '.join(reasons)}], lambda reason: reason is not null)"
    return f"case when {' and '.join(passes)} then []::{REASONS} else {failures} end"


def _failure(rule: RowRule, contract: FileContract) -> str:
    expected = f"expected {rule.expectation}"
    match rule:
        case RefersTo():
            orphaned = _reason(rule, rule.column, expected)
            cascaded = _reason(rule, rule.column, f"{expected}; that row was quarantined", kind=rule.CASCADES)
            return f"case when {rule.quarantined_mark} then {cascaded} else {orphaned} end"
        case HasNoNul():
            return _reason(rule, f"replace(concat_ws(',', {', '.join(rule.over)}), chr(0), '\u2400')", expected)
        case NotAfter():
            return _reason(rule, f"concat_ws(', ', {', '.join(rule.columns)})", expected)
        case MaxBytes():
            start = f"concat(substr({rule.column}, 1, 40), '... (', strlen({rule.column}), ' bytes)')"
            return _reason(rule, start, expected)
    if rule.columns[0] not in contract.source_columns:
        raise TypeError(f"no SQL for the reason of {rule.label}")
    return _reason(rule, rule.columns[0], expected)


def _reason(rule: RowRule, value: str, message: str, *, kind: str | None = None) -> str:
    subject = "null" if rule.subject is None else _text(rule.subject)
    return f"{{'rule': {_text(kind or rule.kind)}, 'column': {subject}, 'value': {value}, 'message': {_text(message)}}}"


def _passes(rule: RowRule, contract: FileContract) -> str:
    """Whether a row passes a rule, in SQL; null is no pass."""
    types = contract.cells.types
    match rule:
        case HasNoNul():
            passes = " and ".join(f"not coalesce(contains({column}, chr(0)), false)" for column in rule.over)
        case NotNull():
            passes = f"{rule.column} is not null"
        case ParsesAs():
            passes = f"({rule.column} is null or {_value(rule.column, rule.type)} is not null)"
        case RefersTo():
            passes = f"({rule.column} is null or {rule.accepted_mark})"
        case MaxBytes():
            passes = _or_null(rule, f"strlen({rule.column}) <= {rule.limit}")
        case Matches():
            passes = _or_null(rule, f"regexp_matches({rule.column}, {_text(rule.regex)})")
        case InSet():
            passes = _or_null(rule, f"{rule.column} in ({', '.join(map(_text, rule.values))})")
        case Between():
            value = _value(rule.column, types[rule.column])
            passes = _or_null(rule, f"({value} is null or ({_within(value, rule)}))")
        case NotAfter():
            value, other = (_value(column, types[column]) for column in rule.columns)
            passes = _or_null(rule, f"({value} is null or {other} is null or {value} <= {other})")
        case _:
            raise TypeError(f"no SQL for the rule {rule.label}")
    return passes


def _or_null(rule: NullableRule, passes: str) -> str:
    return f"({rule.column} is null or {passes})" if rule.null_passes else f"({rule.column} is not null and {passes})"


def _within(value: str, rule: Between) -> str:
    bounds = []
    if rule.low is not None:
        bounds.append(f"{value} >= {_bound(rule.low)}")
    if isinstance(rule.high, date):
        # The last day ends before the next one.
        bounds.append(f"{value} < {_bound(rule.high + timedelta(days=1))}")
    elif rule.high is not None:
        bounds.append(f"{value} <= {_bound(rule.high)}")
    return " and ".join(bounds)


def _bound(bound: Any) -> str:
    return f"timestamp '{bound} 00:00:00'" if isinstance(bound, date) else str(bound)


def _parsed(name: str, kind: DataType) -> str:
    """The value that a text stands for, or null; the forms of `cells.parsed`."""
    match kind:
        case IntegerType():
            form = f"regexp_matches({name}, {_text(INTEGER_TEXT)})"
        case TimestampType():
            # DuckDB reads hour 24 as the next day.
            form = f"regexp_matches({name}, {_text(TIMESTAMP_TEXT)}) and substr({name}, 12, 2) <> '24'"
        case DecimalType():
            number = rf"^[+-]?{DIGITS}(\.\d{{0,{kind.scale}}}{ZEROS})?\z"
            form = f"regexp_matches({name}, {_text(number)})"
        case _:
            raise TypeError(f"no SQL for texts of {kind.simpleString()}")
    return f"case when {form} then try_cast({name} as {_sql_type(kind)}) end"


def _value(name: str, kind: DataType) -> str:
    return name if isinstance(kind, StringType) else f"{name}_value"


def _typed_key(contract: FileContract) -> list[str]:
    return [_value(name, contract.cells.types[name]) for name in contract.uniques[0].key]


def _sql_type(kind: DataType) -> str:
    return {"int": "integer"}.get(kind.simpleString(), kind.simpleString())


def _text(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
