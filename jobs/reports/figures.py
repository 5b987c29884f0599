"""Figures and tables as the page shows them: exact, in the reader's locale, and hidden where they tell of one person.

A figure is a ``<data>`` element: its text is for readers without JavaScript, and its ``value`` is exact. The script of
the page writes the text anew from the value, in the reader's locale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from markupsafe import Markup, escape

from transforms.rfm.scores import Bands, amount_in_words

Kind = Literal["count", "change", "money", "amount", "share", "rate", "decimal", "ratio", "index"]
"""A whole number, and one with its sign; money to the cent, and an amount to its last decimal. A share in percent, and
a rate with a decimal more. Numbers to one, two and three decimals."""

PATTERNS: Mapping[Kind, str] = {
    "count": "{:,}",
    "change": "{:+,}",
    "money": "{:,.2f}",
    "share": "{:.1%}",
    "rate": "{:.2%}",
    "decimal": "{:,.1f}",
    "ratio": "{:,.2f}",
    "index": "{:,.3f}",
}
"""How Python writes the kinds in English. The script of the page has the same for every locale."""

HIDDEN = "hidden"
"""What is shown of a cell that is hidden for the sake of a smaller one."""


@dataclass(frozen=True)
class Figure:
    """A figure of the page.

    Attributes:
        value: exact; None where it is hidden or there is none.
        kind: how it is written.
        instead: what is shown where there is no value.
    """

    value: int | float | Decimal | None
    kind: Kind = "count"
    instead: str = ""

    @property
    def number(self) -> float | None:
        """The value for a chart."""
        return None if self.value is None else float(self.value)

    @property
    def text(self) -> str:
        """The figure in English."""
        if self.value is None:
            return self.instead
        if self.kind == "amount":
            return amount_in_words(Decimal(self.value))
        return "0" if self.kind == "change" and not self.value else PATTERNS[self.kind].format(self.value)

    def __html__(self) -> Markup:
        if self.value is None:
            return Markup('<span class="hidden">{}</span>').format(self.instead) if self.instead else Markup("")
        exact = f"{self.value:f}" if isinstance(self.value, Decimal) else f"{self.value}"
        return Markup('<data value="{}" data-kind="{}">{}</data>').format(exact, self.kind, self.text)


@dataclass(frozen=True)
class Day:
    """A day of the page, or a month, in the reader's locale.

    Attributes:
        day: the day, or the first one of the month.
        form: which of the two it is.
    """

    day: date
    form: Literal["day", "month"] = "day"

    @property
    def text(self) -> str:
        """The day or the month as in the manifest."""
        return self.day.isoformat() if self.form == "day" else f"{self.day:%Y-%m}"

    def __html__(self) -> Markup:
        template = Markup('<time datetime="{}" data-form="{}">{}</time>')
        return template.format(self.day.isoformat(), self.form, self.text)


@dataclass(frozen=True)
class Words:
    """Words with figures and days among them."""

    parts: Sequence["str | Figure | Day"]

    @classmethod
    def of(cls, *parts: "str | Figure | Day") -> "Words":
        """The parts, one after another."""
        return cls(parts)

    @property
    def text(self) -> str:
        """The words in English."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __html__(self) -> Markup:
        return Markup("").join(map(escape, self.parts))


@dataclass(frozen=True)
class Range:
    """Two figures that stay together, also on a narrow page."""

    low: Figure
    high: Figure

    @property
    def text(self) -> str:
        """The range in English."""
        return f"{self.low.text} to {self.high.text}"

    def __html__(self) -> Markup:
        return Markup("<span>{} to {}</span>").format(self.low, self.high)


@dataclass(frozen=True)
class Link:
    """A link of the page, to a section or to a file beside it."""

    text: str
    target: str

    def __html__(self) -> Markup:
        return Markup('<a href="{}">{}</a>').format(self.target, self.text)


@dataclass(frozen=True)
class Named:
    """A name with its code, what there is to say of it, and the values that it stands for."""

    name: str
    code: str
    text: str
    values: Words = Words(())

    def __html__(self) -> Markup:
        name = Markup('<strong>{}</strong> <span class="code">{}</span>').format(self.name, self.code)
        lines = [Markup('<span class="note">{}</span>').format(line) for line in (self.text, self.values) if line]
        return Markup('<span class="named">{}{}</span>').format(name, Markup("").join(lines))


Shown = Figure | Day | Link | Named | Range | Words | str


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        caption: what it shows.
        header: the names of its columns.
        rows: a cell for each column.
        total: the row of the whole; empty for none.
        text_columns: the number of columns, from the first, that are text.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Shown]]
    total: Sequence[Shown] = ()
    text_columns: int = 1


NAMES: Mapping[str, str] = {"r": "days since the last purchase", "f": "purchases", "m": "money spent in all"}
"""What the page calls the measures, by letter."""


def money(value: Decimal | None, *, instead: str = "") -> Figure:
    """Money, to the cent."""
    return Figure(value, "money", instead)


def share(part: int | Decimal, whole: int | Decimal) -> Figure:
    """A part of a whole; no figure where there is no whole, or less than nothing."""
    return Figure(float(Decimal(part) / Decimal(whole)) if whole > 0 else None, "share")


def band(bands: Bands, first: int, last: int | None = None) -> Words:
    """The values of one band or of several next to each other, as `Bands.in_words` has those of one.

    Args:
        bands: of a measure.
        first: the place of the first.
        last: the place of the last; that of the first if there is one alone.
    """
    above, up_to = bands.edges(first)[0], bands.edges(first if last is None else last)[1]
    if above is None and up_to is None:
        return Words.of("any")
    if bands.measure.decimals:
        ends = [(word, edge) for word, edge in (("above ", above), ("up to ", up_to)) if edge is not None]
        return Words([part for word, edge in ends for part in (", ", word, Figure(edge, "amount"))][1:])
    low = None if above is None else Figure(int(above) + 1)
    high = None if up_to is None else Figure(int(up_to))
    if low is None or high is None:
        return Words.of("up to ", high) if high else Words.of(low or "", " or more")
    return Words.of(low) if low == high else Words.of(low, " to ", high)
