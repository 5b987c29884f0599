"""Which column of a ledger holds what: by the names of the columns, and by what is in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.proposing.codes import flags_of, is_currency, sides_of
from jobs.proposing.column_names import NO_NAME_RANK, ROLES, rank_of, words_of
from jobs.proposing.columns import MOST_CODES, Column, signs_of

SHARE_OF_CURRENCIES = 0.95
SHARE_OF_FILLED_IDS = 0.9
MOST_CHANNELS = 200
ORDER_RANK = 2
"""From this rank on, the name of an id is that of an order, which may have several rows."""


@dataclass(frozen=True)
class Roles:
    """The columns of a ledger by what they hold; None where none does.

    Attributes:
        customer: who bought.
        time: when.
        amounts: the money; two columns whose product it is; or none.
        transaction: an id that each row has for itself.
        order: an id that rows share.
        returned: the id of the row that a return takes back.
        currency: of the amount.
        status: of the row.
        type: what the row is.
        channel: where it comes from.
        credit: amounts on the other side, where debits have a column of their own.
        clock: the time of day, beside a date.
        guessed: roles that no name speaks for.
    """

    customer: Column | None = None
    time: Column | None = None
    amounts: tuple[Column, ...] = ()
    transaction: Column | None = None
    order: Column | None = None
    returned: Column | None = None
    currency: Column | None = None
    status: Column | None = None
    type: Column | None = None
    channel: Column | None = None
    credit: Column | None = None
    clock: Column | None = None
    guessed: frozenset[str] = frozenset()

    @property
    def mapped(self) -> list[Column]:
        """All columns that have a role in the mapping."""
        single = (self.customer, self.time, self.transaction, self.order, self.returned, self.currency)
        codes = (self.status, self.type, self.channel)
        return [column for column in (*single, *self.amounts, *codes) if column]


class _Columns:
    """The columns that have no role yet."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.rest = list(columns)

    def best(
        self, role: str, fits: Callable[[Column], bool], prefer: Callable[[Column], Any] = lambda _: 0
    ) -> Column | None:
        """The column whose name fits a role best; of several, the preferred one, then the first."""
        ranked = [(rank, column) for column in self.rest if (rank := rank_of(column.name, role)) is not None]
        fitting = [(rank, prefer(column), column) for rank, column in ranked if fits(column)]
        return min(fitting, key=lambda each: each[:2])[2] if fitting else None

    def take(self, *columns: Column | None) -> None:
        """Give columns away."""
        self.rest = [column for column in self.rest if not any(column is each for each in columns)]

    def without_a_name(self, fits: Callable[[Column], bool]) -> list[Column]:
        """The columns whose names say nothing."""
        return [
            column for column in self.rest if fits(column) and all(rank_of(column.name, role) is None for role in ROLES)
        ]


def roles_of(columns: Sequence[Column], *, has_header: bool = True) -> Roles:
    """The roles of columns. Each column has at most one.

    Args:
        columns: of a ledger.
        has_header: whether the file names them.
    """
    rest = _Columns([column for column in columns if column.is_usable])
    guessed = set()
    time = _time(rest)
    if time and rank_of(time.name, "time") is None:
        guessed.add("time")
    rest.take(time)
    customer = _customer_by_name(rest)
    rest.take(customer)
    amounts, credit = _amounts(rest)
    if not amounts:
        amounts = _amounts_by_content(rest, has_header=has_header)
        guessed.update({"amount"} if amounts else ())
    rest.take(*amounts, credit)
    if customer is None:
        customer = _customer_by_content(rest, has_header=has_header)
        guessed.update({"customer"} if customer else ())
        rest.take(customer)
    returned = rest.best("returned", _may_be_returned)
    rest.take(returned)
    distinct_rows = len(set(zip(*(column.cells for column in columns), strict=True)))
    transaction, order = _ids(rest, distinct_rows=distinct_rows)
    rest.take(transaction, order)
    currency = _currency(rest)
    rest.take(currency)
    kind = _type(rest, has_negatives=-1 in signs_of(amounts))
    rest.take(kind)
    status = rest.best("status", _is_status)
    rest.take(status)
    return Roles(
        customer=customer,
        time=time,
        amounts=amounts,
        transaction=transaction,
        order=order,
        returned=returned,
        currency=currency,
        status=status,
        type=kind,
        channel=rest.best("channel", lambda column: 0 < len(column.counts) <= MOST_CHANNELS),
        credit=credit,
        clock=next((column for column in rest.rest if column.is_clock), None),
        guessed=frozenset(guessed),
    )


def _time(rest: _Columns) -> Column | None:
    times = [(rank_of(column.name, "time"), column) for column in rest.rest if column.time]
    ranked = [(NO_NAME_RANK if rank is None else rank, column) for rank, column in times]
    return min(ranked, key=lambda each: (each[0], each[1].missing_share), default=(0, None))[1]


def _customer_by_name(rest: _Columns) -> Column | None:
    def fits(column: Column) -> bool:
        return bool(column.filled) and not column.time and not (column.is_numeric and column.has_fractions)

    # A customer comes back, so a column in which every row has its own value is less likely to hold customers.
    return rest.best("customer", fits, lambda column: (column.is_constant, column.is_distinct))


def _customer_by_content(rest: _Columns, *, has_header: bool) -> Column | None:
    """Ids that come back; of several columns the one with most of them.

    Where columns have names, and none is that of customers, only a column of many ids is taken.
    """
    fewest = 2 if not has_header else MOST_CODES + 1
    ids = rest.without_a_name(lambda column: column.is_identifier and len(column.counts) >= fewest)
    ids = [column for column in ids if not column.is_distinct] or ([] if has_header else ids)
    return max(ids, key=lambda column: column.distinct_share, default=None)


def _amounts(rest: _Columns) -> tuple[tuple[Column, ...], Column | None]:
    """The columns of money, and that of credits where debits have their own."""

    def is_measure(column: Column) -> bool:
        return column.is_numeric and not column.time

    debit, credit = rest.best("debit", is_measure), rest.best("credit", is_measure)
    if debit and credit and debit is not credit and debit.missing_share + credit.missing_share > 0.5:
        return (debit,), credit
    amount = rest.best("amount", is_measure, lambda column: column.missing_share)
    if amount:
        return (amount,), None
    price = rest.best("price", is_measure)
    quantity = rest.best("quantity", lambda column: is_measure(column) and column is not price)
    if price:
        return ((quantity, price) if quantity else (price,)), None
    return ((debit,) if debit else ()), None


def _amounts_by_content(rest: _Columns, *, has_header: bool) -> tuple[Column, ...]:
    """The last column of decimals; where columns have no names, the last of numbers but the first column."""
    numbers = rest.without_a_name(lambda column: column.is_numeric and not column.time)
    decimals = [column for column in numbers if column.has_fractions]
    if not has_header and not decimals:
        decimals = [column for column in numbers if column is not rest.rest[0]]
    return tuple(decimals[-1:])


def _ids(rest: _Columns, *, distinct_rows: int) -> tuple[Column | None, Column | None]:
    """The id of a row, or else that of an order. Rows that repeat another one, cell for cell, do not count."""

    def is_id(column: Column) -> bool:
        return column.is_identifier and column.missing_share <= 1 - SHARE_OF_FILLED_IDS

    def is_of_rows(column: Column) -> bool:
        return is_id(column) and not column.missing_share and len(column.counts) == distinct_rows

    transaction = rest.best("transaction", is_of_rows)
    if transaction:
        return transaction, None
    order = rest.best("transaction", is_id, lambda column: column.distinct_share)
    return None, order


def _may_be_returned(column: Column) -> bool:
    has_id_in_name = bool(set(words_of(column.name).split()) & {"id", "no", "nr", "number", "ref", "reference", "of"})
    return not column.time and has_id_in_name and (column.has_words or not column.filled)


def _currency(rest: _Columns) -> Column | None:
    def share(column: Column) -> float:
        return sum(n for cell, n in column.counts.items() if is_currency(cell)) / max(1, column.filled)

    by_name = rest.best("currency", lambda column: share(column) >= SHARE_OF_CURRENCIES)
    codes = [column for column in rest.rest if column.filled and column.codes and share(column) == 1]
    return by_name or next(iter(codes), None)


def _type(rest: _Columns, *, has_negatives: bool) -> Column | None:
    sides = next((column for column in rest.rest if sides_of(column.codes)), None)
    if sides and not has_negatives:
        return sides
    kind = rest.best("type", lambda column: bool(column.codes) and not column.is_numeric)
    return kind or rest.best("returned", lambda column: bool(flags_of(column.codes)))


def _is_status(column: Column) -> bool:
    # A column `state` of short codes is a place.
    is_word = any(len(code) > 2 for code in column.codes) or "status" in words_of(column.name)
    return bool(column.codes) and is_word
