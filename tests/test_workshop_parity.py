"""The workshop's own SQL, run by DuckDB over the same CSV files, gives the same tables.

Its joins, groupings and formulas are those of the workshop's README (steps 12 to 14). Redshift's ``DATEDIFF(week)``
counts Sundays. DuckDB's weeks begin on Mondays, so the SQL shifts each day by one.
"""

from datetime import date
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from jobs import features, ingest
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder

AS_OF = date(2018, 10, 17)
WORKSHOP_DAY = date(2021, 11, 17)
CHECKED = f"{AS_OF}-checked"

LOAD = """
create table customers_1 as select customer_id, customer_unique_id, customer_zip_code_prefix zip_code, customer_city,
    customer_state state from read_csv('{input}/olist_customers_dataset.csv', all_varchar=true);
create table orders_1 as select order_id, customer_id, order_status, order_purchase_timestamp::timestamp
    order_purchase_time from read_csv('{input}/olist_orders_dataset.csv', all_varchar=true);
create table payments_1 as select order_id, payment_sequential::int payment_sequential,
    payment_value::decimal(18,4) payment_value
    from read_csv('{input}/olist_order_payments_dataset.csv', all_varchar=true);
"""
TRANSACTIONS = """
create table transactions_1 as
select orders_1.order_id, payments_1.payment_sequential, customers_1.customer_unique_id, orders_1.order_purchase_time,
    payments_1.payment_value
from orders_1 inner join customers_1 on orders_1.customer_id = customers_1.customer_id
    inner join payments_1 on orders_1.order_id = payments_1.order_id
"""
PURCHASES = """
create table rfm_input_1 as
select t.customer_unique_id, t.order_purchase_time, {value} as value from transactions_1 as t group by 1, 2
"""
MEASURES = """
create table measures as
select customer_unique_id,
    max(order_purchase_time) as last_purchase_time,
    datediff('day', date_trunc('week', max(order_purchase_time)::date + 1), date_trunc('week', {as_of} + 1)) // 7
        as weeks,
    count(rfm_input_1.customer_unique_id) as purchases,
    avg(value::double) as average,
    sum(value) as total
from rfm_input_1 group by customer_unique_id
"""
RFM = """
create table rfm_input_2 as
select customer_unique_id, last_purchase_time, weeks, purchases, total,
    ((weeks - {recency[0]}) / ({recency[1]} - {recency[0]})) * 5.0 as recency,
    ((purchases - {frequency[0]}) / ({frequency[1]} - {frequency[0]})) * 5.0 as frequency,
    ((average - {monetary[0]}) / ({monetary[1]} - {monetary[0]})) * 5.0 as monetary
from measures
"""
FITTED = {name: (f"(select min({c})::double from measures)", f"(select max({c})::double from measures)")
          for name, c in (("recency", "weeks"), ("frequency", "purchases"), ("monetary", "average"))}  # fmt: skip
TYPED_IN = {"recency": ("161.0", "271.0"), "frequency": ("1.0", "17.0"), "monetary": ("0", "13664.08")}


@pytest.fixture(scope="module")
def sample(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, and an output folder with a run that checked them."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(spark, LocalFolder(folder), orders=3_000, seed=1)
    where = ["--input", str(folder), "--output", str(folder / "output")]
    assert ingest.main(["--as-of", str(AS_OF), *where, "--run-id", CHECKED]) == 0
    return folder


def by_workshop(
    sample: Path, *, as_of: date, value: str, bounds: dict[str, tuple[str, str]]
) -> duckdb.DuckDBPyConnection:
    """The workshop's tables, in a new database."""
    workshop = duckdb.connect()
    workshop.execute("set timezone = 'UTC'")
    workshop.execute(LOAD.format(input=sample))
    workshop.execute(TRANSACTIONS)
    workshop.execute(PURCHASES.format(value=value))
    workshop.execute(MEASURES.format(as_of=f"date '{as_of}'"))
    workshop.execute(RFM.format(**bounds))
    return workshop


def by_jobs(sample: Path, *arguments: str) -> Path:
    """The folder of the features of the same files."""
    run_id = f"{arguments[1]}-parity"
    where = ["--output", str(sample / "output"), "--checked-run", CHECKED, "--run-id", run_id]
    assert features.main([*arguments, *where]) == 0
    return sample / "output" / "runs" / run_id


def difference(workshop: duckdb.DuckDBPyConnection, one_query: str, other_query: str) -> tuple[int, int]:
    """The numbers of rows that only the first and only the second query gives."""
    counts = [
        workshop.execute(f"select count(*) from (({one}) except all ({other}))").fetchall()[0][0]
        for one, other in ((one_query, other_query), (other_query, one_query))
    ]
    return counts[0], counts[1]


def assert_same_tables(workshop: duckdb.DuckDBPyConnection, run: Path) -> None:
    columns = "order_id, payment_sequential, customer_unique_id, order_purchase_time::timestamp, payment_value"
    actual = f"select {columns} from '{run}/transactions/*.parquet'"
    assert difference(workshop, actual, f"select {columns} from transactions_1") == (0, 0)

    columns = "customer_unique_id, order_purchase_time::timestamp, value::decimal(18,4)"
    actual = f"select {columns} from '{run}/purchases/*.parquet'"
    assert difference(workshop, actual, f"select {columns} from rfm_input_1") == (0, 0)

    actual = f"""select customer_unique_id, last_purchase_time::timestamp, recency_weeks::bigint, purchase_count,
        total_value from '{run}/rfm/*.parquet'"""
    expected_query = (
        "select customer_unique_id, last_purchase_time, weeks, purchases, total::decimal(18,4) from rfm_input_2"
    )
    assert difference(workshop, actual, expected_query) == (0, 0)

    [[customers, off, spread]] = workshop.execute(
        f"""select count(*), count(*) filter (greatest(abs(o.recency - w.recency), abs(o.frequency - w.frequency),
            abs(o.monetary - w.monetary)) > 1e-9), count(distinct o.monetary)
        from '{run}/rfm/*.parquet' o join rfm_input_2 w using (customer_unique_id)"""
    ).fetchall()
    [[expected]] = workshop.execute("select count(*) from rfm_input_2").fetchall()
    assert (customers, off) == (expected, 0)
    assert spread > 1_000


def test_with_summed_payments_and_fitted_bounds(sample: Path) -> None:
    workshop = by_workshop(sample, as_of=AS_OF, value="sum(t.payment_value)", bounds=FITTED)
    assert_same_tables(workshop, by_jobs(sample, "--as-of", str(AS_OF)))


def test_the_workshops_way_with_its_constants_on_its_date(sample: Path) -> None:
    # any_value may give any payment of the purchase. Ours is the first of the lowest order, and so is this one.
    value = "arg_min(t.payment_value, (t.order_id, t.payment_sequential))"
    workshop = by_workshop(sample, as_of=WORKSHOP_DAY, value=value, bounds=TYPED_IN)
    options = ("--as-of", str(WORKSHOP_DAY), "--purchase-value", "any", "--card", "workshop-2021")
    assert_same_tables(workshop, by_jobs(sample, *options))
    # The sample has the first and the last purchase of Olist, so it has the workshop's 161 and 271 weeks.
    assert workshop.execute("select min(weeks), max(weeks) from measures").fetchall() == [(161, 271)]
