"""What the house forbids and no linter knows."""

import ast
import re
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
TRANSFORMS = sorted((PROJECT / "transforms").rglob("*.py"))
ROOMS = ("transforms", "expectations", "jobs", "deploy")
MODULES = sorted(path for room in ROOMS for path in (PROJECT / room).rglob("*.py"))

UNSTABLE = {"first", "any_value", "last", "ntile", "percentile_approx", "rand", "monotonically_increasing_id"}
CLOCKS = {"current_date", "current_timestamp", "now", "curdate", "localtimestamp"}
SESSION_BOUND = {"SparkSession", "sparkContext", "rdd", "_jdf", "_jvm", "cache", "persist", "udf", "pandas_udf"}
CRUTCHES = {"dropDuplicates", "drop_duplicates", "collect", "toPandas"}


def names_in(path: Path) -> set[str]:
    """Every name and attribute that the code of a module uses; its prose does not count."""
    tree = ast.parse(path.read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return names | attributes | imported


@pytest.mark.parametrize("path", TRANSFORMS, ids=lambda path: path.name)
def test_a_transform_has_no_clock_no_session_and_no_unstable_function(path: Path) -> None:
    assert not names_in(path) & (UNSTABLE | CLOCKS | SESSION_BOUND | CRUTCHES)


@pytest.mark.parametrize("path", TRANSFORMS, ids=lambda path: path.name)
def test_a_transform_imports_spark_sql_and_the_standard_library_alone(path: Path) -> None:
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in imports:
        for name in [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]:
            assert name.startswith(("pyspark.sql", "transforms")) or name.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 260
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, node.name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_check_is_switched_off(path: Path) -> None:
    assert not re.search(r"#\s*(noqa|type:\s*ignore|pragma)", path.read_text())
