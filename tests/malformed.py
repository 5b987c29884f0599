"""Raw files of a few rows, spoiled in the ways in which files are spoiled before they get here."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from tests.raw_files import CUSTOMERS_HEADER, ORDERS_HEADER, PAYMENTS_HEADER, key

FILES = {
    "customers": "olist_customers_dataset.csv",
    "orders": "olist_orders_dataset.csv",
    "payments": "olist_order_payments_dataset.csv",
}
HEADERS = {"customers": CUSTOMERS_HEADER, "orders": ORDERS_HEADER, "payments": PAYMENTS_HEADER}
COLUMNS = {table: len(header.split(",")) for table, header in HEADERS.items()}

MARK = {"customers": 3, "orders": 5, "payments": 4}
"""The column in which each row has a text that no other row of its file has, and that any table keeps."""
MARKS = {
    "customers": re.compile(r"vila \d{4}"),
    "orders": re.compile(r"2018-02-01 00:00:\d\d"),
    "payments": re.compile(r"1\d{3}\.37"),
}
DATES = range(3, 8)
REFERENCE = {"orders": 1, "payments": 0}
"""The column by which a row refers to a row of another file."""

HUGE = 200_000
"""More than Python's csv module takes for a field unless it is asked to (131,072)."""
MOST_FIELDS = 20_480
FILLINGS = ("x", "9", "0", " ", "é", "\0", "1.0", ",")
BAD_DATES = (
    *("2018-02-30 10:00:00", "2018-13-01 00:00:00", "2018-01-01 24:00:00", "20018-01-01 10:00:00", "yesterday"),
    *("0000-01-01 00:00:00", "0001-01-01 00:00:00", "1582-10-10 00:00:00", "1899-12-31 23:59:59"),
    *("2015-12-31 23:59:59", "2262-04-12 00:00:00", "9999-12-31 23:59:59"),
)
ACCENTED = ("são", "çãé", "Ávila")

Rows = dict[str, list[list[str]]]
"""The fields of each row of each file, as they stand in the file, quotes and all."""


def mark(table: str, number: int) -> str:
    """The text that tells a row of a file from all others."""
    forms = {"customers": "vila {:04}", "orders": "2018-02-01 00:00:{:02}", "payments": "1{:03}.37"}
    return forms[table].format(number)


def identifier(name: str) -> str:
    """The identifier that a short name stands for, as a field of a file."""
    return f'"{key(name)}"'


def whole_rows() -> Rows:
    """Six customers, six orders and eight payments, with which nothing is wrong."""
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
class Spoiled:
    """Three files, and what was done to them.

    Attributes:
        content: of each file.
        spoilings: what was done, in order: kind and particulars.
        are_records_plain: whether any reader of CSV sees the same records in the files.
    """

    content: dict[str, bytes] = field(repr=False)
    spoilings: tuple[tuple[str, str], ...]
    are_records_plain: bool

    def write(self, folder: Path) -> None:
        """Put the files on disk."""
        folder.mkdir(exist_ok=True)
        for table, content in self.content.items():
            (folder / FILES[table]).write_bytes(content)

    def can_be_read(self) -> bool:
        """Whether each file has its header, and no record with more fields than Spark's reader can take."""
        whole = all(self.content[table].startswith(f"{header}\n".encode()) for table, header in HEADERS.items())
        quoted = r'"[^"]*"' if self.are_records_plain else r"(?!)"
        lines = [line for table in FILES for line in re.sub(quoted, "", self.text(table)).split("\n")]
        return whole and max(line.count(",") for line in lines) < MOST_FIELDS

    def marks(self, table: str) -> Counter[str]:
        """How often each mark still stands in a file."""
        return Counter(MARKS[table].findall(self.text(table)))

    def text(self, table: str) -> str:
        """A file as text, as far as it is any."""
        return self.content[table].decode("utf-8", errors="replace")

    def records(self, table: str) -> list[tuple[str | None, ...]]:
        """The records of a file below its header, each with as many fields as a row should have."""
        width, limit = COLUMNS[table], csv.field_size_limit(10 * HUGE)
        try:
            _, *records = csv.reader(io.StringIO(self.text(table), newline=""))
        finally:
            csv.field_size_limit(limit)  # it is everybody's
        cut = [[field or None for field in record[:width]] for record in records if record]
        return [(*fields, *[None] * (width - len(fields))) for fields in cut]


def a_row(choose: Random, rows: Rows, *tables: str) -> tuple[str, int]:
    """One row of one file."""
    table = choose.choice(tables or tuple(FILES))
    return table, choose.randrange(len(rows[table]))


def a_field(choose: Random, rows: Rows) -> tuple[str, int, int]:
    """One field of one row of one file."""
    table, at = a_row(choose, rows)
    return table, at, choose.randrange(len(rows[table][at]))


def cut_columns(choose: Random, rows: Rows) -> str:
    table, at = a_row(choose, rows)
    width = choose.choice([*range(1, COLUMNS[table]), COLUMNS[table] + 1])
    rows[table][at] = [*rows[table][at], "more"][:width]
    return f"{table} row {at} has {len(rows[table][at])} fields"


def take_value(choose: Random, rows: Rows) -> str:
    table, at, place = a_field(choose, rows)
    rows[table][at][place] = ""
    return f"{table} row {at} field {place}"


def blow_up(choose: Random, rows: Rows) -> str:
    table, at, place = a_field(choose, rows)
    filling, quote = choose.choice(FILLINGS), choose.choice(['"', ""])
    rows[table][at][place] = f"{quote}{filling * (HUGE // len(filling))}{quote}"
    return f"{table} row {at} field {place} is {HUGE} characters of {filling!r}, {'' if quote else 'not '}quoted"


def put_nul(choose: Random, rows: Rows) -> str:
    table, at, place = a_field(choose, rows)
    text = rows[table][at][place]
    quotes = 1 if text.startswith('"') else 0
    where = choose.randint(quotes, len(text) - quotes)
    rows[table][at][place] = f"{text[:where]}\0{text[where:]}"
    return f"{table} row {at} field {place} before character {where}"


def copy_row(choose: Random, rows: Rows) -> str:
    table, at = a_row(choose, rows)
    to = choose.randint(0, len(rows[table]))
    rows[table].insert(to, list(rows[table][at]))
    return f"{table} row {at} again as row {to}"


def contradict(choose: Random, rows: Rows) -> str:
    table, at = a_row(choose, rows)
    other, new = list(rows[table][at]), mark(table, 10 + len(rows[table]))
    other[MARK[table] : MARK[table] + 1] = [new]
    rows[table].append(other)
    return f"{table} row {at} again, last, with {new}"


def orphan(choose: Random, rows: Rows) -> str:
    table, at = a_row(choose, rows, *REFERENCE)
    rows[table][at][REFERENCE[table] : REFERENCE[table] + 1] = [identifier("nobody")]
    return f"{table} row {at}"


def misdate(choose: Random, rows: Rows) -> str:
    _, at = a_row(choose, rows, "orders")
    place, text = choose.choice(DATES), choose.choice(BAD_DATES)
    rows["orders"][at][place : place + 1] = [text]
    return f"orders row {at} field {place} is {text}"


def accent(choose: Random, rows: Rows) -> str:
    table, at, place = a_field(choose, rows)
    text = choose.choice(ACCENTED)
    rows[table][at][place] = text.encode("latin-1").decode("utf-8", errors="surrogateescape")
    return f"{table} row {at} field {place} is {text} in Latin-1"


def encoded(rows: Rows) -> dict[str, bytearray]:
    """The files of rows: UTF-8, but for what `accent` put there."""
    lines = {table: [HEADERS[table], *map(",".join, rows[table])] for table in FILES}
    text = {table: "".join(f"{line}\n" for line in lines[table]) for table in FILES}
    return {table: bytearray(text[table].encode("utf-8", errors="surrogateescape")) for table in FILES}


def flip_bytes(choose: Random, files: dict[str, bytearray]) -> str:
    table = choose.choice(list(FILES))
    flips = [(choose.randrange(len(files[table])), choose.randint(1, 255)) for _ in range(choose.randint(1, 4))]
    for place, mask in flips:
        files[table][place] ^= mask
    return f"{table} {flips}"


def unbalance_quotes(choose: Random, files: dict[str, bytearray]) -> str:
    table = choose.choice(list(FILES))
    quotes = [place for place, byte in enumerate(files[table]) if byte == ord('"')]
    if choose.choice([True, False]):
        place = choose.choice(quotes)
        del files[table][place]
        return f"{table} without the one at {place}"
    place = choose.randint(0, len(files[table]))
    files[table].insert(place, ord('"'))
    return f"{table} with one more at {place}"


def write_utf_16(choose: Random, files: dict[str, bytearray]) -> str:
    table = choose.choice(list(FILES))
    lines = files[table].splitlines(keepends=True)
    # Mostly a line: a whole file has no header that anyone can read, and that is soon found out.
    at = choose.randint(-1, len(lines) - 1)
    which = slice(None) if at < 0 else slice(at, at + 1)
    text = b"".join(lines[which]).decode("utf-8", errors="replace")
    lines[which] = [text.encode("utf-16" if at < 0 else "utf-16-le")]
    files[table][:] = b"".join(lines)
    return f"{table} {'whole' if at < 0 else f'line {at}'}"


OF_ROWS = {
    "columns cut": cut_columns,
    "null": take_value,
    "huge field": blow_up,
    "NUL byte": put_nul,
    "copy": copy_row,
    "conflict": contradict,
    "orphan": orphan,
    "date out of range": misdate,
    "latin-1": accent,
}
OF_BYTES = {"bytes flipped": flip_bytes, "quotes unbalanced": unbalance_quotes, "utf-16": write_utf_16}
KINDS = (*OF_ROWS, *OF_BYTES)


@st.composite
def spoiled_files(draw: Callable) -> Spoiled:
    """The files of `whole_rows`, spoiled in one to four ways: rows first, and then the bytes."""
    # Evenly: left to itself, hypothesis would spoil the first field of the first row again and again.
    choose, rows = draw(st.randoms(use_true_random=True)), whole_rows()
    kinds = sorted(choose.choices(KINDS, k=choose.randint(1, 4)), key=KINDS.index)
    spoilings = [(kind, OF_ROWS[kind](choose, rows)) for kind in kinds if kind in OF_ROWS]
    files = encoded(rows)
    spoilings += [(kind, OF_BYTES[kind](choose, files)) for kind in kinds if kind in OF_BYTES]
    content = {table: bytes(file) for table, file in files.items()}
    return Spoiled(content, tuple(spoilings), are_records_plain=not any(kind in OF_BYTES for kind in kinds))
