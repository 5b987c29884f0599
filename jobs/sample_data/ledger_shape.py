"""The shape of a bank's ledger, as columns over a row number: what `jobs.sample --shape ledger` writes.

Rows are numbered in the order of time. Every value depends on the seed and on row numbers, never on partitions. So the
same arguments give the same rows on one core and on a cluster, and no row has to look another up.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from itertools import groupby

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.sample_data.draws import index_drawn, item, uniform, with_standard_normal
from jobs.sample_data.ledger_facts import (
    ACTIVE_SHARE,
    BUSY_DAYS,
    BUSY_WEIGHT,
    CHANNEL_SHARES,
    COHORTS,
    CURRENCY_SHARES,
    DAYS_UNTIL_RETURNED,
    FEE_OF_PURCHASE,
    FEES,
    FIRST_DAY,
    HIGHEST_AMOUNT,
    LAST_DAY,
    LEAST_DENSITY,
    MEDIAN_AMOUNTS,
    PENDING,
    RATES,
    REFUNDS,
    REVERSALS,
    ROWS_PER_CUSTOMER,
    SIGMA_OF_LOG_AMOUNT,
    TRANSFERS,
)

MOST_ROWS_PER_PERIOD = 1_000_000

BLOCK, PLACE_OF_FEES, PLACE_OF_RETURNS = 8, 6, 7
"""Of eight rows in turn, of the heaviest customer or of others, the last may be a return, and the one before it a fee.

A return takes back one of the first six. So no row has to be looked up to see whether it is a purchase.
"""

CENT = Decimal("0.01")
DAYS = [FIRST_DAY + timedelta(days=number) for number in range((LAST_DAY - FIRST_DAY).days + 1)]


@dataclass(frozen=True)
class Periods:
    """Periods of even frequency, in the order of time: the first days of a month, its middle or its last days.

    Attributes:
        first_rows: the first row of each period and, at the end, the number of rows.
        first_seconds: when each period begins, in seconds since 1970, and when the last one ends.
    """

    first_rows: list[int]
    first_seconds: list[int]

    def __len__(self) -> int:
        return len(self.first_rows) - 1


@dataclass(frozen=True)
class LedgerShape:
    """A ledger of ``rows`` rows, drawn from ``seed``, of which one customer has the share ``heaviest``.

    Each method adds columns to a frame, in steps. A drawn number that several expressions read is a column of its own;
    otherwise Spark would repeat its whole expression in each of them.
    """

    rows: int
    seed: int
    heaviest: float

    @property
    def heaviest_rows(self) -> int:
        """Rows of the heaviest customer."""
        return round(self.rows * self.heaviest)

    @cached_property
    def periods(self) -> Periods:
        """The periods of the history with their rows, none with more than `MOST_ROWS_PER_PERIOD`."""
        weights = [_weight(day) for day in DAYS]
        first_rows, first_seconds, weight_before = [], [], 0
        for _, group in groupby(zip(DAYS, weights, strict=True), key=lambda each: (each[0].month, each[1])):
            days = list(group)
            weight_after = weight_before + sum(weight for _, weight in days)
            row, end_row = (self.rows * weight // sum(weights) for weight in (weight_before, weight_after))
            second, seconds = _epoch(days[0][0]), len(days) * 86_400
            parts = max(1, -(-(end_row - row) // MOST_ROWS_PER_PERIOD))
            first_rows += [row + (end_row - row) * part // parts for part in range(parts)]
            first_seconds += [second + seconds * part // parts for part in range(parts)]
            weight_before = weight_after
        return Periods([*first_rows, self.rows], [*first_seconds, _epoch(LAST_DAY) + 86_400])

    def transactions(self, session: SparkSession, *, partitions: int) -> DataFrame:
        """All transactions. Grain: one per row number, in the order of time.

        Args:
            session: draws them.
            partitions: parts of the frame, at most one for each period. They change no row.
        """
        periods = session.range(0, len(self.periods), 1, numPartitions=partitions).withColumnRenamed("id", "period")
        return (
            periods.transform(self.with_rows)
            .transform(self.with_ordinal)
            .transform(self.with_kind)
            .transform(self.with_subject)
            .transform(self.with_account)
            .transform(self.with_money)
            .transform(self.with_status_and_channel)
            .select(
                _identifier("t", "row", 10).alias("transaction_id"),
                _identifier("a", "account", 8).alias("account_id"),
                F.timestamp_seconds("booked_second").alias("booked_at"),
                "amount",
                "currency",
                "kind",
                "status",
                "channel",
                F.when(F.col("is_return"), _identifier("t", "subject", 10)).alias("original_id"),
                "until",
            )
        )

    def with_rows(self, periods: DataFrame) -> DataFrame:
        """Explode each period into its rows and add ``row``, ``booked_second`` and ``until``, its month's last day."""
        rows, seconds = _numbers(self.periods.first_rows), _numbers(self.periods.first_seconds)
        period = F.col("period").cast("int")
        bounds = {
            "first_row": F.get(rows, period),
            "end_row": F.get(rows, period + 1),
            "first_second": F.get(seconds, period),
            "end_second": F.get(seconds, period + 1),
        }
        last_day = F.last_day(F.timestamp_seconds("first_second").cast("date"))
        passed = (F.col("row") - F.col("first_row") + self._uniform("second", "row")) / (
            F.col("end_row") - F.col("first_row")
        )
        second = F.col("first_second") + F.floor(passed * (F.col("end_second") - F.col("first_second")))
        return (
            periods.select(*[bound.alias(name) for name, bound in bounds.items()])
            .where(F.col("first_row") < F.col("end_row"))
            .withColumns({"until": last_day})
            .withColumns({"row": F.explode(F.sequence(F.col("first_row"), F.col("end_row") - 1))})
            .select("row", "until", second.alias("booked_second"))
        )

    def with_ordinal(self, frame: DataFrame) -> DataFrame:
        """Add ``is_heaviest``, and ``ordinal``: the row's number among the heaviest customer's, or among the others.

        The heaviest customer's rows are spread evenly over all rows. So `_row_of` can compute the inverse.
        """
        row, heaviest = F.col("row"), F.lit(self.heaviest_rows)
        before = {
            "is_heaviest": (row * heaviest) % F.lit(self.rows) >= F.lit(self.rows - self.heaviest_rows),
            "before": _quotient(row * heaviest, F.lit(self.rows)),
        }
        ordinal = F.when(F.col("is_heaviest"), F.col("before")).otherwise(row - F.col("before"))
        return frame.withColumns(before).withColumns({"ordinal": ordinal})

    def with_kind(self, frame: DataFrame) -> DataFrame:
        """Add ``kind`` and ``is_return``. The first rows take nothing back, since nothing is before them."""
        draw, place = F.col("kind_draw"), F.col("place")
        may_return = (place == PLACE_OF_RETURNS) & (F.col("ordinal") >= self._group())
        kind = (
            F.when(may_return & (draw < BLOCK * REFUNDS), F.lit("REFUND"))
            .when(may_return & (draw < BLOCK * (REFUNDS + REVERSALS)), F.lit("REVERSAL"))
            .when((place == PLACE_OF_FEES) & (draw < BLOCK * FEES), F.lit("FEE"))
            .when(draw >= 1 - TRANSFERS, F.lit("TRANSFER"))
            .otherwise(F.lit("CARD"))
        )
        return (
            frame.withColumns({"kind_draw": self._uniform("kind", "row"), "place": F.col("ordinal") % BLOCK})
            .withColumns({"kind": kind})
            .withColumns({"is_return": F.col("kind").isin("REFUND", "REVERSAL")})
        )

    def with_subject(self, frame: DataFrame) -> DataFrame:
        """Add ``subject``: the row that a return takes back, and of all others the row itself.

        Blocks come in groups. A return in block i of a group takes back a row in block i from the end of the group
        before it. So none is taken back twice, and each is earlier.
        """
        groups = _quotient(F.col("ordinal"), self._group()) * self._group()
        block = F.col("ordinal") - PLACE_OF_RETURNS
        picked = F.floor(self._uniform("returned", "row") * PLACE_OF_FEES)
        original = {"original": groups * 2 - BLOCK - block + picked}
        subject = F.when(F.col("is_return"), self._row_of("original")).otherwise(F.col("row"))
        return frame.withColumns(original).withColumns({"subject": subject})

    def with_account(self, frame: DataFrame) -> DataFrame:
        """Add ``account``, a number: 0 is the heaviest customer. A return has the account of its subject."""
        customers = max(1, round((self.rows - self.heaviest_rows) / ROWS_PER_CUSTOMER))
        cohorts = min(COHORTS, customers)
        ranks = round(customers / cohorts)
        drawn = {name: self._uniform(name, "subject") for name in ("cohort", "rank")}
        passed = F.col("subject") / F.lit(self.rows)
        cohort = F.floor((passed * (1 - ACTIVE_SHARE) + F.col("cohort_draw") * ACTIVE_SHARE) * cohorts)
        squared = F.col("rank_draw") * F.col("rank_draw")
        rank = F.floor((F.col("rank_draw") * LEAST_DENSITY + squared * squared * (1 - LEAST_DENSITY)) * ranks)
        account = F.when(F.col("is_heaviest"), F.lit(0)).otherwise(rank * cohorts + cohort + 1)
        return frame.withColumns({f"{name}_draw": draw for name, draw in drawn.items()}).withColumns(
            {"account": account}
        )

    def with_money(self, frame: DataFrame) -> DataFrame:
        """Add ``currency`` and ``amount`` (two decimals): a return has its subject's, negated."""
        currencies, medians = list(MEDIAN_AMOUNTS), list(MEDIAN_AMOUNTS.values())
        drawn = {f"{name}_draw": self._uniform(name, "subject") for name in ("currency", "amount")}
        index = index_drawn("currency_draw", list(CURRENCY_SHARES.values()))
        drawn_amount = F.exp(F.col("amount_quantile") * F.lit(SIGMA_OF_LOG_AMOUNT)) * item(medians, "currency_index")
        of_kind = F.when(F.col("kind") == "FEE", F.lit(FEE_OF_PURCHASE)).otherwise(F.lit(1.0))
        cents = F.ceil(F.least(drawn_amount * of_kind, F.lit(HIGHEST_AMOUNT)) * 100)
        sign = F.when(F.col("is_return"), F.lit(-1)).otherwise(F.lit(1))
        return (
            frame.withColumns(drawn)
            .transform(with_standard_normal, "amount_quantile", share="amount_draw")
            .withColumns({"currency_index": index})
            .withColumns({"currency": item(currencies, "currency_index"), "cents": cents * sign})
            .withColumns({"amount": (F.col("cents").cast("decimal(16,0)") * F.lit(CENT)).cast("decimal(18,2)")})
        )

    def with_status_and_channel(self, frame: DataFrame) -> DataFrame:
        """Add ``status`` and ``channel``: a return has its subject's."""
        drawn = {f"{name}_draw": self._uniform(name, "subject") for name in ("status", "channel")}
        return (
            frame.withColumns(drawn)
            .withColumns({"channel_index": index_drawn("channel_draw", list(CHANNEL_SHARES.values()))})
            .withColumns(
                {
                    "status": F.when(F.col("status_draw") < PENDING, F.lit("PENDING")).otherwise(F.lit("BOOKED")),
                    "channel": item([*CHANNEL_SHARES, "POS"], "channel_index"),
                }
            )
        )

    def _uniform(self, purpose: str, of: str) -> Column:
        return uniform(self.seed, purpose, of)

    def _group(self) -> Column:
        """Rows of a group of blocks, of the heaviest customer or of the others."""
        heaviest, others = (_rows_of_a_group(rows) for rows in (self.heaviest_rows, self.rows - self.heaviest_rows))
        return F.when(F.col("is_heaviest"), F.lit(heaviest)).otherwise(F.lit(others))

    def _row_of(self, ordinal: str) -> Column:
        """The inverse of `with_ordinal`."""
        number, rows, heaviest = F.col(ordinal), F.lit(self.rows), self.heaviest_rows
        of_others = _quotient(number * rows, F.lit(self.rows - heaviest))
        if heaviest == 0:
            return of_others
        of_heaviest = _quotient((number + 1) * rows - 1, F.lit(heaviest))
        return F.when(F.col("is_heaviest"), of_heaviest).otherwise(of_others)


def rates_csv(seed: int) -> str:
    """A rate for each currency but the euro and each day, as CSV: euros for one unit.

    A rate moves by up to 0.4 % of its mean a day, and is drawn back to the mean. SHA-256 and the arithmetic of floats
    are the same everywhere.
    """
    lines = ["currency,date,rate"]
    for currency, mean in RATES.items():
        rate = mean
        for day in DAYS:
            digest = sha256(f"{seed} rate {currency} {day}".encode()).digest()
            step = int.from_bytes(digest[:6]) / 2**48 * 2 - 1
            rate += mean * 0.004 * step + (mean - rate) * 0.005
            lines.append(f"{currency},{day},{rate:.6f}")
    return "\n".join(lines) + "\n"


def _rows_of_a_group(rows: int) -> int:
    return max(1, rows * DAYS_UNTIL_RETURNED // len(DAYS) // BLOCK) * BLOCK


def _weight(day: date) -> int:
    days_left = monthrange(day.year, day.month)[1] - day.day
    return BUSY_WEIGHT if day.day <= BUSY_DAYS or days_left < BUSY_DAYS else 1


def _numbers(numbers: list[int]) -> Column:
    """An array as one literal. An array of literals would cost calls to the JVM for each of hundreds."""
    return F.split(F.lit(",".join(map(str, numbers))), ",").cast("array<bigint>")


def _identifier(letter: str, number: str, digits: int) -> Column:
    return F.concat(F.lit(letter), F.lpad(F.col(number).cast("string"), digits, "0"))


def _quotient(dividend: Column, divisor: Column) -> Column:
    """The quotient of whole numbers, rounded down. Spark's ``/`` would divide doubles, which have only 53 bits."""
    return F.call_function("div", dividend, divisor)


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
