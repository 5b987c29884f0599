"""All transforms on Sail, a Spark Connect server in native code. `test_second_engine` starts this as a process.

It is a separate process, since PySpark has either a local session or a remote one.
"""

import sys
from datetime import date

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

from tests.chain import TABLES, chain


def main(source: str, target: str, as_of: str) -> None:
    """Read the three tables from ``source``, and write the frames of the chain to ``target``."""
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    tables = {name: session.read.parquet(f"{source}/{name}") for name in TABLES}
    for name, frame in chain(tables, as_of=date.fromisoformat(as_of)).items():
        frame.write.parquet(f"{target}/{name}")
    session.stop()
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
