"""What Comet leaves to Spark in the plans of the feature step, by its own word. A process of its own runs this.

``python -m tests.comet_plans FOLDER RESULT``: the folder of checked tables, and the file for the result. It has the
operators of the plan of each table that the step writes, and Comet's reasons for those that stay with Spark.
"""

import json
import re
import sys
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from expectations.contracts.computed import PURCHASES, RFM, TRANSACTIONS
from expectations.contracts.contract import Contract
from expectations.validation.computed import failure_counts
from jobs.runs.metrics import with_metrics
from jobs.spark import session as session_settings
from jobs.spark.engines import find_engine
from tests.chain import TABLES, chain
from transforms import schemas

# Each plan as a whole, without the stages of adaptive execution; and joins by key, as large tables have them.
PLANNED = {"spark.sql.adaptive.enabled": "false", "spark.sql.autoBroadcastJoinThreshold": "-1"}


def left_to_spark(session: SparkSession, contract: Contract, frame: DataFrame) -> dict[str, list[str]]:
    """The operators of the plan that writes a table, and the reasons of those that Comet leaves to Spark."""
    metrics = {**failure_counts(contract), **contract.table_reasons}
    observed, _ = with_metrics(frame, contract.table, money=contract.money, metrics=metrics)
    plan = observed._jdf.queryExecution().executedPlan()
    explained = session._jvm.org.apache.comet.ExtendedExplainInfo()
    reasons = explained.getFallbackReasons(plan)
    return {
        "operators": re.findall(r"^[ :+|-]*(?:\*\(\d+\) )?([A-Z]\w+)", plan.toString(), re.MULTILINE),
        "reasons": sorted({re.sub(r"#\d+L?", "", reasons.apply(index)) for index in range(reasons.size())}),
    }


def main(folder: str, result: str) -> None:
    session_settings.LAPTOP.update(PLANNED)
    with session_settings.spark_session("plans of Comet", engine=find_engine("comet")) as session:
        tables = {
            name: session.read.schema(getattr(schemas, name.upper())).parquet(f"{folder}/{name}") for name in TABLES
        }
        frames = chain(tables, as_of=date(2018, 6, 30))
        plans = {
            contract.table: left_to_spark(session, contract, frames[contract.table])
            for contract in (TRANSACTIONS, PURCHASES, RFM)
        }
    Path(result).write_text(json.dumps(plans, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
