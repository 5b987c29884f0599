"""The members of an audience that a warehouse takes: their file, and how many must arrive, in which arm."""

from dataclasses import dataclass

from jobs.audiences.audience import AUDIENCE_FILE, Audience
from jobs.storage.table_files import TableFile
from jobs.warehouse.ddl import AUDIENCES_TABLE, identifier, literal, number, qualified_name
from transforms.audiences.arms import CONTROL, TREATMENT


@dataclass(frozen=True)
class MemberCounts:
    """How many members of an audience a table holds.

    Attributes:
        members: rows of the audience.
        customers: different customers among them. As many as members, since a customer is a member once.
        treatment: members who are treated.
        control: members who are held back.
    """

    members: int
    customers: int
    treatment: int
    control: int

    def __str__(self) -> str:
        customers = "" if self.customers == self.members else f" of {self.customers:,} customers"
        return f"{self.members:,} members{customers} ({self.treatment:,} treatment, {self.control:,} control)"


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
        members = audience.members
        expected = MemberCounts(members.rows, members.rows, members.treatment, members.control)
        return cls(audience.audience_id, file, expected)

    def difference(self, measured: MemberCounts) -> str | None:
        """Both counts in words if they differ, else None."""
        if measured == self.expected:
            return None
        return f"audience {self.audience_id}: found {measured}, expected {self.expected} as in {AUDIENCE_FILE}"

    @property
    def filter(self) -> str:
        """The SQL condition of the audience's rows, in either warehouse."""
        return f"{identifier('audience_id')} = {literal(self.audience_id)}"

    def count_query(self, schema: str) -> str:
        """The SQL that counts the audience's rows in a warehouse. Its columns are those of `MemberCounts`."""
        arms = [
            f"count(case when {identifier('arm')} = {literal(arm)} then 1 end) as {arm}" for arm in (TREATMENT, CONTROL)
        ]
        counts = ["count(*) as members", f"count(distinct {identifier('customer_unique_id')}) as customers", *arms]
        return f"select {', '.join(counts)}\nfrom {qualified_name(schema, AUDIENCES_TABLE)}\nwhere {self.filter}"

    def check_query(self, schema: str) -> str:
        """The SQL that fails if the counts are others."""
        conditions = [f"{name} = {number(count)}" for name, count in vars(self.expected).items()]
        return (
            f"select 1 / (case when {' and '.join(conditions)} then 1 else 0 end) as is_whole\n"
            f"-- Divides by zero if a count differs from {AUDIENCE_FILE}, which rolls the transaction back.\n"
            f"from (\n{self.count_query(schema)}\n) as counted"
        )
