"""The folder that a path or a URI names, and those that name none."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.errors import ConfigurationError
from jobs.sample import main as sample
from jobs.storage.local import LocalFolder
from jobs.storage.uris import escape_glob, folder_at, unreadable_name


def path_of(uri: str) -> Path:
    folder = folder_at(uri, argument="--output")
    assert isinstance(folder, LocalFolder)
    return folder.path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/a#b?c%20d", "/a#b?c%20d"),
        ("/a\\b", "/a\\b"),
        ("file:///a%20b", "/a b"),
        ("file:/a b", "/a b"),
        ("FILE://localhost/a", "/a"),
        ("file:///a#b?c", "/a#b?c"),
        ("file:///a%23b", "/a#b"),
    ],
)
def test_a_path_is_literal_and_a_file_uri_is_decoded(uri: str, path: str) -> None:
    assert path_of(uri) == Path(path)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("//[x", "--output '//[x': neither a path nor a URI (Invalid IPv6 URL), expected a local folder"),
        ("http://[x", "neither a path nor a URI"),
        ("file://host/x", "found 'host' as the machine of a file: URI, which starts with file:///"),
        ("~nobody1/x", "--output ~nobody1/x: Could not determine home directory, expected a local folder"),
        ("ftp://host/x", "found ftp://, expected a local folder"),
        ("", "--output: found nothing"),
    ],
)
def test_what_names_no_folder_ends_with_one_line(uri: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        folder_at(uri, argument="--output")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_step_ends_with_2_for_an_output_that_is_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert sample(["--output", "//[x"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


READABLE = [
    *("a%b.csv", "a%20b.csv", "%41.csv", "a#b.csv", "a?b.csv", "a b.csv", "a\\b.csv", "a[b].csv", "a{b,c}.csv"),
    *(
        "a*b.csv",
        "a+b.csv",
        "a'\"b.csv",
        "a\tb\nc.csv",
        "é\U0001f600.csv",
        "a^b|c.csv",
        "a;b&c=d.csv",
        "dt=1.csv",
        "~a.csv",
    ),
]
UNREADABLE = ["a:b.csv", "2018-01-01T10:00:00.csv", "a\udcff.csv"]


def test_a_file_is_read_under_each_name_that_is_not_refused(spark: SparkSession, tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "50% #1 a b")
    folder.path.mkdir()
    for name in (*READABLE, *UNREADABLE):
        (folder.path / name).write_text(f"{len(name)}\n")
    for name in READABLE:
        assert unreadable_name(name) is None
    files = [escape_glob(folder.uri(name)) for name in READABLE]
    lines = sorted(int(row["value"]) for row in spark.read.text(files).collect())
    assert lines == sorted(len(name) for name in READABLE)
    for name in UNREADABLE:
        assert str(unreadable_name(name)).endswith("Rename it")
