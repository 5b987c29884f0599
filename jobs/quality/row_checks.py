"""What every job does with judged rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.rules.cells import parsed
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from transforms.schemas import MONEY


@contextmanager
def persisted_with_keys(validated: DataFrame, *, contract: FileContract) -> Iterator[DataFrame]:
    """Judged rows, judged for their keys too, and kept for the several that read them.

    What is lost of them with a machine is worked out again from the same files, to the same verdicts: they depend on a
    row's text alone.
    """
    kept = [validated.persist(StorageLevel.MEMORY_AND_DISK)]
    try:
        # Here and now, and all of it: a query that turns out to need none of the rows would have observed none.
        validated.write.format("noop").mode("overwrite").save()
        for unique in contract.uniques:
            twice = duplicate_keys(rows=kept[-1], unique=unique, contract=contract)
            if twice.count():
                again = reject_duplicate_keys(validated=kept[-1], unique=unique, contract=contract, duplicates=twice)
                kept.append(again.persist(StorageLevel.MEMORY_AND_DISK))
        yield kept[-1]
    finally:
        for frame in kept:
            frame.unpersist()


def raw_money(contract: FileContract) -> Column | None:
    """The money of a raw row, as far as its text is a number."""
    if contract.money is None:
        return None
    return parsed(F.col(contract.source_name(contract.money)), MONEY)
