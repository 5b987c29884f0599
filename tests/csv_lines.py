"""Random CSV files of customers and payments, and what a reader of another kind finds in them.

The files have what real ones have that went wrong: stray quotes, mixed line ends, quotes of another dialect, bytes of
another encoding, blank lines, headers in the middle, cut lines; they are plain or packed, and come in several parts.
"""

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

from tests.raw_files import CUSTOMERS_HEADER, PAYMENTS_HEADER, key

ORDER = key("o1")
LINE_END = re.compile(rb"\r\n|\n|\r")
ENDS = (b"\n", b"\r\n", b"\r")


@dataclass
class Parts:
    """Part files of a table, and what was put into them.

    Attributes:
        content: of each part, by its name.
        good: the marks of records that are valid, with their values, if they have any.
        spoiled: the marks of lines that something was done to.
    """

    content: dict[str, bytes] = field(default_factory=dict)
    good: dict[str, Decimal | None] = field(default_factory=dict)
    spoiled: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Put the parts into a folder."""
        folder.mkdir(parents=True)
        for name, content in self.content.items():
            (folder / name).write_bytes(content)

    def lines(self) -> int:
        """How many lines have a value and are no header, by a reader that knows only line ends."""
        headers = {header.encode() for header in (CUSTOMERS_HEADER, PAYMENTS_HEADER)}
        count = 0
        for content in self.content.values():
            text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
            lines = LINE_END.split(text.removeprefix(b"\xef\xbb\xbf"))
            count += sum(bool(line.strip(b' ,"\t')) and line not in headers for line in lines)
        return count


def payments(random: Random, *, parts: int, rows: int) -> Parts:
    """Payments of one order, each with a mark as its type and a number of its own."""

    def payment(number: int, mark: str) -> tuple[str, Decimal]:
        value = Decimal(random.randrange(1, 10**6)) / 100
        fields = [ORDER, str(number), mark, "1", f"{value:.2f}"]
        return ",".join(f'"{text}"' if random.random() < 0.3 else text for text in fields), value

    return marked_parts(random, PAYMENTS_HEADER, payment, parts=parts, rows=rows)


def customers(random: Random, *, parts: int, rows: int) -> Parts:
    """Customers, each with a mark in its city, which may take several lines."""

    def customer(_number: int, mark: str) -> tuple[str, None]:
        more = [random.choice(["\n", "a", "\nb", ", c"]) for _ in range(4)] if random.random() < 0.1 else []
        city = f'"{mark}{"".join(more)}"' if more else mark
        return f'{key(mark)},{key("ann")},"09790",{city},SP', None

    return marked_parts(random, CUSTOMERS_HEADER, customer, parts=parts, rows=rows)


def marked_parts(
    random: Random, header: str, record: Callable[[int, str], tuple[str, Decimal | None]], *, parts: int, rows: int
) -> Parts:
    """Parts of records, of which some that take one line are spoiled. The first record is valid."""
    result = Parts()
    for part in range(parts):
        lines = []
        for number in range(part * rows + 1, (part + 1) * rows + 1):
            mark = f"m{number:06}x"
            text, value = record(number, mark)
            line = text.encode()
            if random.random() < 0.1 and number > 1 and b"\n" not in line:
                result.spoiled.append(mark)
                line = spoiled(random, line, mark.encode())
            else:
                result.good[mark] = value
            lines.append(line)
        add_part(random, result, part, header, lines)
    return result


def spoiled(random: Random, line: bytes, mark: bytes) -> bytes:
    """A line after something was done to it; its mark stays."""
    place = random.choice([place for place in range(len(line)) if not 0 < place - line.index(mark) < len(mark)])
    match random.randrange(6):
        case 0:
            return line[:place] + b'"' + line[place:]
        case 1:
            return line.replace(mark, b'"a \\"' + mark + b'\\" b"')
        case 2:
            return line.replace(mark, b"s\xe3o " + mark)
        case 3:
            return line + b",more"
        case 4:
            return line[: line.index(mark) + len(mark)]
    return line.replace(mark, b'd"' + mark)


def add_part(random: Random, target: Parts, part: int, header: str, lines: list[bytes]) -> None:
    """Put lines together as a part, with line ends, blank lines and headers as they come."""
    usual = random.choice(ENDS)
    is_mixed = random.random() < 0.4
    content = b"\xef\xbb\xbf" if random.random() < 0.2 else b""
    for line in [header.encode(), *lines]:
        # Inside of a record a line break is a line feed; a record of several lines ends so too.
        content += line + (random.choice(ENDS) if is_mixed else usual)
        if random.random() < 0.05:
            content += random.choice([b"\n", b",,,,\n", b'"",,,,\n', header.encode() + b"\n"])
    is_packed = random.random() < 0.3
    name = f"part-{part}" + random.choice([".csv", "", ".CSV"]) if not is_packed else f"part-{part}.csv.gz"
    target.content[name] = gzip.compress(content) if is_packed else content
