"""The lines of a mapping, each with what speaks for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from jobs.proposing.codes import final_statuses, is_currency
from jobs.proposing.column_names import currency_in, rank_of
from jobs.proposing.columns import Column
from jobs.proposing.ledger import Ledger, percent, shown
from jobs.proposing.number_cells import COMMA
from jobs.proposing.roles import ORDER_RANK
from jobs.proposing.yaml_scalars import flow_list, scalar

PLACEHOLDER_CURRENCY, RATES = "EUR", "rates.csv"
FEW_WITHOUT_CUSTOMER = 0.005
"""A run ends where more than a hundredth of the rows is quarantined (`--max-quarantined`)."""
CLEARLY_NEGATIVE = 0.7
PARTITION_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)


@dataclass(frozen=True)
class Line:
    """A line of a mapping.

    Attributes:
        text: in YAML; nothing between two groups of keys.
        comment: what speaks for it.
        is_doubt: whether the file cannot settle it, so that the user must.
    """

    text: str = ""
    comment: str = ""
    is_doubt: bool = False


def lines_of(ledger: Ledger) -> list[Line]:
    """The lines of the mapping of a ledger, in the order in which people read them."""
    groups = (
        [*_csv_lines(ledger)],
        [_customer_line(ledger), *_time_lines(ledger), _amount_line(ledger), *_id_lines(ledger), *_code_lines(ledger)],
        [*_sign_lines(ledger), *_kind_lines(ledger), *_currency_lines(ledger), *_row_lines(ledger)],
    )
    lines: list[Line] = []
    for group in filter(None, groups):
        lines += [*([Line()] if lines else []), *group]
    return lines


def _csv_lines(ledger: Ledger) -> Iterator[Line]:
    form = ledger.sample.csv
    if form is None:
        return
    lines = [Line(f"  delimiter: {scalar(form.delimiter)}")] if form.delimiter != "," else []
    if ledger.columns[0].decimal == COMMA:
        lines.append(Line(f"  decimal: {scalar(COMMA)}"))
    if form.encoding != "utf-8":
        lines.append(
            Line(f"  encoding: {form.encoding}", "it is not UTF-8; check a name with an accent", is_doubt=True)
        )
    if not form.has_header:
        names = flow_list([column.name for column in ledger.columns])
        lines.append(Line(f"  header: {names}", "no line names the columns: named by what they hold", is_doubt=True))
    if lines:
        yield from (Line("csv:"), *lines)


def _customer_line(ledger: Ledger) -> Line:
    customer = ledger.roles.customer
    if customer is None:
        return Line("customer_id_col:", "no column looks like customers: name it", is_doubt=True)
    text, number = f"customer_id_col: {scalar(customer.name)}", len(customer.counts)
    if customer.is_constant:
        return Line(text, f"the same in {ledger.rows}", is_doubt=True)
    if len(customer.cells) > 1 and number == customer.filled:
        return Line(text, f"no customer comes back in {ledger.rows}", is_doubt=True)
    comment = f"{number:,} {'customer' if number == 1 else 'customers'} in {ledger.rows}"
    if "customer" in ledger.roles.guessed:
        return Line(text, f"by its values, not by its name: {comment}", is_doubt=True)
    return Line(text, comment)


def _time_lines(ledger: Ledger) -> Iterator[Line]:
    column = ledger.roles.time
    if column is None or column.time is None:
        named = next((each for each in ledger.columns if each.filled and rank_of(each.name, "time") is not None), None)
        what = f"{shown(named.name)} is in a form that is not read" if named else "no column of times"
        yield Line("datetime_col:", f"{what}, expected such as 2018-10-17 17:30:18", is_doubt=True)
        return
    form = column.time
    comment = "" if form.has_clock else "days without a time: purchases of one day become one"
    if form.other_cells:
        comment = f"{percent(form.other_cells / column.filled)} of the times have another form"
    if "time" in ledger.roles.guessed:
        comment = "by its values, not by its name"
    is_doubt = bool(form.other_cells) or "time" in ledger.roles.guessed
    yield Line(f"datetime_col: {scalar(column.name)}", comment, is_doubt=is_doubt)
    if form.format:
        other = f"or {form.other_format}, which fits {ledger.rows} too" if form.other_format else ""
        yield Line(f"datetime_format: {scalar(form.format)}", other, is_doubt=bool(other))
    if form.zone == "offsets":
        yield Line("time_zone: UTC", "times have offsets: name the zone whose days count", is_doubt=True)
    elif form.zone == "UTC" or column.name in ledger.sample.instants:
        comment = "times are in UTC; for days of another zone name it, and add datetime_zone: UTC"
        yield Line("# time_zone: Europe/Berlin", comment, is_doubt=True)


def _amount_line(ledger: Ledger) -> Line:
    amounts = ledger.roles.amounts
    if not amounts:
        return Line("monetary_value_col:", "no column of amounts: name it", is_doubt=True)
    names = [column.name for column in amounts]
    text = f"monetary_value_col: {flow_list(names) if len(names) > 1 else scalar(names[0])}"
    if any(not number.is_plain for column in amounts for number in column.numbers.values()):
        return Line(text, "some are no plain numbers, which alone are read: -1234.50 or -1.234,50", is_doubt=True)
    if "amount" in ledger.roles.guessed:
        return Line(text, "by its values, not by its name", is_doubt=True)
    if len(amounts) > 1:
        return Line(text, f"their product{_zeros(ledger)}")
    if rank_of(names[0], "amount") is None:
        return Line(text, "a price: check that it is of the row, not of one piece", is_doubt=True)
    without = 1 - len(ledger.signs) / len(ledger.sample.rows)
    comment = f"{percent(without)} of rows have none" if without else ""
    return Line(text, f"{comment}{_zeros(ledger)}".removeprefix("; "))


def _zeros(ledger: Ledger) -> str:
    zeros = ledger.signs.count(0)
    return f"; {percent(zeros / len(ledger.signs))} are 0" if zeros else ""


def _id_lines(ledger: Ledger) -> Iterator[Line]:
    transaction, order = ledger.roles.transaction, ledger.roles.order
    if transaction:
        repeated = len(transaction.cells) - len(transaction.counts)
        is_order = rank_of(transaction.name, "transaction") == ORDER_RANK
        comment = f"each of {ledger.rows} has its own"
        comment += "; if rows may share one, this is order_id_col" if is_order else ""
        if repeated:
            comment = f"{repeated:,} of {ledger.rows} repeat another row, cell for cell"
        yield Line(f"transaction_id_col: {scalar(transaction.name)}", comment, is_doubt=is_order or bool(repeated))
    if order:
        is_doubt = rank_of(order.name, "transaction") != ORDER_RANK
        comment = f"{len(order.counts):,} in {ledger.rows}"
        comment += ": rows share them, so none is the id of a row" if is_doubt else ""
        yield Line(f"order_id_col: {scalar(order.name)}", comment, is_doubt=is_doubt)


def _code_lines(ledger: Ledger) -> Iterator[Line]:
    roles, kinds = ledger.roles, ledger.kinds
    if kinds and kinds.types:
        empty = kinds.column.empty_share
        comment = f"{percent(empty)} of rows have none" if empty else ""
        if roles.type is None:
            comment = f"those of negative amounts begin with {shown(kinds.types['return'][0][:-1])}"
        yield Line(f"type_col: {scalar(kinds.column.name)}", comment, is_doubt=bool(comment))
    elif kinds:
        comment = "not read: types of purchases have both signs, so the sign tells returns"
        yield Line(f"# type_col: {scalar(kinds.column.name)}", comment, is_doubt=True)
    if roles.status:
        yield Line(f"status_col: {scalar(roles.status.name)}")
    if roles.channel:
        yield Line(f"channel_col: {scalar(roles.channel.name)}", f"{len(roles.channel.counts):,} in {ledger.rows}")
    if roles.currency:
        missing = f"; {percent(roles.currency.missing_share)} have none" if roles.currency.missing_share else ""
        yield Line(f"currency_col: {scalar(roles.currency.name)}", f"seen: {_codes(roles.currency)}{missing}")


def _sign_lines(ledger: Ledger) -> Iterator[Line]:
    share, by_types = ledger.negative_share, bool(ledger.kinds and ledger.kinds.types)
    comment = f"{percent(share)} of amounts are negative"
    if not ledger.signs:
        return
    if ledger.debits_are_negative:
        comment += "" if by_types else ": taken as purchases, all others as returns"
        yield Line("sign: debits negative", comment, is_doubt=share < CLEARLY_NEGATIVE)
    elif share:
        comment += "" if by_types else ": taken as returns"
        yield Line("sign: purchases positive", comment, is_doubt=share > 1 - CLEARLY_NEGATIVE)
    else:
        yield Line("sign: all positive", f"no negative amount in {ledger.rows}")


def _kind_lines(ledger: Ledger) -> Iterator[Line]:
    kinds = ledger.kinds
    if kinds and kinds.types:
        unknown = [f"{', '.join(map(shown, kinds.unknown))} taken as purchases"] if kinds.unknown else []
        unknown += [f"{', '.join(map(shown, kinds.opposite))} as other, by the sign"] if kinds.opposite else []
        comment = f"unknown: {', '.join(unknown)}" if unknown else ""
        if kinds.are_sides:
            comment = "debits as purchases, credits as returns: check whose account it is"
        if kinds.with_other_sign:
            comment += "; " if comment else ""
            comment += f"{percent(kinds.with_other_sign)} of rows are purchases with the sign of returns: quarantined"
        yield Line("types:", comment, is_doubt=bool(comment))
        yield from (Line(f"  {kind}: {flow_list(codes)}") for kind, codes in kinds.types.items())
    has_returns = 0 < ledger.negative_share < 1 or bool(kinds and {"return", "reversal"} & set(kinds.types))
    returned = ledger.roles.returned
    if returned and ledger.roles.transaction and has_returns:
        yield Line("returns: cancel", "or net, or ignore", is_doubt=True)
        yield Line(f"returned_transaction_col: {scalar(returned.name)}", _returned(ledger, returned))
    elif has_returns:
        yield Line("returns: ignore", "or net, which takes them off what a customer spent", is_doubt=True)
    if returned and not (ledger.roles.transaction and has_returns):
        cause = "nothing tells returns" if ledger.roles.transaction else "no column is the transaction_id_col it names"
        yield Line(f"# returned_transaction_col: {scalar(returned.name)}", f"not read: {cause}", is_doubt=True)


def _returned(ledger: Ledger, returned: Column) -> str:
    ids = ledger.roles.transaction
    in_sample = sum(count for cell, count in returned.counts.items() if ids and cell in ids.counts)
    if not returned.filled:
        return f"empty in {ledger.rows}"
    return f"{returned.filled:,} in {ledger.rows}, of which {in_sample:,} name a row there"


def _currency_lines(ledger: Ledger) -> Iterator[Line]:
    column = ledger.roles.currency
    counts = column.counts if column else {}
    codes = sorted(filter(is_currency, counts), key=lambda code: (-counts[code], code))
    if len(codes) == 1:
        yield Line(f"currency: {scalar(codes[0])}", f"the only one in {ledger.rows}")
    elif codes:
        yield Line(
            f"currency: {scalar(codes[0])}",
            "the most frequent: name that to which amounts are converted",
            is_doubt=True,
        )
        comment = f"to be written: currency,date,rate; rate is what one unit was worth in {codes[0]}"
        yield Line(f"rates: {RATES}", comment, is_doubt=True)
    else:
        named = next((code for amount in ledger.roles.amounts if (code := currency_in(amount.name))), None)
        comment = "by the name of the column" if named else "a placeholder: no column names a currency"
        yield Line(f"currency: {named or PLACEHOLDER_CURRENCY}", comment, is_doubt=named is None)


def _row_lines(ledger: Ledger) -> Iterator[Line]:
    customer, status, kinds = ledger.roles.customer, ledger.roles.status, ledger.kinds
    missing = customer.empty_share if customer else 0.0
    if missing:
        action = "leave out" if missing > FEW_WITHOUT_CUSTOMER else "quarantine"
        comment = f"{percent(missing)} of rows have no customer"
        yield Line(f"customer_missing: {action}", comment, is_doubt=action != "quarantine")
    if status:
        final = flow_list(final_statuses(status.codes) or status.codes)
        yield Line(f"# keep: {{{scalar(status.name)}: {final}}}", f"statuses seen: {_codes(status)}", is_doubt=True)
    dropped, causes = list[str](), list[str]()
    if customer and customer.words_for_nothing:
        dropped.append(f"{scalar(customer.name)}: {flow_list(customer.words_for_nothing)}")
        causes.append("rows that name no customer")
    if kinds and kinds.fees and not kinds.types:
        dropped.append(f"{scalar(kinds.column.name)}: {flow_list(kinds.fees)}")
        causes.append("fees")
    if dropped:
        yield Line(f"drop: {{{', '.join(dropped)}}}", " and ".join(causes), is_doubt=True)
    yield from _partition_lines(ledger)


def _partition_lines(ledger: Ledger) -> Iterator[Line]:
    column = ledger.roles.time
    if column is None or column.time is None:
        return
    for key, values in ledger.sample.partitions.items():
        # The days of rows beside those of their partitions.
        days = {(column.time.day_of(cell), _day_of(value)) for cell, value in zip(column.cells, values, strict=True)}
        delays = [(partition - day).days for day, partition in days if day and partition]
        if delays and all(partition for _, partition in days) and min(delays) >= 0:
            yield Line(f"partitioned_by: {scalar(key)}", "rows come on their day or later" if max(delays) else "")
            return


def _day_of(text: str) -> date | None:
    match = PARTITION_DAY.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _codes(column: Column) -> str:
    return ", ".join(map(shown, column.codes)) or f"{len(column.counts):,} codes"
