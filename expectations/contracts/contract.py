"""What a contract is: a table, its columns, and the rules that its rows must pass."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from pyspark.sql import Column
from pyspark.sql.types import DataType, StringType, StructField, StructType, TimestampType

from expectations.rules import (
    Cells,
    HasAllFields,
    HasNoNul,
    IsText,
    IsWellQuoted,
    MaxBytes,
    NotNull,
    ParsesAs,
    RefersTo,
    RowCountBetween,
    RowRule,
    Rule,
    TableRule,
    Unique,
)
from expectations.rules.cell_forms import ColumnForm
from expectations.rules.column_rules import ColumnRule
from transforms import schemas


@dataclass(frozen=True, eq=False)
class Contract:
    """What is expected of a table.

    Attributes:
        table: the name of the table.
        schema: the columns of the table.
        rules: the rules of the table. No two have the same label.
    """

    table: str
    schema: StructType
    rules: tuple[Rule, ...]

    @cached_property
    def cells(self) -> Cells:
        """The columns as rules read them: typed."""
        return self.typed_cells

    @cached_property
    def typed_cells(self) -> Cells:
        """The columns of the table, typed."""
        return Cells({column.name: column.dataType for column in self.schema.fields}, are_text=False)

    @property
    def money(self) -> str | Column | Mapping[str, Column] | None:
        """What is added up and reconciled from table to table; None if the table has no money."""
        return schemas.MONEY_COLUMNS.get(self.table)

    @property
    def row_rules(self) -> tuple[RowRule, ...]:
        """The rules that each row passes or fails."""
        return tuple(rule for rule in self.rules if isinstance(rule, RowRule))

    @property
    def table_rules(self) -> tuple[TableRule, ...]:
        """The rules that all rows together pass or fail."""
        return tuple(rule for rule in self.rules if isinstance(rule, TableRule))

    @property
    def table_reasons(self) -> Mapping[str, Column]:
        """For the label of each table rule, its reason: an aggregate, null if the table passes."""
        return {rule.label: rule.reason(self.cells) for rule in self.table_rules}

    @property
    def uniques(self) -> tuple[Unique, ...]:
        """The rules of keys. They are evaluated last, over the rows that pass all other rules."""
        return tuple(rule for rule in self.rules if isinstance(rule, Unique))

    @property
    def key_label(self) -> str:
        """The label of the rule that the table's own key is unique."""
        return Unique(schemas.KEYS[self.table]).label

    def rule(self, label: str) -> Rule | None:
        """The rule with a label, or None."""
        return next((rule for rule in self.rules if rule.label == label), None)

    def incompatibility(self, rule: Rule) -> str | None:
        """Why the contract cannot have a rule; None if it can."""
        unknown = [column for column in rule.columns if column not in self.cells.types]
        if unknown:
            return f"no column {unknown[0]} in {self.table} (found: {', '.join(self.cells.types)})"
        if rule.severity in ("quarantine", "blank") and not self.cells.are_text:
            return (
                f"severity is {rule.severity}, expected stop or warn: {self.table} is computed, and has no quarantine"
            )
        return rule.incompatibility(self.cells)


@dataclass(frozen=True, eq=False)
class FileContract(Contract):
    """What is expected of a table that comes from a file. Its rules name the file's columns, which are text.

    Attributes:
        file: the name of the file, without ``.csv``.
        source_names: by column of the table, its name in the file, where the two differ.
        free_text: columns, by their names in the file, whose text may hold line breaks.
        numbered: the column of the key, by its name in the file, that numbers the rows of one thing; None if there is
            none. A file may lack it if the user says so, and its rows are then numbered.
        forms: what the user declared of columns, by their names in the file.
        file_names: by column as the rules name it, its name in the file, where a mapping gives it another.
        decimal_comma: whether numbers have a decimal comma.
    """

    file: str
    source_names: Mapping[str, str] = field(default_factory=dict)
    free_text: tuple[str, ...] = ()
    numbered: str | None = None
    forms: Mapping[str, ColumnForm] = field(default_factory=dict)
    file_names: Mapping[str, str] = field(default_factory=dict)
    decimal_comma: bool = False

    @cached_property
    def cells(self) -> Cells:
        """The columns of the file as rules read them: text."""
        types = {self.source_name(column.name): column.dataType for column in self.schema.fields}
        return Cells(types, are_text=True, decimal_comma=self.decimal_comma)

    @property
    def money(self) -> str | Column | Mapping[str, Column] | None:
        """The money of the typed table; by currency, where rows have different ones."""
        return self.money_in(self.typed_cells)

    def money_in(self, cells: Cells) -> Column | Mapping[str, Column] | None:
        """The money of a row, raw or typed; None if the table has none.

        Args:
            cells: of the row.
        """
        column = schemas.MONEY_COLUMNS.get(self.table)
        if column is None:
            return None
        return cells.value(self.source_name(column) if cells.are_text else column)

    def file_name(self, column: str) -> str:
        """The name in the file of a column as the rules name it."""
        return self.file_names.get(column, column)

    def source_name(self, column: str) -> str:
        """The name in the file of a column of the table."""
        return self.source_names.get(column, column)

    def column_of(self, source_name: str) -> str:
        """The column of the table that has a name in the file."""
        return next(column for column in self.schema.fieldNames() if self.source_name(column) == source_name)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the key, by their names in the file."""
        return tuple(self.source_name(column) for column in schemas.KEYS[self.table])

    @property
    def quarantine(self) -> str:
        """The name of the table of rejected rows."""
        return f"quarantine/{self.table}"

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns by their names in the file, in the order of the schema."""
        return tuple(self.cells.types)

    @property
    def blanked(self) -> str:
        """The name of the table of accepted rows that lost a cell."""
        return f"blanked/{self.table}"

    @property
    def references(self) -> tuple[RefersTo, ...]:
        """The rules about keys of other tables."""
        return tuple(rule for rule in self.rules if isinstance(rule, RefersTo))

    @property
    def quarantine_schema(self) -> StructType:
        """The columns of a rejected row: each column as text, its file, and the reasons."""
        text = [StructField(name, StringType()) for name in self.source_columns]
        return StructType([*text, StructField("source_file", StringType()), StructField("reasons", schemas.REASONS)])

    @property
    def blanked_schema(self) -> StructType:
        """The columns of an accepted row that lost a cell: its key as text, its file, and why."""
        key = [StructField(name, StringType()) for name in self.key]
        return StructType([*key, StructField("source_file", StringType()), StructField("reasons", schemas.REASONS)])

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which a row is rejected, by their names in the file."""
        return tuple(rule.column for rule in self.rules if isinstance(rule, NotNull) and rule.severity != "warn")

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that a file must have, whatever the user declares; by their names in the file."""
        return tuple(column for column in self.required if column != self.numbered)

    def type_incompatibility(self, _column: str, _data_type: DataType) -> str | None:
        """Why a column of typed rows cannot have a type; None if it can."""
        return None

    def may_be_missing(self, column: str) -> bool:
        """Whether the user lets files lack a column."""
        return self.forms.get(column, ColumnForm()).may_be_missing

    def without_columns(self, missing: Collection[str]) -> "FileContract":
        """The contract for files that lack columns: without the rules about them. Rows are numbered where need be."""
        about_missing = [
            rule
            for rule in self.rules
            if not isinstance(rule, Unique) and {*rule.columns} & {*missing} - {self.numbered}
        ]
        return replace(self, rules=tuple(rule for rule in self.rules if rule not in about_missing))

    def form_incompatibility(self, column: str, form: ColumnForm) -> str | None:
        """Why a column cannot be declared to have a form; None if it can."""
        data_type = self.cells.types.get(column)
        if data_type is None:
            return f"no column {column} in {self.table} (found: {', '.join(self.cells.types)})"
        if form.format is not None and not isinstance(data_type, TimestampType):
            return f"format, expected only for a column of times: {column} is {data_type.simpleString()}"
        if form.pad_zeros_to is not None and not isinstance(data_type, StringType):
            return f"pad_zeros_to, expected only for a column of text: {column} is {data_type.simpleString()}"
        if form.may_be_missing and column in self.needed:
            return f"may_be_missing, expected only for a column that RFM does without: {column} is needed"
        return None

    def incompatibility(self, rule: Rule) -> str | None:
        """Why the contract cannot have a rule; None if it can."""
        if rule.severity == "blank":
            is_optional = isinstance(rule, ColumnRule) and rule.column not in (*self.required, *self.key)
            if not is_optional or isinstance(rule, NotNull | RefersTo) or len(rule.columns) != 1:
                return (
                    "severity is blank, expected quarantine, stop or warn: only a rule about one optional cell can be"
                )
        is_structural = isinstance(rule, HasAllFields | RefersTo | Unique) or (
            isinstance(rule, NotNull | ParsesAs) and rule.column in self.required
        )
        if rule.severity == "warn" and is_structural:
            return "severity is warn, expected quarantine or stop: rows that fail it cannot be joined or counted"
        if isinstance(rule, MaxBytes):
            longest = next((n for name, n in schemas.MAX_BYTES.items() if self.source_name(name) == rule.column), None)
            if longest is not None and rule.limit > longest:
                return f"limit is {rule.limit}, expected at most {longest}: the length of the column in the warehouse"
        return super().incompatibility(rule)


FileContractType = TypeVar("FileContractType", bound=FileContract)


def file_contract(contract: FileContractType, *, required: Sequence[str]) -> FileContractType:
    """Complete the contract of a raw table: first the rules of every file, then its own, then its key.

    Args:
        contract: the contract with the table's own rules.
        required: the columns without which a row is rejected, by their names in the file.
    """
    types = contract.cells.types
    every_file: tuple[Rule, ...] = (
        HasAllFields(),
        IsText(),
        IsWellQuoted(severity="warn"),
        HasNoNul(tuple(types)),
        *(NotNull(column) for column in required),
        *(ParsesAs(column, kind) for column, kind in types.items() if not isinstance(kind, StringType)),
        *(
            MaxBytes(contract.source_name(column.name), schemas.MAX_BYTES[column.name], null_passes=True)
            for column in contract.schema
            if column.name in schemas.MAX_BYTES
        ),
    )
    key = [Unique(contract.key)] if contract.key else []
    return replace(contract, rules=(*every_file, *contract.rules, *key, RowCountBetween(low=1)))
