"""What the rows of a ledger are: purchases, returns, reversals and fees, by a column of types or by their ids."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jobs.proposing.codes import flags_of, kind_of, sides_of
from jobs.proposing.columns import Column, negatives_are_purchases, signs_of
from jobs.proposing.roles import Roles

SHARE_OF_NEGATIVES, SHARE_OF_OTHERS = 0.9, 0.01
MOST_PREFIXES = 3
MOST_WITH_OTHER_SIGN = 0.005
"""Of all rows, those of types of purchases whose amount has the sign of returns. A run quarantines them."""
ALL_OTHERS = "*"
PURCHASE, RETURN, REVERSAL, FEE, OTHER = KINDS_IN_ORDER = ("purchase", "return", "reversal", "fee", "other")


@dataclass(frozen=True)
class RowKinds:
    """The kinds of rows that a column tells apart.

    Attributes:
        column: the column.
        types: as a mapping has them: values of the column by what the row is. None where types of purchases have
            amounts of both signs, so that the sign has to tell returns.
        unknown: values that say nothing, among the purchases.
        opposite: values that say nothing, and are neither: all of their amounts have the sign of returns.
        fees: values that say they are fees.
        are_sides: whether the values are those for debit and credit.
        with_other_sign: the share of rows that are purchases with the sign of returns.
    """

    column: Column
    types: Mapping[str, Sequence[str]]
    unknown: Sequence[str] = ()
    opposite: Sequence[str] = ()
    fees: Sequence[str] = ()
    are_sides: bool = False
    with_other_sign: float = 0.0


def row_kinds(roles: Roles) -> RowKinds | None:
    """The kinds of rows; None where no column tells them apart."""
    column = roles.type
    if column is None:
        return _by_prefix(roles)
    sides = sides_of(column.codes)
    named = {**{code: kind_of(code) for code in column.codes}, **sides, **flags_of(column.codes)}
    opposite = [code for code, kind in named.items() if kind is None and code in _with_the_other_sign(column, roles)]
    kinds = {code: kind or (OTHER if code in opposite else PURCHASE) for code, kind in named.items()}
    types = {kind: [code for code in kinds if kinds[code] == kind] for kind in KINDS_IN_ORDER}
    # The types of purchases are asked for, also where the sample has none.
    types[PURCHASE] = types[PURCHASE] or [ALL_OTHERS]
    share = _share_with_other_sign(column, roles, lambda cell: kinds.get(cell) == PURCHASE)
    return RowKinds(
        column,
        {} if share > MOST_WITH_OTHER_SIGN else {kind: codes for kind, codes in types.items() if codes},
        unknown=[code for code, kind in named.items() if kind is None and code not in opposite],
        opposite=opposite,
        fees=types[FEE],
        are_sides=bool(sides),
        with_other_sign=share,
    )


def _with_the_other_sign(column: Column, roles: Roles) -> set[str]:
    """The values of a column in whose rows all amounts have the sign of returns."""
    signs = signs_of(roles.amounts)
    of_returns = 1 if negatives_are_purchases(signs) else -1
    signs_by_cell: dict[str, set[int | None]] = {}
    # Where no amount is negative, the sign tells nothing.
    for cell, sign in zip(column.cells, signs, strict=True) if -1 in signs else ():
        signs_by_cell.setdefault(cell, set()).add(sign)
    return {cell for cell, signs in signs_by_cell.items() if signs == {of_returns}}


def _share_with_other_sign(column: Column, roles: Roles, is_purchase: Callable[[str], bool]) -> float:
    signs = signs_of(roles.amounts)
    if -1 not in signs:
        return 0.0
    of_returns = 1 if negatives_are_purchases(signs) else -1
    rows = zip(column.cells, signs, strict=True)
    return sum(sign == of_returns and is_purchase(cell) for cell, sign in rows) / len(signs)


def _by_prefix(roles: Roles) -> RowKinds | None:
    """Invoices of returns may begin with letters of their own, as credit notes do in Online Retail II: ``C536379``."""
    column = roles.order or roles.transaction
    if column is None or not roles.amounts:
        return None
    prefixes: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for cell, sign in zip(column.cells, signs_of(roles.amounts), strict=True):
        if cell and sign is not None:
            prefixes[sign < 0][_letters(cell)] += 1
    negative, other = prefixes[True], prefixes[False]
    if not negative or not other or negative.total() >= other.total():
        return None
    prefix, number = negative.most_common(1)[0]
    same = sum(count for letters, count in other.items() if letters.startswith(prefix))
    is_clear = number >= SHARE_OF_NEGATIVES * negative.total() and same <= SHARE_OF_OTHERS * other.total()
    share = _share_with_other_sign(column, roles, lambda cell: not cell.startswith(prefix))
    if not prefix or not is_clear or len(other) > MOST_PREFIXES or share > MOST_WITH_OTHER_SIGN:
        return None
    types = {PURCHASE: [ALL_OTHERS], RETURN: [f"{prefix}{ALL_OTHERS}"]}
    return RowKinds(column, types, with_other_sign=share)


def _letters(cell: str) -> str:
    match = re.match(r"[^\W\d_]*", cell)
    return match[0] if match else ""
