"""Checks prose: the length of sentences, words that the glossary replaces, and proselint's rules.

Prose is the text of Markdown files and docstrings, without code blocks. ``[tool.prose]`` in ``pyproject.toml`` names
the files, the limit and the words. Each finding is one line, ``file:line: message``; any finding ends with exit code 1.
"""

import argparse
import ast
import itertools
import re
import sys
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from proselint.checks import __register__ as PROSELINT_CHECKS
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

CHECKS = ("sentences", "glossary", "proselint")

MARKDOWN = MarkdownIt("commonmark").enable("table")

CODE = re.compile(r"`[^`]*`")
WORD = re.compile(r"\S*\w\S*")
SENTENCE_END = re.compile(r"""(?<!e\.g\.)(?<!i\.e\.)(?<=[.!?])[)"'*]*\s+(?=["'(`*A-Z0-9])""")

GOOGLE_SECTION = re.compile(r"(Args|Attributes|Examples?|Note|Raises|Returns|Yields):$")
SECTION_ENTRY = re.compile(r" {4}\*{0,2}[\w.]+( \([^)]*\))?: ")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The table ``[tool.prose]``. Files are globs, relative to the project's folder.

    Attributes:
        checks: Those of `CHECKS` that run unless ``--check`` names others.
        max_words: The longest sentence that is accepted, in words.
        markdown: Files that are prose.
        docstrings: Python files whose docstrings are prose.
        names: Further files in which replaced words are found, in code as in prose.
        names_excluded: Files that may use replaced words.
        proselint_off: Names of proselint's checks, or of groups of them, that do not run.
        glossary: The word to use, by the regular expression of the words that it replaces.
    """

    checks: list[str]
    max_words: int
    markdown: list[str]
    docstrings: list[str]
    names: list[str]
    names_excluded: list[str]
    proselint_off: list[str]
    glossary: dict[str, str]


@dataclass(frozen=True)
class Passage:
    """A paragraph, heading, list item or table cell without its markup, and the line that it begins on."""

    line: int
    text: str


@dataclass(frozen=True, order=True)
class Finding:
    """One line of the report."""

    path: str
    line: int
    message: str


def passages_of_markdown(text: str, *, first_line: int = 1) -> list[Passage]:
    """Split a Markdown text into passages, without code blocks and HTML.

    Inline code keeps its backticks, and a passage keeps its line breaks.
    """
    return [
        Passage(first_line + token.map[0], "".join(map(_plain_text, token.children)))
        for token in MARKDOWN.parse(text)
        if token.type == "inline" and token.map and token.children
    ]


def _plain_text(token: Token) -> str:
    match token.type:
        case "code_inline":
            return f"`{token.content}`"
        case "softbreak" | "hardbreak":
            return "\n"
        case "html_inline":
            return ""
    return token.content


def passages_of_docstrings(source: str) -> list[Passage]:
    """Split the docstrings of a Python module into passages, those below constants included."""
    return [
        passage
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for passage in passages_of_markdown(google_as_markdown(node.value.value), first_line=node.lineno)
    ]


def google_as_markdown(docstring: str) -> str:
    """Turn the entries of Google-style sections into list items, line for line.

    Markdown would read ``Args:`` and everything below it as one paragraph.
    """
    first, *rest = docstring.split("\n")
    lines, in_section = [], False
    for line in [first.strip(), *textwrap.dedent("\n".join(rest)).split("\n")]:
        if GOOGLE_SECTION.match(line):
            in_section = True
            lines.append("")
        elif in_section and line.startswith(" "):
            lines.append(f"- {line.strip()}" if SECTION_ENTRY.match(line) else f"  {line.strip()}")
        else:
            in_section = in_section and not line
            lines.append(line)
    return "\n".join(lines)


def long_sentences(path: str, passages: Iterable[Passage], *, max_words: int) -> Iterator[Finding]:
    """Find sentences with more than ``max_words`` words. Inline code counts as one word."""
    for passage in passages:
        # Same length, so that positions hold; no blank and no full stop inside.
        masked = CODE.sub(lambda code: f"`{'x' * (len(code[0]) - 2)}`", passage.text)
        bounds = [0, *(end.end() for end in SENTENCE_END.finditer(masked)), len(masked)]
        for start, end in itertools.pairwise(bounds):
            words = len(WORD.findall(masked[start:end]))
            if words > max_words:
                first_words = " ".join(passage.text[start:end].split()[:6])
                line = passage.line + passage.text[:start].count("\n")
                yield Finding(path, line, f'{words} words, expected at most {max_words}: "{first_words} ..."')


def replaced_words(path: str, text: str, *, glossary: dict[str, str]) -> Iterator[Finding]:
    """Find words that the glossary replaces, in prose, names and messages, and in the path (reported as line 1)."""
    for pattern, word in glossary.items():
        # An underscore or a capital ends a word, so names are searched too; `night` is no part of `nightly`.
        replaced = re.compile(f"(?<![a-z])(?i:{pattern})(?![a-z])")
        for line, content in [(1, path), *enumerate(text.splitlines(), start=1)]:
            for match in replaced.finditer(content):
                yield Finding(path, line, f"'{match[0].strip()}', expected the glossary's '{word}'")


def proselint_findings(path: str, passages: Iterable[Passage], *, switched_off: Sequence[str]) -> Iterator[Finding]:
    """Find what proselint objects to. A word repeated across two passages is no finding."""
    registry = CheckRegistry()
    if not registry.checks:
        registry.register_many(PROSELINT_CHECKS)
    # proselint takes the first entry that fits a check, so the switched-off ones come first.
    enabled = dict.fromkeys(switched_off, False)
    enabled |= {check.path: True for check in registry.checks if check.path not in enabled}
    # One text per file: a call per passage takes six times as long.
    rows = [
        (line, text)
        for passage in passages
        for line, text in enumerate([*CODE.sub("`code`", passage.text).split("\n"), "¶"], start=passage.line)
    ]
    content = "\n".join(text for _, text in rows)
    for finding, (row, _) in LintFile(path, content).lint({"max_errors": len(content), "checks": enabled}):
        line, _ = rows[row - 1]
        yield Finding(path, line, f"{' '.join(finding.message.split())} ({finding.check_path})")


def check_project(folder: Path, settings: Settings, *, checks: Sequence[str]) -> list[Finding]:
    """Run checks over every file that the settings name, and sort what they find by file and line."""

    def files(globs: Iterable[str]) -> set[Path]:
        return {path for glob in globs for path in folder.glob(glob) if path.is_file()}

    markdown, docstrings = files(settings.markdown), files(settings.docstrings)
    findings: list[Finding] = []
    for path in markdown | docstrings:
        name, text = path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")
        passages = passages_of_markdown(text) if path in markdown else passages_of_docstrings(text)
        if "sentences" in checks:
            findings += long_sentences(name, passages, max_words=settings.max_words)
        if "proselint" in checks:
            findings += proselint_findings(name, passages, switched_off=settings.proselint_off)
    if "glossary" in checks:
        for path in (markdown | docstrings | files(settings.names)) - files(settings.names_excluded):
            name, text = path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")
            findings += replaced_words(name, text, glossary=settings.glossary)
    return sorted(findings)


def main(arguments: Sequence[str] | None = None, *, folder: Path = Path()) -> int:
    """Check the project in ``folder``, print each finding, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.lint.prose", description="Check the project's prose.")
    parser.add_argument("--check", action="append", choices=CHECKS, help="run this check alone; may be repeated")
    options = parser.parse_args(arguments)
    pyproject = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    settings = Settings(**pyproject["tool"]["prose"])
    findings = check_project(folder, settings, checks=options.check or settings.checks)
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.message}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
