"""Valid addresses of a warehouse, and arguments that are rejected before a load starts."""

from pathlib import Path

import pytest

from jobs import publish
from jobs.errors import ConfigurationError
from jobs.warehouse.target import DuckDBAddress, RedshiftAddress, WarehouseTarget, parse_address

HOSTILE = "x'; drop table customers; --"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:redshift-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/service-role/copy"


def test_a_duckdb_file_may_be_anywhere() -> None:
    assert parse_address("duckdb:/a b/it's.duckdb") == DuckDBAddress(Path("/a b/it's.duckdb"))
    assert parse_address("duckdb:w.duckdb") == DuckDBAddress(Path.cwd() / "w.duckdb")
    assert parse_address("duckdb:~/w") == DuckDBAddress(Path.home() / "w")


@pytest.mark.parametrize("uri", ["file:///a%20b/w", "file:/a b/w", "FILE:///a%20b/w", "file://localhost/a%20b/w"])
def test_a_duckdb_file_may_be_named_by_a_file_uri(uri: str) -> None:
    assert parse_address(f"duckdb:{uri}") == DuckDBAddress(Path("/a b/w"))


def test_serverless_is_a_workgroup_a_database_and_a_schema() -> None:
    address = parse_address("redshift://analytics/dev/segments")
    assert address == RedshiftAddress(workgroup="analytics", database="dev", schema="segments")
    assert isinstance(address, RedshiftAddress)
    assert address.views_schema == "segments_workshop"
    assert str(address) == "redshift://analytics/dev/segments"


def test_a_cluster_takes_a_database_user_or_a_secret() -> None:
    user, secret = (
        parse_address(f"redshift+cluster://main-1/dev/s?{option}")
        for option in ("db_user=loader", f"secret_arn={SECRET}")
    )
    assert user == RedshiftAddress(cluster="main-1", database="dev", schema="s", db_user="loader")
    assert secret == RedshiftAddress(cluster="main-1", database="dev", schema="s", secret_arn=SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "warehouse.duckdb",
        "duckdb:",
        "duckdb:what?",
        "duckdb:file:///a%3fb",
        "duckdb:file://host/w",
        "duckdb:a\\b",
        "duckdb:~nobody1/x",
        "duckdb:a\0b",
        "postgresql://host/dev",
        "redshift://",
        "redshift://work/dev",
        "redshift://work/dev/s/more",
        "redshift://work/dev/s#1",
        "redshift://Work/dev/s",
        "redshift://user@work/dev/s",
        "redshift://work/dev/S",
        "redshift://work/dev/pg-catalog",
        "redshift://work/dev/s?db_user=me",
        "redshift://[/dev/s",
        "redshift://work/dev/" + "s" * 120,
        "redshift+cluster://main/dev/s",
        "redshift+cluster://main/dev/s?db_user=",
        f"redshift+cluster://main/dev/s?db_user=me&secret_arn={SECRET}",
        "redshift+cluster://main/dev/s?secret_arn=arn:aws:s3:::bucket",
        "redshift+cluster://main/dev/s?password=secret",
        f"redshift://{HOSTILE}/dev/s",
        f"redshift://work/{HOSTILE}/s",
        f"redshift://work/dev/{HOSTILE}",
        f"redshift+cluster://main/dev/s?db_user={HOSTILE}",
    ],
)
def test_any_other_address_is_rejected_with_the_valid_forms(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Expected duckdb:PATH, redshift://workgroup/database/schema, or"):
        parse_address(text)


REDSHIFT = ("--warehouse", "redshift://work/dev/s")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--warehouse", "duckdb:w", "--staging", "s3://b-b/p"), "found --staging s3://b-b/p, expected none"),
        (REDSHIFT, "found no --staging"),
        ((*REDSHIFT, "--staging", "/tmp"), "expected s3://bucket/prefix"),
        ((*REDSHIFT, "--staging", f"s3://b-b/{HOSTILE}"), "expected s3://bucket/prefix"),
        ((*REDSHIFT, "--staging", "s3://b-b/p", "--iam-role", HOSTILE), "expected arn:aws:iam::<account>:role/<name>"),
        ((*REDSHIFT, "--staging", "s3://b-b/p", "--iam-role", f"{ROLE}' manifest"), "expected arn:aws:iam"),
        (("--warehouse", "duckdb:w", "--raw-copy"), "found one of them"),
        (("--warehouse", "duckdb:w", "--run", "../../etc"), "expected a run's id"),
        (("--warehouse", "duckdb:w", "--run", HOSTILE), "expected a run's id"),
        (("--warehouse", "duckdb:w"), "no current run there"),
        ((), "required: --warehouse"),
    ],
)
def test_invalid_arguments_end_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert publish.main(["--output", str(tmp_path), *arguments]) == 2
    error = capfd.readouterr().err
    assert problem in error
    assert error.count("\n") == 1


def test_a_target_takes_the_arn_of_a_role_and_an_s3_folder() -> None:
    target = WarehouseTarget(parse_address("redshift://work/dev/s"), ROLE, "s3://bucket.name/dt=2018-10-17/(new)")
    assert target.iam_role == ROLE
