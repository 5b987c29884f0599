"""Small raw files with the corruptions that real files have, drawn from a seed."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from random import Random

from tests.raw_files import CUSTOMERS_HEADER, ORDERS_HEADER, PAYMENTS_HEADER, key

FILES = {
    "customers": "olist_customers_dataset.csv",
    "orders": "olist_orders_dataset.csv",
    "payments": "olist_order_payments_dataset.csv",
}
HEADERS = {"customers": CUSTOMERS_HEADER, "orders": ORDERS_HEADER, "payments": PAYMENTS_HEADER}
COLUMNS = {table: len(header.split(",")) for table, header in HEADERS.items()}

MARK_COLUMN = {"customers": 3, "orders": 5, "payments": 4}
"""The column of the mark: a text that is unique in its file, and that neither a table nor its quarantine changes."""
MARK_PATTERNS = {
    "customers": re.compile(r"vila \d{4}"),
    "orders": re.compile(r"2018-02-01 00:00:\d\d"),
    "payments": re.compile(r"1\d{3}\.37"),
}
DATE_COLUMNS = range(3, 8)
REFERENCE_COLUMN = {"orders": 1, "payments": 0}
"""The column that refers to a row of another file."""

HUGE = 200_000
"""The length of a huge field; Python's csv module accepts 131,072 characters by default."""
MAX_FIELDS = 20_480
"""The most fields per record that Spark's CSV reader accepts."""
FILLINGS = ("x", "9", "0", " ", "é", "\0", "1.0", ",")
BAD_DATES = (
    *("2018-02-30 10:00:00", "2018-13-01 00:00:00", "2018-01-01 24:00:00", "20018-01-01 10:00:00", "yesterday"),
    *("0000-01-01 00:00:00", "0001-01-01 00:00:00", "1582-10-10 00:00:00", "1899-12-31 23:59:59"),
    *("2015-12-31 23:59:59", "2262-04-12 00:00:00", "9999-12-31 23:59:59"),
)
ACCENTED = ("são", "çãé", "Ávila")

Rows = dict[str, list[list[str]]]
"""The fields of each row of each file, as the file has them, with their quotation marks."""


def mark(table: str, number: int) -> str:
    """The unique text of a row."""
    forms = {"customers": "vila {:04}", "orders": "2018-02-01 00:00:{:02}", "payments": "1{:03}.37"}
    return forms[table].format(number)


def identifier(name: str) -> str:
    """The identifier for a short name, as a field of a file."""
    return f'"{key(name)}"'


def valid_rows() -> Rows:
    """Six customers, six orders and eight payments, all valid."""
    name, cities = identifier, [mark("customers", n) for n in range(6)]
    cities[1:3] = [f'"{cities[1]}, porto"', f'"{cities[2]} ""norte"""']
    early = ("delivered", "2018-01-01 10:00:00", "2018-01-01 10:20:00")
    late = ("2018-02-09 12:00:00", "2018-03-01 00:00:00")
    return {
        "customers": [[name(f"c{n}"), name(f"p{n % 4}"), f'"0979{n}"', cities[n], "SP"] for n in range(6)],
        "orders": [[name(f"o{n}"), name(f"c{n}"), *early, mark("orders", n), *late] for n in range(6)],
        "payments": [[name(f"o{n % 6}"), str(1 + n // 6), "boleto", "3", mark("payments", n)] for n in range(8)],
    }


@dataclass(frozen=True)
class MalformedFiles:
    """Three files with their corruptions.

    Attributes:
        content: The content of each file.
        corruptions: The kind and the details of each corruption, in order.
        are_records_plain: Whether every CSV reader finds the same records in the files.
    """

    content: dict[str, bytes] = field(repr=False)
    corruptions: tuple[tuple[str, str], ...]
    are_records_plain: bool

    def write(self, folder: Path) -> None:
        """Write the files to a folder."""
        folder.mkdir(exist_ok=True)
        for table, content in self.content.items():
            (folder / FILES[table]).write_bytes(content)

    def is_readable(self) -> bool:
        """Whether each file has its header, and no record has more fields than Spark's reader accepts."""
        have_headers = all(self.content[table].startswith(f"{header}\n".encode()) for table, header in HEADERS.items())
        quoted = r'"[^"]*"' if self.are_records_plain else r"(?!)"
        lines = [line for table in FILES for line in re.sub(quoted, "", self.text(table)).split("\n")]
        return have_headers and max(line.count(",") for line in lines) < MAX_FIELDS

    def marks(self, table: str) -> Counter[str]:
        """How often a file contains each mark."""
        return Counter(MARK_PATTERNS[table].findall(self.text(table)))

    def text(self, table: str) -> str:
        """A file as text, with a replacement character for each byte that is not UTF-8."""
        return self.content[table].decode("utf-8", errors="replace")

    def records(self, table: str) -> list[tuple[str | None, ...]]:
        """The records of a file without its header, truncated or padded to the number of columns."""
        width, limit = COLUMNS[table], csv.field_size_limit(10 * HUGE)
        try:
            _, *records = csv.reader(io.StringIO(self.text(table), newline=""))
        finally:
            csv.field_size_limit(limit)  # the limit is global
        cut = [[field or None for field in record[:width]] for record in records if record]
        return [(*fields, *[None] * (width - len(fields))) for fields in cut]


def pick_row(random: Random, rows: Rows, *tables: str) -> tuple[str, int]:
    """The file and the position of a random row."""
    table = random.choice(tables or tuple(FILES))
    return table, random.randrange(len(rows[table]))


def pick_field(random: Random, rows: Rows) -> tuple[str, int, int]:
    """The file, the row and the position of a random field."""
    table, at = pick_row(random, rows)
    return table, at, random.randrange(len(rows[table][at]))


def change_field_count(random: Random, rows: Rows) -> str:
    table, at = pick_row(random, rows)
    width = random.choice([*range(1, COLUMNS[table]), COLUMNS[table] + 1])
    rows[table][at] = [*rows[table][at], "more"][:width]
    return f"{table} row {at} has {len(rows[table][at])} fields"


def blank_field(random: Random, rows: Rows) -> str:
    table, at, place = pick_field(random, rows)
    rows[table][at][place] = ""
    return f"{table} row {at} field {place}"


def write_huge_field(random: Random, rows: Rows) -> str:
    table, at, place = pick_field(random, rows)
    filling, quote = random.choice(FILLINGS), random.choice(['"', ""])
    rows[table][at][place] = f"{quote}{filling * (HUGE // len(filling))}{quote}"
    return f"{table} row {at} field {place} is {HUGE} characters of {filling!r}, {'' if quote else 'not '}quoted"


def insert_nul(random: Random, rows: Rows) -> str:
    table, at, place = pick_field(random, rows)
    text = rows[table][at][place]
    quotes = 1 if text.startswith('"') else 0
    where = random.randint(quotes, len(text) - quotes)
    rows[table][at][place] = f"{text[:where]}\0{text[where:]}"
    return f"{table} row {at} field {place} before character {where}"


def copy_row(random: Random, rows: Rows) -> str:
    table, at = pick_row(random, rows)
    to = random.randint(0, len(rows[table]))
    rows[table].insert(to, list(rows[table][at]))
    return f"{table} row {at} again as row {to}"


def add_conflicting_row(random: Random, rows: Rows) -> str:
    table, at = pick_row(random, rows)
    other, new = list(rows[table][at]), mark(table, 10 + len(rows[table]))
    other[MARK_COLUMN[table] : MARK_COLUMN[table] + 1] = [new]
    rows[table].append(other)
    return f"{table} row {at} again, last, with {new}"


def break_reference(random: Random, rows: Rows) -> str:
    table, at = pick_row(random, rows, *REFERENCE_COLUMN)
    rows[table][at][REFERENCE_COLUMN[table] : REFERENCE_COLUMN[table] + 1] = [identifier("nobody")]
    return f"{table} row {at}"


def write_bad_date(random: Random, rows: Rows) -> str:
    _, at = pick_row(random, rows, "orders")
    place, text = random.choice(DATE_COLUMNS), random.choice(BAD_DATES)
    rows["orders"][at][place : place + 1] = [text]
    return f"orders row {at} field {place} is {text}"


def write_latin_1(random: Random, rows: Rows) -> str:
    table, at, place = pick_field(random, rows)
    text = random.choice(ACCENTED)
    rows[table][at][place] = text.encode("latin-1").decode("utf-8", errors="surrogateescape")
    return f"{table} row {at} field {place} is {text} in Latin-1"


def encoded(rows: Rows) -> dict[str, bytearray]:
    """The content of each file in UTF-8, except the fields that `write_latin_1` changed."""
    lines = {table: [HEADERS[table], *map(",".join, rows[table])] for table in FILES}
    text = {table: "".join(f"{line}\n" for line in lines[table]) for table in FILES}
    return {table: bytearray(text[table].encode("utf-8", errors="surrogateescape")) for table in FILES}


def flip_bytes(random: Random, files: dict[str, bytearray]) -> str:
    table = random.choice(list(FILES))
    flips = [(random.randrange(len(files[table])), random.randint(1, 255)) for _ in range(random.randint(1, 4))]
    for place, mask in flips:
        files[table][place] ^= mask
    return f"{table} {flips}"


def unbalance_quotes(random: Random, files: dict[str, bytearray]) -> str:
    table = random.choice(list(FILES))
    quotes = [place for place, byte in enumerate(files[table]) if byte == ord('"')]
    if random.choice([True, False]):
        place = random.choice(quotes)
        del files[table][place]
        return f"{table} without the one at {place}"
    place = random.randint(0, len(files[table]))
    files[table].insert(place, ord('"'))
    return f"{table} with one more at {place}"


def write_utf_16(random: Random, files: dict[str, bytearray]) -> str:
    table = random.choice(list(FILES))
    lines = files[table].splitlines(keepends=True)
    # Mostly one line, since a whole file in UTF-16 has no readable header and ends the run at once.
    at = random.randint(-1, len(lines) - 1)
    selection = slice(None) if at < 0 else slice(at, at + 1)
    text = b"".join(lines[selection]).decode("utf-8", errors="replace")
    lines[selection] = [text.encode("utf-16" if at < 0 else "utf-16-le")]
    files[table][:] = b"".join(lines)
    return f"{table} {'whole' if at < 0 else f'line {at}'}"


ROW_CORRUPTIONS = {
    "columns cut": change_field_count,
    "null": blank_field,
    "huge field": write_huge_field,
    "NUL byte": insert_nul,
    "copy": copy_row,
    "conflict": add_conflicting_row,
    "orphan": break_reference,
    "date out of range": write_bad_date,
    "latin-1": write_latin_1,
}
BYTE_CORRUPTIONS = {"bytes flipped": flip_bytes, "quotes unbalanced": unbalance_quotes, "utf-16": write_utf_16}
KINDS = (*ROW_CORRUPTIONS, *BYTE_CORRUPTIONS)


CORRUPTIONS_PER_INPUT = (1, 2, 3, 4, 1)
"""How many corruptions one input after the other has. Five inputs have 11, and 8 have more than there are kinds."""


def malformed_files(random: Random, kinds: Sequence[str]) -> MalformedFiles:
    """The files of `valid_rows` with a corruption of each kind: those of rows first, then those of bytes."""
    rows = valid_rows()
    ordered = sorted(kinds, key=KINDS.index)
    corruptions = [(kind, ROW_CORRUPTIONS[kind](random, rows)) for kind in ordered if kind in ROW_CORRUPTIONS]
    files = encoded(rows)
    corruptions += [(kind, BYTE_CORRUPTIONS[kind](random, files)) for kind in ordered if kind in BYTE_CORRUPTIONS]
    content = {table: bytes(file) for table, file in files.items()}
    is_plain = not any(kind in BYTE_CORRUPTIONS for kind in kinds)
    return MalformedFiles(content, tuple(corruptions), are_records_plain=is_plain)


def malformed_inputs(random: Random, count: int) -> Iterator[MalformedFiles]:
    """So many inputs. Each kind of corruption comes once before any comes again."""

    def all_kinds() -> Iterator[str]:
        while True:
            yield from random.sample(KINDS, len(KINDS))

    kinds = all_kinds()
    for corruptions in islice(cycle(CORRUPTIONS_PER_INPUT), count):
        yield malformed_files(random, list(islice(kinds, corruptions)))
