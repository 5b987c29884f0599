"""The members of an audience that a warehouse takes: their file, and how many must arrive, in which arm."""

from dataclasses import dataclass

from jobs.audiences.audience import AUDIENCE_FILE, Audience
from jobs.audiences.member_counts import MemberCounts, count_query
from jobs.storage.table_files import TableFile
from jobs.warehouse.ddl import AUDIENCES_TABLE, identifier, literal, number, qualified_name


@dataclass(frozen=True)
class AudienceToLoad:
    """An exported audience, whose file of members is the one that its record describes.

    Attributes:
        audience_id: the audience's.
        file: the Parquet file of its members.
        expected: what the table must hold of it before the transaction may commit.
    """

    audience_id: str
    file: TableFile
    expected: MemberCounts

    @classmethod
    def of(cls, audience: Audience, file: TableFile) -> "AudienceToLoad":
        """The audience with the file that was compared with its record."""
        return cls(audience.audience_id, file, MemberCounts.of(audience))

    def difference(self, measured: MemberCounts) -> str | None:
        """Both counts in words if they differ, else None."""
        difference = measured.difference(self.expected)
        return difference and f"audience {self.audience_id}: {difference}"

    @property
    def filter(self) -> str:
        """The SQL condition of the audience's rows, in either warehouse."""
        return f"{identifier('audience_id')} = {literal(self.audience_id)}"

    def count_query(self, schema: str) -> str:
        """The SQL that counts the audience's rows in a warehouse. Its columns are those of `MemberCounts`."""
        return count_query(qualified_name(schema, AUDIENCES_TABLE), self.filter)

    def check_query(self, schema: str) -> str:
        """The SQL that fails if the counts are others."""
        conditions = [f"{name} = {number(count)}" for name, count in vars(self.expected).items()]
        return (
            f"select 1 / (case when {' and '.join(conditions)} then 1 else 0 end) as is_whole\n"
            f"-- Divides by zero if a count differs from {AUDIENCE_FILE}, which rolls the transaction back.\n"
            f"from (\n{self.count_query(schema)}\n) as counted"
        )
