"""How many members of an audience there are, in which arm: as its record says, and as a table or a file has them."""

from dataclasses import dataclass

from jobs.audiences.audience import AUDIENCE_FILE, MEMBERS_FILE, Audience
from transforms.audiences.arms import ARMS

RESTORE_RECORD = (
    f"{MEMBERS_FILE} has the checksum in {AUDIENCE_FILE}, so the latter was changed: restore {AUDIENCE_FILE}, or "
    "export again to another folder"
)
"""What to do where the members are not as many as the record says, and their file is the one that was exported."""


@dataclass(frozen=True)
class MemberCounts:
    """How many members of an audience there are.

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

    @classmethod
    def of(cls, audience: Audience) -> "MemberCounts":
        """Those that the record of an audience states."""
        members = audience.members
        return cls(members.rows, members.rows, members.treatment, members.control)

    def __str__(self) -> str:
        customers = "" if self.customers == self.members else f" of {self.customers:,} customers"
        return f"{self.members:,} members{customers} ({self.treatment:,} treatment, {self.control:,} control)"

    def difference(self, expected: "MemberCounts") -> str | None:
        """Both counts in words if they differ, else None."""
        return None if self == expected else f"found {self}, expected {expected} as in {AUDIENCE_FILE}"


def count_query(table: str, condition: str) -> str:
    """The SQL that counts members, for DuckDB and Redshift. Its columns are those of `MemberCounts`.

    Args:
        table: the name of their table, as SQL has it.
        condition: the SQL condition of their rows.
    """
    arms = [f"count(case when \"arm\" = '{arm}' then 1 end) as {arm}" for arm in ARMS]
    counts = ["count(*) as members", 'count(distinct "customer_unique_id") as customers', *arms]
    return f"select {', '.join(counts)}\nfrom {table}\nwhere {condition}"
