"""A contender: the workshop's SQL on Spark with default settings, as a notebook runs it.

    python -m benchmarks.notebook plan-twice|cached|staged --as-of DAY --tables FOLDER --results FOLDER

Only three settings differ from the defaults, to make results and memory comparable: all cores, the project's heap, and
UTC.
"""

import os
import sys
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks import workshop_sql as sql
from benchmarks.contenders import contender_arguments
from jobs.spark.java import java_home

HEAP = "4g"


def plan_twice(spark: SparkSession, as_of: date, results: Path) -> None:
    """Use views only. The bounds run the whole plan, and writing rfm runs it again."""
    spark.sql(sql.transactions(as_of)).createOrReplaceTempView("transactions")
    spark.sql(sql.PURCHASES).createOrReplaceTempView("purchases")
    spark.sql(sql.measures(as_of, "spark")).createOrReplaceTempView("measures")
    _write_rfm(spark, results)


def cached(spark: SparkSession, as_of: date, results: Path) -> None:
    """Use views and cache the last one. The bounds fill the cache, and writing rfm reads it."""
    spark.sql(sql.transactions(as_of)).createOrReplaceTempView("transactions")
    spark.sql(sql.PURCHASES).createOrReplaceTempView("purchases")
    spark.sql(sql.measures(as_of, "spark")).cache().createOrReplaceTempView("measures")
    _write_rfm(spark, results)


def staged(spark: SparkSession, as_of: date, results: Path) -> None:
    """Write all three tables, each one from the table before it, as the workshop's CREATE TABLE AS does.

    The bounds read the written purchases, and writing rfm reads them again.
    """
    for table, query in (("transactions", sql.transactions(as_of)), ("purchases", sql.PURCHASES)):
        spark.sql(query).write.parquet(str(results / table))
        spark.read.parquet(str(results / table)).createOrReplaceTempView(table)
    spark.sql(sql.measures(as_of, "spark")).createOrReplaceTempView("measures")
    _write_rfm(spark, results)


VARIANTS = {"plan-twice": plan_twice, "cached": cached, "staged": staged}


def main() -> int:
    """Run one variant in a session of its own."""
    arguments = contender_arguments("benchmarks.notebook", VARIANTS)
    os.environ["JAVA_HOME"] = java_home()
    spark = (
        SparkSession.builder.master("local[*]")
        .config("spark.driver.memory", HEAP)
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    for table in sql.CHECKED_TABLES:
        spark.read.parquet(str(arguments.tables / table)).createOrReplaceTempView(table)
    VARIANTS[arguments.variant](spark, arguments.as_of, arguments.results)
    spark.stop()
    return 0


def _write_rfm(spark: SparkSession, results: Path) -> None:
    bounds = spark.sql(sql.BOUNDS).collect()[0].asDict()
    spark.sql(sql.rfm(bounds)).write.parquet(str(results / "rfm"))


if __name__ == "__main__":
    sys.exit(main())
