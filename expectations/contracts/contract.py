"""What a contract is: a table, the columns it has, and the rules that it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pyspark.sql import Column
from pyspark.sql.types import StringType, StructField, StructType

from expectations.rules import Cells, HasAllFields, NotNull, ParsesAs, RefersTo, RowRule, Rule, TableRule, Unique
from transforms import schemas


@dataclass(frozen=True, eq=False)
class Contract:
    """What a table is expected to be.

    Attributes:
        table: its name here.
        schema: its columns.
        rules: what it keeps. No two have one label.
    """

    table: str
    schema: StructType
    rules: tuple[Rule, ...]

    @cached_property
    def cells(self) -> Cells:
        """The columns as rules see them."""
        return Cells({column.name: column.dataType for column in self.schema.fields}, are_text=False)

    @property
    def money(self) -> str | None:
        """The column whose sum is followed through the run, if the table has one."""
        return schemas.MONEY_COLUMNS.get(self.table)

    @property
    def row_rules(self) -> tuple[RowRule, ...]:
        """The rules that each row keeps or breaks."""
        return tuple(rule for rule in self.rules if isinstance(rule, RowRule))

    @property
    def table_rules(self) -> tuple[TableRule, ...]:
        """The rules that all rows together keep or break."""
        return tuple(rule for rule in self.rules if isinstance(rule, TableRule))

    @property
    def table_reasons(self) -> Mapping[str, Column]:
        """By the label of each of those, why all rows together break it: an aggregate, null where they do not."""
        return {rule.label: rule.reason(self.cells) for rule in self.table_rules}

    @property
    def uniques(self) -> tuple[Unique, ...]:
        """The rules of keys, which are tried on the rows that all other rules let pass."""
        return tuple(rule for rule in self.rules if isinstance(rule, Unique))

    def rule(self, label: str) -> Rule | None:
        """The rule of that label, if there is one."""
        return next((rule for rule in self.rules if rule.label == label), None)

    def why_not(self, rule: Rule) -> str | None:
        """Why a rule cannot be one of this contract, or None when it can."""
        unknown = [column for column in rule.columns if column not in self.cells.types]
        if unknown:
            return f"no column {unknown[0]} in {self.table} (found: {', '.join(self.cells.types)})"
        if rule.severity == "quarantine" and not self.cells.are_text:
            return (
                f"severity is quarantine, expected stop or warn: {self.table} is computed, and no row of it set aside"
            )
        return rule.why_not(self.cells)


@dataclass(frozen=True, eq=False)
class FileContract(Contract):
    """What a table is expected to be that comes from a file. Its rules speak of the file's columns, which are text.

    Attributes:
        file: the name of the file that it comes from, without ``.csv``.
        source_names: how the file calls a column, where it has another name there.
    """

    file: str
    source_names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def cells(self) -> Cells:
        """The file's columns as rules see them."""
        types = {self.source_name(column.name): column.dataType for column in self.schema.fields}
        return Cells(types, are_text=True)

    def source_name(self, column: str) -> str:
        """How the file calls a column."""
        return self.source_names.get(column, column)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns (by the file's names) that are unique."""
        return tuple(self.source_name(column) for column in schemas.KEYS[self.table])

    @property
    def quarantine(self) -> str:
        """The table of its rows that were set aside."""
        return f"quarantine/{self.table}"

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns by the file's names, in the order of the schema."""
        return tuple(self.cells.types)

    @property
    def references(self) -> tuple[RefersTo, ...]:
        """The rules by which rows refer to other tables."""
        return tuple(rule for rule in self.rules if isinstance(rule, RefersTo))

    @property
    def quarantine_schema(self) -> StructType:
        """A rejected row: its text column by column, the file it stood in, and why."""
        text = [StructField(name, StringType()) for name in self.source_columns]
        return StructType([*text, StructField("source_file", StringType()), StructField("reasons", schemas.REASONS)])

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which a row is of no use, by the file's names."""
        return tuple(rule.column for rule in self.rules if isinstance(rule, NotNull) and rule.severity != "warn")

    def why_not(self, rule: Rule) -> str | None:
        """Why a rule cannot be one of this contract, or None when it can."""
        holds_the_table_together = isinstance(rule, HasAllFields | RefersTo | Unique) or (
            isinstance(rule, NotNull | ParsesAs) and rule.column in self.required
        )
        if rule.severity == "warn" and holds_the_table_together:
            return "severity is warn, expected quarantine or stop: rows that break it cannot be joined or counted"
        return super().why_not(rule)
