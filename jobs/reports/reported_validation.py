"""What a manifest says of a validation, as far as the report shows it: typed strictly, as every part of a manifest."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from jobs.storage.run_files import Count, ISODate, Money, Name

Ends = Annotated[list[float], Field(min_length=2, max_length=2)]
Rate = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """A part of the entry, never changed. What the report does not show is not read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class ReportedOutcome(_Part):
    """What some customers did after the cut."""

    customers: Count
    repeat_buyers: Count
    repeat_rate: Rate | None
    repeat_rate_interval: Ends | None
    revenue: Money


class SegmentOutcome(ReportedOutcome):
    """What the customers of a segment did."""

    code: Name
    name: Name
    lift: float | None


class ReportedEstimate(_Part):
    """A figure, with its interval."""

    value: float
    interval: Ends | None


class ReportedFifth(_Part):
    """The shares of the best fifth."""

    repeat_buyers: float | None
    revenue: float | None


class ReportedBuyers(_Part):
    """Customers, and what they paid."""

    customers: Count
    revenue: Money


class ReportedValidation(_Part):
    """The entry of a validation. One for which there was nothing to score has no figures, and its verdict says why."""

    days: Count
    cut: ISODate
    verdict: str
    customers: Count
    repeat_buyers: Count = 0
    repeat_rate: Rate | None = None
    repeat_rate_interval: Ends | None = None
    revenue: Money = Decimal("0.0000")
    segments: list[SegmentOutcome] = []
    gini: dict[Name, ReportedEstimate | None] = {}
    gini_beyond_recency: dict[Name, ReportedEstimate | None] = {}
    best_fifth: dict[Name, ReportedFifth] = {}
    new_customers: ReportedBuyers | None = None
    notes: list[str] = []
