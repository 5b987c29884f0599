"""The shape of the Olist data set, as columns over a row number: what `jobs.sample` writes.

Every value depends on the seed and on its order, person or payment, never on the row's position in a partition. So the
same arguments give the same bytes on one core and on a cluster.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import gcd

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.sample_data.draws import index_drawn, item, uniform, with_standard_normal
from jobs.sample_data.olist_facts import (
    CITIES,
    FIRST_ORDER,
    FIRST_PURCHASE,
    FIRST_TYPE_SHARES,
    HIGHEST_PAYMENT,
    LAST_ORDER,
    LAST_PURCHASE,
    MEDIAN_PAYMENT,
    MONTHLY_SHARES,
    MOST_PAYMENT_ROWS,
    ORDER_OF_HIGHEST_PAYMENT,
    ORDER_OF_MOST_ROWS,
    ORDER_WITHOUT_PAYMENT,
    ORDERS_OF_OLIST,
    PAYMENT_ROW_SHARES,
    PEOPLE_BY_ORDER_COUNT,
    SIGMA_OF_LOG_PAYMENT,
    STATUS_SHARES,
)


@dataclass(frozen=True)
class Shape:
    """A data set of ``orders`` orders, drawn from ``seed``. Orders are numbered from 0.

    Each method adds columns to a frame, in steps. A drawn number that several expressions read is a column of its own;
    otherwise Spark would repeat its whole expression in each of them.
    """

    orders: int
    seed: int

    def uniform(self, purpose: str, *of: str) -> Column:
        """A number in (0, 1) that depends only on the seed, the purpose and the columns ``of``."""
        return uniform(self.seed, purpose, *of)

    def identifier(self, kind: str, number: str) -> Column:
        """A 32-hex id, as Olist's are."""
        return F.md5(F.concat(F.lit(f"{self.seed} {kind} "), F.col(number).cast("string")))

    def scattered(self, position: str, *, turn: int) -> Column:
        """The order at a position of a file: a bijection, so no file is sorted and no two have the same sequence."""
        step = int(self.orders * (0.31 + 0.1 * turn)) + 1
        while gcd(step, self.orders) != 1:
            step += 1
        return (F.col(position) * F.lit(step) + F.lit(turn)) % F.lit(self.orders)

    def with_person(self, frame: DataFrame) -> DataFrame:
        """Add ``person``, who placed ``order``, and ``ordinal``, its number among the person's orders, from 0."""
        people = {n: round(of_olist * self.orders / ORDERS_OF_OLIST) for n, of_olist in PEOPLE_BY_ORDER_COUNT.items()}
        first_order = first_person = self.orders - sum(n * count for n, count in people.items())
        order = F.col("order")
        person, ordinal = order, F.lit(0).cast("long")
        for n, count in people.items():
            is_in_tier = order >= F.lit(first_order)
            offset = order - F.lit(first_order)
            person = F.when(is_in_tier, F.floor(offset / n) + F.lit(first_person)).otherwise(person)
            ordinal = F.when(is_in_tier, offset % n).otherwise(ordinal)
            first_order, first_person = first_order + n * count, first_person + count
        return frame.withColumns({"person": person, "ordinal": ordinal})

    def with_place(self, frame: DataFrame) -> DataFrame:
        """Add ``zip_code`` (five digits), ``city`` and ``state`` of ``person``."""
        weights, names, states, first_codes, last_codes = zip(*CITIES, strict=True)
        codes = [last - first + 1 for first, last in zip(first_codes, last_codes, strict=True)]
        drawn = {"city_draw": self.uniform("city", "person"), "zip_draw": self.uniform("zip", "person")}
        index = {"city_index": index_drawn("city_draw", [weight / sum(weights) for weight in weights[:-1]])}
        zip_code = item(first_codes, "city_index") + F.floor(F.col("zip_draw") * item(codes, "city_index"))
        place = {
            "zip_code": F.lpad(zip_code.cast("string"), 5, "0"),
            "city": item(names, "city_index"),
            "state": item(states, "city_index"),
        }
        return frame.withColumns(drawn).withColumns(index).withColumns(place)

    def with_purchase_second(self, frame: DataFrame) -> DataFrame:
        """Add ``purchase_second``, the time of ``order`` in seconds since 1970.

        One repeat order in ten has the same second as the person's first order.
        """
        first, last = int(FIRST_PURCHASE.timestamp()), int(LAST_PURCHASE.timestamp())
        months = [*MONTHLY_SHARES, (2018, 10)]
        starts = [first, *(_epoch(year, month) for year, month in months[1:])]
        ends = [*(_epoch(year + month // 12, month % 12 + 1) for year, month in months[:-1]), last]
        lengths = [end - start for start, end in zip(starts, ends, strict=True)]
        is_same_second = self.uniform("same second", "order") < F.lit(0.1)
        moment = {"moment": F.when(is_same_second, F.lit(0).cast("long")).otherwise(F.col("ordinal"))}
        drawn = {
            "month_draw": self.uniform("month", "person", "moment"),
            "second_draw": self.uniform("second", "person", "moment"),
        }
        index = {"month_index": index_drawn("month_draw", list(MONTHLY_SHARES.values()))}
        second = item(starts, "month_index") + F.floor(F.col("second_draw") * item(lengths, "month_index"))
        order = F.col("order")
        pinned = F.when(order == FIRST_ORDER, F.lit(first)).when(order == LAST_ORDER, F.lit(last)).otherwise(second)
        return frame.withColumns(moment).withColumns(drawn).withColumns(index).withColumns({"purchase_second": pinned})

    def with_status(self, frame: DataFrame) -> DataFrame:
        """Add ``status``, one of Olist's eight."""
        index = index_drawn("status_draw", list(STATUS_SHARES.values()))
        return (
            frame.withColumns({"status_draw": self.uniform("status", "order")})
            .withColumns({"status_index": index})
            .withColumns({"status": item([*STATUS_SHARES, "delivered"], "status_index")})
        )

    def with_delivery(self, frame: DataFrame) -> DataFrame:
        """Add when ``order`` was approved, handed over, delivered and expected, in seconds, by its status."""
        hour, day = 3_600, 86_400
        status, purchased = F.col("status"), F.col("purchase_second")
        approved = purchased + F.floor(self.uniform("approved", "order") * hour * 20)
        handed_over = approved + F.floor(self.uniform("handed over", "order") * day * 5)
        delivered = handed_over + F.floor(self.uniform("delivered", "order") * day * 18)
        expected = F.floor((purchased + F.floor(self.uniform("expected", "order") * day * 28)) / day) * day + 7 * day
        is_approved = ~status.isin("created", "canceled")
        return frame.withColumns(
            {
                "approved_second": F.when(is_approved, approved),
                "handed_over_second": F.when(status.isin("shipped", "delivered"), handed_over),
                "delivered_second": F.when(status == "delivered", delivered),
                "expected_second": expected,
            }
        )

    def with_payment_rows(self, frame: DataFrame) -> DataFrame:
        """Explode each order into its payment rows and add ``sequential``, from 1."""
        index = index_drawn("rows_draw", list(PAYMENT_ROW_SHARES.values()))
        order = F.col("order")
        rows = (
            F.when(order == ORDER_WITHOUT_PAYMENT, F.lit(0))
            .when(order == ORDER_OF_MOST_ROWS, F.lit(MOST_PAYMENT_ROWS))
            .otherwise(item([*PAYMENT_ROW_SHARES, 1], "rows_index"))
        )
        return (
            frame.withColumns({"rows_draw": self.uniform("rows", "order")})
            .withColumns({"rows_index": index})
            .withColumns({"rows": rows})
            .where(F.col("rows") > 0)
            .select("order", F.explode(F.sequence(F.lit(1), F.col("rows"))).alias("sequential"))
        )

    def with_payment(self, frame: DataFrame) -> DataFrame:
        """Add ``payment_type``, ``installments`` and ``payment_value`` (two decimals) of each payment row.

        Card and boleto pay most first rows of an order, vouchers most later rows. Values are log-normal, at most
        Olist's highest; a few vouchers are worth nothing.
        """
        row = ("order", "sequential")
        drawn = {name: self.uniform(name, *row) for name in ("type", "installments", "value", "free")}
        first_type = item([*FIRST_TYPE_SHARES, "credit_card"], "type_index")
        later_type = F.when(F.col("type_draw") < 0.85, F.lit("voucher")).otherwise(F.lit("credit_card"))
        payment_type = F.when(F.col("sequential") == 1, first_type).otherwise(later_type)
        by_card = F.ceil(F.col("installments_draw") * F.col("installments_draw") * 10)
        value = F.exp(F.col("value_quantile") * F.lit(SIGMA_OF_LOG_PAYMENT)) * F.lit(MEDIAN_PAYMENT)
        is_highest = (F.col("order") == ORDER_OF_HIGHEST_PAYMENT) & (F.col("sequential") == 1)
        is_free_voucher = (F.col("payment_type") == "voucher") & (F.col("free_draw") < 0.001)
        is_free = (F.col("payment_type") == "not_defined") | is_free_voucher
        pinned = (
            F.when(is_highest, F.lit(HIGHEST_PAYMENT))
            .when(is_free, F.lit(0.0))
            .otherwise(F.least(value, F.lit(HIGHEST_PAYMENT)))
        )
        return (
            frame.withColumns({f"{name}_draw": draw for name, draw in drawn.items()})
            .transform(with_standard_normal, "value_quantile", share="value_draw")
            .withColumns({"type_index": index_drawn("type_draw", list(FIRST_TYPE_SHARES.values()))})
            .withColumns({"payment_type": payment_type})
            .withColumns(
                {
                    "installments": F.when(F.col("payment_type") == "credit_card", by_card).otherwise(F.lit(1)),
                    "payment_value": pinned.cast("decimal(10,2)"),
                }
            )
        )


def _epoch(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())
