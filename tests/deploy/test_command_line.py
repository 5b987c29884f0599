"""The command line of ``python -m deploy`` as a whole."""

import pytest

from deploy.__main__ import main
from jobs.cli.version import version


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"python -m deploy {version()}\n"


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    verbs = ["doctor", "up", "upload", "package", "glue", "emr", "sagemaker", "run", "quicksight", "outputs", "down"]
    assert [line.split()[0] for line in out.splitlines() if line.startswith("    ") and line[4] != " "] == verbs


def test_an_argument_that_no_command_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outputs", "--prefx", "shop"]) == 2
    assert "unknown option --prefx: did you mean --prefix?" in capsys.readouterr().err
