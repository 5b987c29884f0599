"""Names of Java that PySpark asks for again with each expression, asked for once.

``F.col("order_id")`` sends three requests to Java, and two of them ask whether ``org.apache.spark.sql.functions`` is a
class and ``col`` one of its methods. A run of three orders asks 10,000 times, a fifth of its time. What a name stands
for does not change while a Java runs.
"""

from contextlib import suppress
from typing import Any

from py4j.java_gateway import JavaClass, JavaMember, JVMView
from pyspark.sql import SparkSession

from jobs.spark.process import SPARK_FAILURES

FULL_NAMES = (
    "org.apache.spark.sql.functions",
    "org.apache.spark.sql.classic.SparkSession",
    "org.apache.spark.api.python.PythonUtils",
    "org.apache.spark.sql.api.python.PythonSQLUtils",
)
SHORT_NAMES = ("functions", "PythonUtils", "PythonSQLUtils")
"""The same classes where PySpark uses the names that it imports."""


def _kept_method(java_class: Any, name: str) -> Any:
    """A method of a class of Java, which the class keeps by its name."""
    member = JavaClass.__getattr__(java_class, name)
    if isinstance(member, JavaMember):
        setattr(java_class, name, member)
    return member


KEEPING_CLASS: Any = type("KeepingClass", (JavaClass,), {"__getattr__": _kept_method})
"""A class of Java that asks for a method once. A class statement would need Py4J's types, which it does not have."""


def keep_java_names(session: SparkSession) -> None:
    """Let the session ask Java once for each name, not with each expression. A session without a Java needs nothing."""
    view = getattr(session, "_jvm", None)
    if not isinstance(view, JVMView):
        return
    for name in (*FULL_NAMES, *SHORT_NAMES):
        # What is no class in another version of Spark is asked for as before. A Java that is gone shows soon enough.
        with suppress(*SPARK_FAILURES):
            present = getattr(view, name)
            if isinstance(present, JavaClass) and not isinstance(present, KEEPING_CLASS):
                names = vars(present)
                setattr(view, name, KEEPING_CLASS(names["_fqn"], names["_gateway_client"]))
