"""What the architecture forbids and no linter knows. Each test lists every offender."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PACKAGES = ("transforms", "expectations", "jobs", "deploy")
MODULES = sorted(path for package in PACKAGES for path in (PROJECT / package).rglob("*.py"))
TRANSFORMS = [path for path in MODULES if path.is_relative_to(PROJECT / "transforms")]

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 70

UNSTABLE = {"first", "any_value", "last", "ntile", "percentile_approx", "rand", "monotonically_increasing_id"}
CLOCKS = {"current_date", "current_timestamp", "now", "curdate", "localtimestamp"}
SESSION_BOUND = {"SparkSession", "sparkContext", "rdd", "_jdf", "_jvm", "cache", "persist", "udf", "pandas_udf"}
CRUTCHES = {"dropDuplicates", "drop_duplicates", "collect", "toPandas"}

ENTRY_POINTS = {
    "pipeline",
    "backfill",
    "ingest",
    "replay",
    "features",
    "segments",
    "publish",
    "catalogue",
    "report",
    "explain",
    "export",
    "lift",
    "prune",
    "verify",
    "sample",
    "ledger",
}
VERBS = {"doctor", "up", "upload", "package", "glue", "emr", "run", "outputs", "down"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def names_in(path: Path) -> set[str]:
    """Every name and attribute that the code of a module uses; its prose does not count."""
    tree = tree_of(path)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return names | attributes | imported


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a module imports, wherever the import stands."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_a_transform_has_no_clock_no_session_and_no_unstable_function() -> None:
    forbidden = UNSTABLE | CLOCKS | SESSION_BOUND | CRUTCHES
    offenders = {name_of(path): names_in(path) & forbidden for path in TRANSFORMS if names_in(path) & forbidden}
    assert offenders == {}


def test_a_transform_imports_spark_sql_and_the_standard_library_and_numpy_for_clusters_alone() -> None:
    def is_allowed(module: str, path: Path) -> bool:
        package = module.partition(".")[0]
        is_numeric = package in ("numpy", "scipy") and path.is_relative_to(PROJECT / "transforms" / "clusters")
        # Student's t, for the money of two arms.
        is_numeric |= package == "scipy" and path == PROJECT / "transforms" / "audiences" / "lift.py"
        return module.startswith(("pyspark.sql", "transforms")) or package in sys.stdlib_module_names or is_numeric

    offenders = [
        (name_of(path), name) for path in TRANSFORMS for name in imports_of(path) if not is_allowed(name, path)
    ]
    assert offenders == []


def test_files_and_functions_stay_small() -> None:
    long_files = [name_of(path) for path in MODULES if len(path.read_text().splitlines()) > MOST_LINES]
    long_functions = [
        (name_of(path), node.name)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert (long_files, long_functions) == ([], [])


def test_no_check_is_switched_off() -> None:
    assert [name_of(path) for path in MODULES if re.search(r"#\s*(noqa|type:\s*ignore|pragma)", path.read_text())] == []


def test_the_top_of_jobs_and_deploy_has_entry_points_alone() -> None:
    jobs = {path.stem for path in (PROJECT / "jobs").glob("*.py")}
    deploy = {path.stem for path in (PROJECT / "deploy").glob("*.py")}
    assert jobs == {"__init__", "__main__", "errors"} | ENTRY_POINTS
    assert deploy == {"__init__", "__main__"} | VERBS


def test_every_room_says_what_lives_there_and_what_does_not() -> None:
    rooms = [path for path in MODULES if path.name == "__init__.py"]
    docstrings = {name_of(path): ast.get_docstring(tree_of(path)) or "" for path in rooms}
    assert [
        name for name, text in docstrings.items() if not re.search(r"\b(no|not|nothing)\b", text, re.IGNORECASE)
    ] == []


def test_the_map_names_files_that_exist_and_names_that_they_define() -> None:
    rows = [line for line in (PROJECT / "docs" / "architecture.md").read_text().splitlines() if line.startswith("| ")]
    missing = []
    for row in rows:
        files = re.findall(r"`((?:transforms|expectations|jobs|deploy|tests)/[\w/]+\.py)`", row)
        missing += [name for name in files if not (PROJECT / name).exists()]
        text = "".join((PROJECT / name).read_text() for name in files if name not in missing)
        names = re.findall(r"`(\w+(?:\.\w+)?)`(?: in| by)", row)
        missing += [name for name in names if files and name.rpartition(".")[2] not in text]
    assert missing == []
