"""What the prose check finds, and what it must not find."""

from pathlib import Path

import pytest

from tests.lint import prose

PYPROJECT = """\
[tool.prose]
checks = ["sentences", "glossary", "proselint"]
max_words = 5
markdown = ["*.md"]
docstrings = ["src/*.py"]
names = ["tests/*.py"]
names_excluded = ["tests/test_words.py"]
proselint_off = ["restricted", "typography"]
[tool.prose.glossary]
"stand[-_ ]?ins?" = "fake"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    for folder in ("src", "tests"):
        (tmp_path / folder).mkdir()
    return tmp_path


def sentences(markdown: str, max_words: int = 4) -> list[tuple[int, str]]:
    """The line of each sentence that is too long, and the rest of its message."""
    findings = prose.long_sentences("f.md", prose.passages_of_markdown(markdown), max_words=max_words)
    return [(finding.line, finding.message) for finding in findings]


def replaced(text: str, **glossary: str) -> list[str]:
    return [finding.message for finding in prose.replaced_words("f.py", text, glossary=glossary)]


def test_a_long_sentence_is_reported_with_its_line_its_length_and_its_first_words() -> None:
    text = "# Title\n\nShort one.\nThis sentence has a few\nwords too many. Short again.\n"
    assert sentences(text) == [(4, '8 words, expected at most 4: "This sentence has a few words ..."')]


def test_a_sentence_of_as_many_words_as_the_limit_passes() -> None:
    assert sentences("One two three four.") == []


@pytest.mark.parametrize(
    "markdown",
    [
        "Run this:\n\n```sh\nmake one two three four five six\n```\n",
        "Run this:\n\n    make one two three four five six\n",
        "Run `make one two three. Four five` here.",
        "- one two three\n- four five six\n- seven eight nine\n",
        "One two three:\n\n1. four five six\n2. seven eight nine\n",
        "| one two | three four |\n|---|---|\n| five six | seven eight |\n",
        "One -- two | three -> four / . . .",
        "See [one two](https://example.org/a/long/path).",
        "<!-- one two three four five six -->\n",
        "One two three. Four (five six). `Seven` eight! Nine?",
    ],
    ids=["fence", "indented", "inline", "bullets", "numbers", "table", "signs", "link", "comment", "ends"],
)
def test_code_tables_and_lists_are_not_one_long_sentence(markdown: str) -> None:
    assert sentences(markdown) == []


@pytest.mark.parametrize("sentence", ["Fakes, e.g. SageMaker's, are enough.", "It takes 1.5 seconds a day."])
def test_a_full_stop_inside_a_sentence_does_not_end_it(sentence: str) -> None:
    assert len(sentences(sentence)) == 1


def test_entries_of_google_sections_are_sentences_of_their_own() -> None:
    source = '''\
def f(a, b):
    """Add two numbers.

    Args:
        a: One two three
            four.
        b: One two three.

    Returns:
        One two
        three four.

    Raises:
        ValueError: One two three.
    """
'''
    passages = prose.passages_of_docstrings(source)
    assert [(passage.line, passage.text) for passage in passages] == [
        (2, "Add two numbers."),
        (5, "a: One two three\nfour."),
        (7, "b: One two three."),
        (10, "One two\nthree four."),
        (14, "ValueError: One two three."),
    ]


def test_docstrings_of_modules_classes_and_constants_are_read_and_other_strings_are_not() -> None:
    source = '"""Module."""\nLIMIT = 3\n"""Constant."""\n\n\nclass C:\n    """Class."""\n\n    name = "none"\n'
    assert {passage.text for passage in prose.passages_of_docstrings(source)} == {"Module.", "Constant.", "Class."}


@pytest.mark.parametrize("name", ["stand_ins", "StandIn", "STAND_INS", "a stand-in", "my_stand_in_2"])
def test_a_replaced_word_is_found_in_names_and_in_prose(name: str) -> None:
    (message,) = replaced(name, **{"stand[-_ ]?ins?": "fake"})
    assert message.endswith("expected the glossary's 'fake'")


def test_a_replaced_word_inside_a_longer_one_is_not_found() -> None:
    assert replaced("nightly, midnights, nightshade", nights="executions") == []


def test_a_replaced_word_in_a_path_is_reported_as_line_1() -> None:
    findings = prose.replaced_words("tests/hands.py", "", glossary={"hands": "requests"})
    assert [(finding.path, finding.line) for finding in findings] == [("tests/hands.py", 1)]


def test_proselint_reads_passages_without_code_and_gives_the_line_in_the_file() -> None:
    passages = prose.passages_of_markdown("# Title\n\nA word. `the the` end\n\n- End of the\n  the list.\n")
    findings = list(prose.proselint_findings("f.md", passages, switched_off=["restricted"]))
    assert [(finding.line, finding.message.rsplit(" ", 1)[1]) for finding in findings] == [(5, "(lexical_illusions)")]


@pytest.mark.parametrize("switched_off", ["lexical_illusions", "redundancy", "redundancy.ras_syndrome"])
def test_a_check_of_proselint_is_switched_off_by_its_name_or_its_groups(switched_off: str) -> None:
    passages = prose.passages_of_markdown("The the ATM machine.")
    findings = prose.proselint_findings("f.md", passages, switched_off=["restricted", switched_off])
    left = {"lexical_illusions", "redundancy.ras_syndrome"} - {switched_off}
    expected = {name for name in left if not name.startswith(switched_off)}
    assert {finding.message.rsplit(" ", 1)[1].strip("()") for finding in findings} == expected


def test_all_findings_are_printed_in_order_and_the_exit_code_is_1(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "README.md").write_text("A stand-in for the the service.\n")
    (project / "src" / "code.py").write_text('"""One two three four five six."""\n\nstand_in = 1\n')
    (project / "tests" / "test_code.py").write_text('"""One two three four five six."""\n\nstand_ins = ()\n')
    (project / "tests" / "test_words.py").write_text("stand_ins = ()\n")
    assert prose.main([], folder=project) == 1
    lines = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "README.md:1: 'stand-in'",
        "README.md:1: 6 words",
        "README.md:1: There's a lexical illusion in 'the the' - a phrase is repeated. (lexical_illusions)",
        "src/code.py:1: 6 words",
        "src/code.py:3: 'stand_in'",
        "tests/test_code.py:3: 'stand_ins'",
    ]


def test_one_check_can_be_run_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "README.md").write_text("A stand-in for the the service.\n")
    assert prose.main(["--check", "glossary"], folder=project) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_project_without_findings_prints_nothing_and_passes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "README.md").write_text("All is well.\n")
    assert prose.main([], folder=project) == 0
    assert capsys.readouterr().out == ""
