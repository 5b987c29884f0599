"""A row that is lost, doubled or changed between any two tables of the feature step ends the run with exit code 3."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import Contract
from jobs import features, ingest
from jobs.runs.metrics import Written
from jobs.runs.run import Run, TableContract
from jobs.scores import measuring, scored
from jobs.sources import olist
from tests.jobs.complete_runs import AS_OF
from tests.raw_files import RawFiles, key

pytestmark = pytest.mark.usefixtures("spark")

Mutation = Callable[[DataFrame], DataFrame]

BOB = key("bob")
"""He has one row in each table, which is the one that is mutated."""


def is_bobs(frame: DataFrame) -> Any:
    bobs = {"customer_unique_id": BOB, "customer_id": key("c3"), "order_id": key("o3")}
    return next(F.col(column) == id_ for column, id_ in bobs.items() if column in frame.columns)


def lost(frame: DataFrame) -> DataFrame:
    return frame.where(~is_bobs(frame))


def doubled(frame: DataFrame) -> DataFrame:
    return frame.unionByName(frame.where(is_bobs(frame)))


def changed(frame: DataFrame) -> DataFrame:
    [money] = {"payment_value", "value", "total_value"} & {*frame.columns}
    return frame.withColumn(
        money, F.when(is_bobs(frame), F.col(money) + 1).otherwise(F.col(money)).cast("decimal(18,4)")
    )


def split(frame: DataFrame) -> DataFrame:
    """Two rows of one key in the place of one, with the same money as before."""
    halves = frame.withColumn("value", F.when(is_bobs(frame), F.col("value") / 2).otherwise(F.col("value")))
    return doubled(halves.withColumn("value", F.col("value").cast("decimal(18,4)")))


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a run of checked tables."""
    folder = tmp_path_factory.mktemp("mutations")
    source = RawFiles(folder / "input").write()
    output = folder / "output"
    assert ingest.main(["--as-of", AS_OF, "--input", source, "--output", str(output)]) == 0
    return output


@pytest.fixture
def run(checked: Path) -> Callable[..., int]:
    """Runs the feature step over the checked tables."""
    [earlier] = [folder.name for folder in (checked / "runs").iterdir() if (folder / "customers").exists()]

    def run_features(*arguments: str) -> int:
        where = ["--as-of", AS_OF, "--output", str(checked), "--checked-run", earlier]
        return features.main([*where, *arguments])

    return run_features


def in_transform(name: str, *, of: ModuleType = features) -> Callable[[pytest.MonkeyPatch, Mutation], None]:
    """Mutate what a transform returns to a module."""

    def patch(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
        transform = getattr(of, name)
        monkeypatch.setattr(of, name, lambda **frames: mutation(transform(**frames)))

    return patch


def after_the_write(table: str, *, of: ModuleType = features) -> Callable[[pytest.MonkeyPatch, Mutation], None]:
    """Mutate a computed table between where it is written and where it is read."""

    def patch(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
        write = of.write_computed

        def mutated(run: Run, contract: Contract, frame: DataFrame, **settings: Any) -> Written:
            written = write(run, contract, frame, **settings)
            return replace(written, frame=mutation(written.frame)) if contract.table == table else written

        monkeypatch.setattr(of, "write_computed", mutated)

    return patch


def on_disk(method: str, table: str) -> Callable[[pytest.MonkeyPatch, Mutation], None]:
    """Mutate a table between where it is written, or reused, and where it is read."""

    def patch(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
        original = getattr(Run, method)

        def mutated(self: Run, what: Any, *frames: DataFrame, **settings: Any) -> Any:
            written = original(self, what, *frames, **settings)
            if getattr(what, "table", what) != table:
                return written
            if isinstance(written, Written):
                return Written(written.table, mutation(written.frame), written.total, written.metrics)
            return mutation(written)

        monkeypatch.setattr(Run, method, mutated)

    return patch


def on_the_way(table: str) -> Callable[[pytest.MonkeyPatch, Mutation], None]:
    """Mutate a table between where its keys are counted and where it is written."""

    def patch(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
        write = Run.write

        def mutated(self: Run, contract: TableContract, frame: DataFrame, **settings: Any) -> Written:
            return write(self, contract, mutation(frame) if contract.table == table else frame, **settings)

        monkeypatch.setattr(Run, "write", mutated)

    return patch


PLACES = {
    "customers read": (on_disk("reuse", "customers"), (lost, doubled)),
    "orders read": (on_disk("reuse", "orders"), (lost, doubled)),
    "payments read": (on_disk("reuse", "payments"), (lost, doubled, changed)),
    "payments joined": (in_transform("attributed_payments", of=olist), (lost, doubled, changed)),
    "transactions": (in_transform("transactions", of=olist), (lost, doubled, changed)),
    "transactions read": (after_the_write("transactions", of=olist), (lost, doubled, changed)),
    "transactions written": (on_the_way("transactions"), (lost, doubled, changed)),
    "purchases": (in_transform("purchases"), (lost, doubled, changed)),
    "purchases written": (on_the_way("purchases"), (lost, doubled, changed, split)),
    "purchases read": (after_the_write("purchases"), (lost, doubled, changed)),
    "purchases of people": (in_transform("purchases_of_people", of=measuring), (lost, doubled, changed)),
    "measures": (in_transform("measured_customers", of=measuring), (lost, doubled, changed)),
    "measures read": (on_disk("stage", "measures"), (lost, doubled, changed)),
    "rfm": (in_transform("apply_card", of=scored), (lost, doubled, changed)),
    "rfm written": (on_the_way("rfm"), (lost, doubled, changed)),
    "rfm read": (after_the_write("rfm", of=scored), (lost, doubled, changed)),
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "mutation"),
    [
        pytest.param(place, mutation, id=f"{mutation.__name__} in {place}")
        for place, (_, mutations) in PLACES.items()
        for mutation in mutations
    ],
)
def test_a_row_that_is_lost_doubled_or_changed_ends_the_run_with_3(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, place: str, mutation: Mutation
) -> None:
    patch, _ = PLACES[place]
    patch(monkeypatch, mutation)
    assert run() == 3


def test_two_purchases_with_one_key_are_found_and_told_by_the_rule_of_the_key(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # The money adds up, so the number of keys alone shows it.
    on_the_way("purchases")(monkeypatch, split)
    assert run() == 3
    error = capfd.readouterr().err
    assert "purchases: unique(customer_unique_id, order_purchase_time)" in error
