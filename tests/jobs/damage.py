"""Damage to files that earlier runs or users wrote: one random change at a time, the same from the same seed."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Place = tuple[str | int, ...]

RAW_TEXTS = {
    "DIGITS": "9" * 5000,
    "FRACTION": "0." + "3" * 5000,
    "NAN": "NaN",
    "INFINITE": "-Infinity",
    "OVERFLOW": "1e999",
    "DEEP": "[" * 3000 + "]" * 3000,
    "DEEP OBJECT": '{"a":' * 900 + "1" + "}" * 900,
    "TWICE": '1, "run_id": 2',
}
"""What ``json.dumps`` does not write, by what it is written as at first."""

VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 2.5, 2**31, 2**63, 10**40, 1e308, -1e308, 5e-324, 1.7e18),
    *("", " ", "x" * 10_000, "\0", "a\0b", "\x1b[2J\x07", "\ud800", "\u202egnp.exe", "é" * 300, "\n\n", "null"),
    *("0 or 1=1) as x; grant all on schema public to public; --", "x'; drop table rfm; --", "\\' or 1=1 --", "[/b]"),
    *("../../x", "runs/../../etc/passwd", "/etc/passwd", "s3://bucket/x", "runs/2018-06-30-release-0.1/../../x", "."),
    *("2018-06-30-other", "2018-06-30-release-0.1", "2018-13-45", "2018-06-30", "9999-12-31", "0000-00-00", "20180630"),
    *("NaN", "1e400", "-0.0001", "12345678901234567890123456789012345678.0000", "40.5000", "1_000", "٣", "0x10"),
    *([], {}, [1], [[]], [None] * 2000, ["x"] * 3, {"": 1}, {"a": {"b": {"c": {}}}}, {"rows": 1}, [{"rows": "1"}]),
    *RAW_TEXTS,
]
"""What takes the place of a value."""

YAML_SNIPPETS = [
    *("{}", "[]", "~", "true", "-1", ".nan", "-.inf", "1e999", "9" * 5000, "0x" + "f" * 80, "2018-13-45", "190:20:30"),
    *("2018-10-17T99:00:00Z", "[" * 500, "{a: " * 50, "- " * 300, "*grave", "&grave x", "*nobody", "<<: *grave"),
    *("!!float x", "!!binary x", "!!python/object:os.system x", "!!timestamp x", "!!set {a}", "!x y", "? [a, b]"),
    *("\0", "\x1b[2J", "\t", "\ufeff", "\u2028", "é" * 300, "x" * 9000, "'", '"', "|", ">", "%YAML 1.1", "---", "..."),
    *('"\\ud800"', '"\\0"', "[/b]", "{<<: 5}", "&a [*a]", "&a {<<: *a}", "a: &a {b: *a}", "y: [&x [1], *x, *x, *x]"),
    *("null_passes: 5", "severity: [warn]", "values: {a: 1}", "share: 5", "kind: {}", "column: [x]", "high: no"),
    *('pattern: "("', "low: {}", "key: [[]]", "table: 5", "1: 2", "[1]: 2", "severity: stop", "low: 5", "high: -5"),
]
"""What takes the place of a part of a line, or of a line, in a file of rules."""


def places_in(content: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every value in a JSON document."""
    if place:
        yield place
    steps = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for step, value in steps:
        yield from places_in(value, (*place, step))


def damaged_json(text: str, chance: random.Random) -> bytes:
    """A JSON file with one change: to a value, a key, or the bytes."""
    if chance.random() < 0.2:
        return damaged_bytes(text.encode(), chance)
    content = json.loads(text)
    place = chance.choice(list(places_in(content)))
    part: Any = content
    for step in place[:-1]:
        part = part[step]
    last: Any = place[-1]
    if isinstance(part, dict) and chance.random() < 0.2:
        value = part.pop(last)
        if chance.random() < 0.4:
            part[chance.choice([value for value in VALUES if isinstance(value, str)])] = value
    elif isinstance(part, list) and chance.random() < 0.2:
        part[:] = part * 2 if chance.random() < 0.5 else part[:last]
    else:
        part[last] = chance.choice(VALUES)
    damaged = json.dumps(content)
    for name, raw in RAW_TEXTS.items():
        damaged = damaged.replace(f'"{name}"', raw)
    return damaged.encode()


def damaged_yaml(text: str, chance: random.Random) -> bytes:
    """A file of rules with one change: to a value, a line, or the bytes."""
    if chance.random() < 0.1:
        return damaged_bytes(text.encode(), chance)
    lines = text.splitlines()
    number, snippet = chance.randrange(len(lines)), chance.choice(YAML_SNIPPETS)
    line = lines[number]
    indent = line[: len(line) - len(line.lstrip())]
    way = chance.randrange(4)
    if way == 0:
        lines.insert(number, indent + snippet)
    elif way == 1:
        lines[number] = line.partition(":")[0] + ": " + snippet
    elif way == 2:
        del lines[number]
    else:
        words = line.split(" ")
        words[chance.randrange(len(words))] = snippet
        lines[number] = " ".join(words)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def damaged_bytes(content: bytes, chance: random.Random) -> bytes:
    """A file that was cut, or in which bytes were lost, added or changed."""
    at = chance.randrange(len(content))
    ways: list[Callable[[], bytes]] = [
        lambda: content[:at],
        lambda: b"",
        lambda: content[:at] + chance.choice([b"\0", b"\xff", b"\x1b", b"}", b'"', b"\n"]) + content[at:],
        lambda: content[:at] + chance.randbytes(4) + content[at + 4 :],
        lambda: content + content,
        lambda: b"\xef\xbb\xbf" + content,
        lambda: content.decode("utf-8", "replace").encode("utf-16"),
        lambda: gzip.compress(content),
    ]
    return chance.choice(ways)()


def damaged_archive(packed: bytes, chance: random.Random) -> bytes:
    """A ``tar.gz`` with changed bytes: in what it holds and in the headers, or in the compressed file."""
    if chance.random() < 0.3:
        return damaged_bytes(packed, chance)
    content = bytearray(gzip.decompress(packed))
    for _ in range(chance.choice([1, 1, 4, 40])):
        # The headers, and the 100 bytes of the model that follow them, are the first part of the archive.
        content[chance.randrange(min(len(content), 650))] = chance.choice([0, 1, 2, 127, 128, 255, ord("7")])
    return gzip.compress(bytes(content))
