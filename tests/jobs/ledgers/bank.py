"""A bank's ledger: its rows, the files that hold them, and what plain Python makes of each row.

Debits are negative. Card payments and transfers are purchases, credits and reversals take one back; fees and interest
are neither. Amounts are in four currencies; a rate holds over a weekend.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random

from tests.frames import at
from tests.jobs.ledgers.ledger_runs import csv_text

AS_OF = date(2018, 6, 30)
MAPPING = """
csv: {delimiter: ";", decimal: ",", encoding: windows-1252}
customer_id_col: Konto
datetime_col: gebucht am
datetime_format: dd.MM.yyyy HH:mm
monetary_value_col: Betrag
transaction_id_col: Buchung
status_col: Status
type_col: Art
channel_col: Weg
currency_col: Währung
returned_transaction_col: Rückbuchung zu
sign: debits negative
types: {purchase: [Karte, Überweisung], return: [Gutschrift], reversal: [Storno], fee: ["Geb*"], other: [Zinsen]}
returns: cancel
currency: EUR
rates: kurse.csv
rates_hold_days: 2
keep: {Status: [gebucht]}
drop: {Weg: ["intern*"]}
"""
HEADER = ("Buchung", "Konto", "gebucht am", "Betrag", "Währung", "Art", "Status", "Weg", "Rückbuchung zu", "Text")
PURCHASES, RETURNS, FEE, INTEREST = ("Karte", "Überweisung"), ("Gutschrift", "Storno"), "Gebühr", "Zinsen"
UNIT = Decimal("0.0001")


@dataclass(frozen=True)
class Entry:
    """One row of the ledger. ``lost`` names the rule that rejects it; None for a row that is accepted."""

    entry: str
    account: str
    time: datetime
    amount: str
    currency: str
    kind: str
    status: str = "gebucht"
    channel: str = "App"
    takes_back: str = ""
    text: str = "Café «Größe 5» – 3 €"
    lost: str | None = None

    @property
    def money(self) -> tuple[str, Decimal]:
        """The amount as it stands there, with its currency; nothing in one that has no rates, which is in no sum."""
        has_rates = self.currency in (*RATES, "EUR")
        return self.currency, Decimal(self.amount) if has_rates else Decimal(0)

    @property
    def worth(self) -> Decimal:
        """The amount in euros, above 0."""
        rate = Decimal(1) if self.currency == "EUR" else rate_of(self.currency, self.time.date())
        assert rate is not None
        return (abs(Decimal(self.amount)) * rate).quantize(UNIT, ROUND_HALF_UP)

    @property
    def cells(self) -> tuple[str, ...]:
        amount = f"{Decimal(self.amount):,}".translate(str.maketrans(",.", ".,"))
        time = self.time.strftime("%d.%m.%Y %H:%M")
        described = (self.currency, self.kind, self.status, self.channel, self.takes_back, self.text)
        return (self.entry, self.account, time, amount, *described)


def _rates() -> dict[str, dict[date, Decimal]]:
    """Rates of three currencies on working days; of the franc there are none from May on."""
    random, days = Random(5), [date(2018, 1, 1) + timedelta(days=number) for number in range(200)]
    spread = {"USD": ("0.86851", "0.81333"), "CHF": ("0.90909091", "0.83"), "JPY": ("0.0075", "0.00812345")}
    return {
        currency: {
            day: Decimal(random.choice(choices))
            for day in days
            if day.weekday() < 5 and (currency != "CHF" or day < date(2018, 5, 1))
        }
        for currency, choices in spread.items()
    }


RATES = _rates()


def rate_of(currency: str, day: date) -> Decimal | None:
    """The rate of a day, or the last one if it is at most two days older; None if there is none."""
    held = [RATES[currency].get(day - timedelta(days=age)) for age in range(3)]
    return next((rate for rate in held if rate is not None), None)


def entries() -> list[Entry]:
    """All rows: ordinary ones, then one or two of each kind that something is particular about."""
    random = Random(29)
    ordinary = []
    for number in range(160):
        time = at("2018-01-03") + timedelta(minutes=random.randrange(170 * 24 * 60))
        currency = random.choice(("EUR", "EUR", "EUR", "USD", "JPY"))
        amount = f"-{random.randint(1, 400_000) / 100:.2f}"
        kind = random.choice(("Karte", "Karte", "Überweisung", "Gebühr"))
        status, channel = random.choice(("gebucht",) * 5 + ("geplant", "")), random.choice(("App",) * 5 + ("intern 7",))
        account = f"DE{number % 30:04}"
        ordinary.append(Entry(f"b{number:03}", account, time, amount, currency, kind, status, channel))
    purchases = [each for each in ordinary if each.kind != FEE]
    returns = [
        returned(each, f"r{number:02}", kind="Storno" if number % 3 else "Gutschrift")
        for number, each in enumerate(purchases[::5])
    ]
    return [*ordinary, *returns, *_particular(purchases), *_rejected(ordinary)]


def returned(purchase: Entry, entry: str, *, kind: str) -> Entry:
    """What takes a purchase back a day later."""
    amount = purchase.amount.removeprefix("-")
    time = purchase.time + timedelta(days=1)
    return replace(
        purchase, entry=entry, amount=amount, time=time, kind=kind, status="gebucht", takes_back=purchase.entry
    )


def _particular(purchases: list[Entry]) -> list[Entry]:
    """Valid rows at the edges of the rules."""
    noon = at("2018-06-29 12:00")
    late = Entry("late", "DE0001", at("2018-07-01"), "-10.00", "EUR", "Karte")
    kept = Entry("kept", "DE0090", noon, "-20.00", "EUR", "Karte")
    return [
        late,
        # A return after the as-of date takes nothing back, and neither does one that is not booked or is another's.
        kept,
        replace(returned(kept, "too late", kind="Gutschrift"), time=at("2018-07-01")),
        replace(returned(kept, "not booked", kind="Storno"), status="geplant", time=noon),
        replace(returned(kept, "of another", kind="Gutschrift"), account="DE0091", time=noon),
        Entry("of nothing", "DE0090", noon, "3.00", "EUR", "Storno"),
        # What is taken back does not count itself.
        replace(purchases[1], entry="inside", channel="intern", account="DE0092"),
        replace(returned(purchases[1], "of inside", kind="Gutschrift"), account="DE0092", takes_back="inside"),
        # On a Sunday Friday's rate holds, and 0.50 yen at 0.0075 are 0.00375 euros: half of the last decimal.
        Entry("sunday", "DE0093", at("2018-03-11 08:00"), "-100.00", "CHF", "Karte"),
        Entry("midnight", "DE0094", at("2018-06-30 23:59"), "-1234567.89", "USD", "Überweisung"),
        Entry("small", "DE0095", at("2018-06-29"), "-0.5", "JPY", "Karte"),
        Entry("nothing", "DE0096", noon, "0", "EUR", "Karte"),
        Entry("copied", "DE0097", noon, "-7.00", "EUR", "Karte"),
        Entry("interest", "DE0098", noon, "1.25", "EUR", INTEREST),
    ]


def _rejected(ordinary: list[Entry]) -> list[Entry]:
    """Rows that are rejected, each with the rule for which it is."""
    time = at("2018-05-14 10:00")
    unique = "unique(order_id)"
    copied = next(each for each in _particular(ordinary) if each.entry == "copied")
    return [
        Entry("no rate", "DE0001", time, "-5.00", "CHF", "Karte", lost="has_rate(currency, order_purchase_time)"),
        Entry("unknown", "DE0002", time, "-6.00", "XAU", "Karte", lost="has_rate(currency, order_purchase_time)"),
        Entry("positive", "DE0003", time, "6.50", "EUR", "Karte", lost="has_sign(payment_value)"),
        Entry("other kind", "DE0004", time, "-7.25", "USD", "Prämie", lost="has_kind(transaction_type)"),
        Entry("no account", "", time, "-8.00", "EUR", "Karte", lost="not_null(customer_unique_id)"),
        Entry("twice", "DE0005", time, "-9.00", "EUR", "Karte", lost=unique),
        Entry("twice", "DE0005", time, "-9.50", "EUR", "Karte", lost=unique),
        # Its text, which nobody reads, is another. That makes it no other row.
        replace(copied, text="x", lost=unique),
    ]


def with_causes(rows: Iterable[Entry]) -> list[tuple[Entry, str | None]]:
    """Each accepted row, with the cause for which it does not count; None for one that counts."""
    accepted = [row for row in rows if row.lost is None]
    first = {row: _cause_by_itself(row) for row in accepted}
    purchases = {(row.account, row.entry) for row in accepted if row.kind in PURCHASES}
    taken_back = {(row.account, row.takes_back) for row in accepted if row.kind in RETURNS and first[row] is None}

    def cause(row: Entry) -> str | None:
        if first[row] is not None:
            return first[row]
        if row.kind in PURCHASES:
            return "cancelled_purchases" if (row.account, row.entry) in taken_back else None
        has_purchase = (row.account, row.takes_back) in purchases
        return "returns_of_cancelled_purchases" if has_purchase else "returns_without_their_purchase"

    return [(row, cause(row)) for row in accepted]


def _cause_by_itself(row: Entry) -> str | None:
    if row.status != "gebucht":
        return "Status not kept"
    if row.channel.startswith("intern"):
        return "Weg dropped"
    if row.time.date() > AS_OF:
        return "purchased_after_as_of"
    return {FEE: "fees", INTEREST: "other_types"}.get(row.kind)


def write_bank(folder: Path, rows: Iterable[Entry]) -> Path:
    """Write the ledger, and the rates beside where the mapping is; return the ledger's file."""
    file = folder / "buchungen.csv"
    text = csv_text([HEADER, *[row.cells for row in rows]], delimiter=";")
    file.write_text(text, encoding="windows-1252", newline="\r\n")
    lines = [(currency, day, rate) for currency, rates in RATES.items() for day, rate in rates.items()]
    (folder / "kurse.csv").write_text(csv_text([("currency", "date", "rate"), *lines]))
    return file
