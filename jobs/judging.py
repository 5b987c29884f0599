"""What every job does with judged rows."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract import FileContract
from expectations.keys import found_twice, judge_keys
from expectations.text import parsed
from transforms.schemas import MONEY


def judge_all_keys(judged: DataFrame, *, contract: FileContract) -> DataFrame:
    """Refuse rows for their keys too, if there is a key that more than one row has."""
    for unique in contract.uniques:
        twice = found_twice(rows=judged, unique=unique, contract=contract)
        if twice.count():
            judged = judge_keys(judged=judged, unique=unique, contract=contract, twice=twice)
    return judged


def raw_money(contract: FileContract) -> Column | None:
    """The money of a raw row, as far as its text is a number."""
    if contract.money is None:
        return None
    return parsed(F.col(contract.source_name(contract.money)), MONEY)
