"""The folder that a path or a URI names, and those that name none."""

from pathlib import Path

import pytest

from jobs.errors import ConfigurationError
from jobs.sample import main as sample
from jobs.storage.local import LocalFolder
from jobs.storage.uris import folder_at


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
        ("//[x", "--output //[x: neither a path nor a URI (Invalid IPv6 URL), expected a local folder"),
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
