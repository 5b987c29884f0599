"""Small ledgers and mappings with the corruptions that real ones have, drawn from a seed."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from random import Random

from tests.jobs.ledgers.ledger_runs import csv_text

AS_OF = "2018-06-30"
HEADER = ["id", "who", "at", "paid", "price", "coin", "kind", "state", "undoes", "note"]
RATES = "currency,date,rate\n" + "".join(f"USD,2018-{month:02}-01,0.8{month}\n" for month in range(1, 13))

COLUMNS = "customer_id_col: who\ndatetime_col: at\ncurrency: EUR\n"
TYPES = 'type_col: kind\ntypes: {purchase: [buy, "*"], return: ["ret*"], reversal: [undo], fee: [fee]}\n'
CANCEL = "returned_transaction_col: undoes\nreturns: cancel\nsign: purchases positive\ncustomer_missing: leave out\n"
CONVERTED = "currency_col: coin\nrates: rates.csv\nrates_hold_days: 31\n"
ZONES = "datetime_zone: UTC\ntime_zone: America/Sao_Paulo\n"
MAPPINGS = (
    f"{COLUMNS}monetary_value_col: paid\n",
    f"{COLUMNS}monetary_value_col: paid\ntransaction_id_col: id\nsign: purchases positive\nreturns: net\n",
    f"{COLUMNS}monetary_value_col: [paid, price]\norder_id_col: id\n{TYPES}sign: purchases positive\nreturns: net\n",
    f"{COLUMNS}monetary_value_col: paid\ntransaction_id_col: id\n{TYPES}{CANCEL}",
    f"{COLUMNS}monetary_value_col: paid\n{CONVERTED}keep: {{state: [booked, open]}}\ndrop: {{note: [x]}}\n",
    f"{COLUMNS}monetary_value_col: paid\ncurrency_col: coin\ntransaction_id_col: id\n{ZONES}{TYPES}",
)
"""Valid mappings, in each of which the columns mean something else."""

BAD_TIMES = (
    *("2018-02-30 10:00:00", "2018-13-01 00:00:00", "20018-01-01 10:00:00", "yesterday", "0001-01-01", "9999-12-31"),
    *("2018-01-01T10:00:00+14:00", "2018-01-01 10:00Z", "01.02.2018", "1514764800", "2018-01-01 10:00:00 PST"),
)
BAD_NUMBERS = (
    *(
        "1,00",
        "1.000,00",
        "1e5",
        "NaN",
        "-",
        "--1",
        "1.23456",
        "12345678901234567890",
        "999999999999999",
        "0x1F",
        "€ 5",
    ),
    *("-0", "+1.5", ".5", "5.", " 5", "1 000", "٣", "1_000", "1000000000001"),
)
OTHER_WORDS = ("", "CHF", "eur", "void", "*", "ret", "é" * 40)
HUGE = 200_000

Rows = list[list[str]]


@dataclass
class MalformedLedger:
    """A ledger, its mapping and its rates, with their corruptions.

    Attributes:
        content: the bytes of the ledger.
        mapping: the bytes of the mapping.
        rates: the bytes of the rates.
        corruptions: the kind and the details of each corruption, in order.
        records: how many the ledger has, where every reader of CSV finds the same; None elsewhere.
    """

    content: bytearray = field(repr=False)
    mapping: bytearray
    rates: bytearray = field(repr=False)
    corruptions: list[tuple[str, str]] = field(default_factory=list)
    records: int | None = None

    def write(self, folder: Path) -> list[str]:
        """Write the files, and return the arguments that name them."""
        folder.mkdir(exist_ok=True)
        for name, content in (("ledger.csv", self.content), ("mapping.yml", self.mapping), ("rates.csv", self.rates)):
            (folder / name).write_bytes(content)
        files = ["--mapping", str(folder / "mapping.yml"), "--input", str(folder / "ledger.csv")]
        return ["--source", "ledger", *files]


def valid_rows(random: Random) -> Rows:
    """Rows of each kind, with quotes and line breaks in their notes, which nobody reads."""
    rows = []
    for number in range(24):
        kind = random.choice(("buy", "buy", "other", "return", "undo", "fee"))
        amount = f"{'-' if kind in ('return', 'undo') else ''}{random.randrange(10_000) / 100:.2f}"
        time = f"2018-{random.randint(1, 7):02}-{random.randint(1, 28):02} 10:{number:02}:00"
        note = random.choice(("", "x", 'a "quoted" word', "two\nlines", "a; b, c"))
        undone = f"t{random.randrange(24)}" if kind in ("return", "undo") else ""
        coin, state = random.choice(("EUR", "EUR", "USD")), random.choice(("booked", "open", "void"))
        rows.append([f"t{number}", f"c{number % 7}", time, amount, "1.5", coin, kind, state, undone, note])
    return rows


def cut_a_line(random: Random, rows: Rows) -> str:
    row = random.choice(rows)
    del row[random.randrange(1, len(row)) :]
    return f"{row[0]} has {len(row)} fields"


def add_fields(random: Random, rows: Rows) -> str:
    row = random.choice(rows)
    row += ["more"] * random.choice((1, 3, 500))
    return f"{row[0]} has {len(row)} fields"


def set_cell(values: Callable[[Random], str], *columns: str) -> Callable[[Random, Rows], str]:
    """Write a drawn value into a column of a row, of those that have it."""

    def corrupt(random: Random, rows: Rows) -> str:
        place = HEADER.index(random.choice(columns or HEADER))
        row = random.choice([row for row in rows if len(row) > place])
        row[place] = values(random)
        return f"{row[0][:9]} {HEADER[place]} is {row[place][:30]!r}"

    return corrupt


def copy_a_row(random: Random, rows: Rows) -> str:
    rows.insert(random.randint(0, len(rows)), [*random.choice(rows)])
    return "one more"


def repeat_an_id(random: Random, rows: Rows) -> str:
    one, other = random.sample(rows, 2)
    other[0] = one[0]
    return one[0]


def flip_bytes(random: Random, content: bytearray) -> str:
    flips = [(random.randrange(len(content)), random.randint(1, 255)) for _ in range(random.randint(1, 5))]
    for place, mask in flips:
        content[place] ^= mask
    return str(flips)


def insert_bytes(random: Random, content: bytearray) -> str:
    place = random.randint(0, len(content))
    content[place:place] = inserted = random.randbytes(random.choice((1, 10, 300)))
    return f"{len(inserted)} at {place}"


def cut_the_end(random: Random, content: bytearray) -> str:
    place = random.choice((0, random.randrange(len(content)), random.randrange(len(content))))
    del content[place:]
    return f"at {place}"


def unbalance_quotes(random: Random, content: bytearray) -> str:
    place = random.randint(0, len(content))
    content[place:place] = b'"'
    return f"one more at {place}"


def encode_anew(random: Random, content: bytearray) -> str:
    encoding = random.choice(("utf-16", "utf-8-sig", "utf-32", "cp037"))
    content[:] = content.decode("utf-8", errors="replace").encode(encoding, errors="replace")
    return encoding


def other_line_ends(random: Random, content: bytearray) -> str:
    end = random.choice((b"\r", b"\r\n", b"\n\n", b"\n,,,\n"))
    content[:] = content.replace(b"\n", end)
    return repr(end)


def change_a_line(random: Random, text: bytearray) -> str:
    """Lose, repeat or misspell a line of a mapping."""
    lines = text.decode("utf-8", errors="replace").splitlines()
    place = random.randrange(len(lines))
    way = random.choice(("lose", "repeat", "misspell"))
    before = lines[place]
    lines[place : place + 1] = {"lose": [], "repeat": [before, before], "misspell": [before[1:]]}[way]
    text[:] = "\n".join(lines).encode()
    return f"{way} {before}"


VALUES = (
    *("null", "yes", "17", "-1.5", "[]", "[a, [b]]", "{}", "{purchase: [1]}", "2018-01-01", "''", '"*"', "&a [*a]"),
    *("who", "at", "nothing", "x" * 3000, "!!python/object:os.system", "net", "cancel", "UTC", "rates.csv", "/", "~"),
    *("yyyyMMddyyyyy", "hh:mm dd.MM.yyyy", "MMMM", "yyyy-MM-dd HH:mm:ss", "S{9}", "dd/MM/yy", "[9, 9, 9]", "99999"),
)
KEYS = (
    *("customer_id_col", "datetime_col", "monetary_value_col", "currency", "transaction_id_col", "order_id_col"),
    *("status_col", "type_col", "channel_col", "currency_col", "returned_transaction_col", "datetime_format"),
    *("datetime_zone", "time_zone", "sign", "types", "returns", "rates", "rates_hold_days", "customer_missing"),
    *("keep", "drop", "partitioned_by", "csv", "__pydantic_config__", "<<", "1"),
)


def set_a_key(random: Random, text: bytearray) -> str:
    """Give a key of a mapping another value, whether it is there or not."""
    key, value = random.choice(KEYS), random.choice(VALUES)
    lines = [line for line in text.decode("utf-8", errors="replace").splitlines() if not line.startswith(f"{key}:")]
    text[:] = "\n".join([*lines, f"{key}: {value}"]).encode()
    return f"{key}: {value[:40]}"


def swap_columns(random: Random, text: bytearray) -> str:
    """Name one column where another is meant."""
    one, other = random.sample(HEADER, 2)
    swapped = re.sub(rf"\b{one}\b", other, text.decode("utf-8", errors="replace"))
    text[:] = swapped.encode()
    return f"{other} for {one}"


def change_the_form(random: Random, text: bytearray) -> str:
    """Say another form of CSV."""
    form = random.choice(
        (
            *("{delimiter: ';'}", "{decimal: ','}", "{encoding: windows-1252}", "{delimiter: whitespace}"),
            *("{header: [id, who, at, paid]}", "{header: [who, who]}", "{delimiter: ''}", "[1]", "{header: id}"),
        )
    )
    text[:] += f"\ncsv: {form}\n".encode()
    return form


ROW_CORRUPTIONS: dict[str, Callable[[Random, Rows], str]] = {
    "line cut": cut_a_line,
    "fields added": add_fields,
    "null": set_cell(lambda _: ""),
    "huge field": set_cell(lambda random: random.choice("x90 é,") * HUGE),
    "NUL byte": set_cell(lambda random: f"1\0{random.randrange(9)}"),
    "wrong time": set_cell(lambda random: random.choice(BAD_TIMES), "at"),
    "wrong number": set_cell(lambda random: random.choice(BAD_NUMBERS), "paid", "price"),
    "wrong word": set_cell(
        lambda random: random.choice(("", "CHF", "eur", "void", "*", "ret", "é" * 40)), *HEADER[5:8]
    ),
    "copy": copy_a_row,
    "id twice": repeat_an_id,
    "latin-1": set_cell(lambda random: random.choice(("s\udce3o", "\udce7", "\udcff\udcfe"))),
}
BYTE_CORRUPTIONS: dict[str, Callable[[Random, bytearray], str]] = {
    "bytes flipped": flip_bytes,
    "bytes inserted": insert_bytes,
    "end cut": cut_the_end,
    "quotes unbalanced": unbalance_quotes,
    "encoding": encode_anew,
    "line ends": other_line_ends,
}
MAPPING_CORRUPTIONS: dict[str, Callable[[Random, bytearray], str]] = {
    "mapping's line": change_a_line,
    "mapping's key": set_a_key,
    "mapping's columns": swap_columns,
    "mapping's form of CSV": change_the_form,
    "mapping's bytes": flip_bytes,
}
RATES_CORRUPTIONS: dict[str, Callable[[Random, bytearray], str]] = {
    "rates' bytes": flip_bytes,
    "rates cut": cut_the_end,
}
KINDS = (*ROW_CORRUPTIONS, *BYTE_CORRUPTIONS, *MAPPING_CORRUPTIONS, *RATES_CORRUPTIONS)

CORRUPTIONS_PER_INPUT = (4, 3, 4, 5, 4, 4)
"""How many corruptions one input after the other has. Six inputs have as many as there are kinds."""


def malformed_ledger(random: Random, kinds: Sequence[str]) -> MalformedLedger:
    """A ledger with a corruption of each kind: of rows first, then of bytes."""
    rows, details = valid_rows(random), []
    ordered = sorted(kinds, key=KINDS.index)
    details = [(kind, ROW_CORRUPTIONS[kind](random, rows)) for kind in ordered if kind in ROW_CORRUPTIONS]
    text = csv_text([HEADER, *rows])
    ledger = MalformedLedger(
        content=bytearray(text.encode("utf-8", errors="surrogateescape")),
        mapping=bytearray(random.choice(MAPPINGS).encode()),
        rates=bytearray(RATES.encode()),
        corruptions=details,
    )
    meant = ledger.mapping.count(b"note")
    for corruptions, target in (
        (BYTE_CORRUPTIONS, ledger.content),
        (MAPPING_CORRUPTIONS, ledger.mapping),
        (RATES_CORRUPTIONS, ledger.rates),
    ):
        for kind in ordered:
            if kind in corruptions and target:
                ledger.corruptions.append((kind, corruptions[kind](random, target)))
    are_plain = not {*kinds} & {*BYTE_CORRUPTIONS, "mapping's form of CSV"} and all(map(is_plain, rows))
    # A line break is taken for a part of a note, and of no other column.
    if are_plain and ledger.mapping.count(b"note") == meant:
        ledger.records = len(rows)
    return ledger


def is_plain(row: list[str]) -> bool:
    """Whether every reader takes a row for one record: it is not blank, and holds a line break at its usual place."""
    text = "".join(row)
    return bool(text.strip()) and ("\n" not in text or (len(row) == len(HEADER) and len(text) < 1000))


def malformed_ledgers(random: Random, count: int) -> Iterator[MalformedLedger]:
    """So many ledgers. Each kind of corruption comes once before any comes again."""

    def all_kinds() -> Iterator[str]:
        while True:
            yield from random.sample(KINDS, len(KINDS))

    kinds = all_kinds()
    for corruptions in islice(cycle(CORRUPTIONS_PER_INPUT), count):
        yield malformed_ledger(random, list(islice(kinds, corruptions)))
