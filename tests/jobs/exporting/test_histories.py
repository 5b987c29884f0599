"""Changes over history that nobody thought of: they lead from each list to the next, and nothing else."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.jobs.exporting.exports import KEY, applied, exported
from tests.jobs.exporting.scored_runs import SEGMENTS, ScoredRun

DAYS = ("2018-08-01", "2018-08-02", "2018-08-03")
NIGHT = st.dictionaries(
    st.sampled_from([f"c{number}" for number in range(8)]),
    st.tuples(st.sampled_from(sorted(SEGMENTS)), st.sampled_from(["10.00", "20.00", "30.00"])),
)
CHOICES = (
    ("--segment", "RM01", "rm05"),
    ("--where", "total_value >= 20 or segment_code = 'RM09'"),
    ("--segment", "RM01", "RM05", "--where", "total_value < 30", "--columns", "total_value,r_to_next", "--names"),
)


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDOUT_KEY", KEY)
        yield


@pytest.mark.long
@given(history=st.lists(NIGHT, min_size=2, max_size=3), choice=st.sampled_from(CHOICES), holdout=st.booleans())
@settings(max_examples=20, deadline=None)
def test_changes_lead_from_each_list_to_the_next(
    history: list[dict[str, tuple[str, str]]], choice: tuple[str, ...], holdout: bool
) -> None:
    arguments = (*choice, *(("--campaign", "spring", "--holdout", "40%") if holdout else ()))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder)
        for day, customers in zip(DAYS, history, strict=False):
            ScoredRun(day, customers).write(output)
        lists = [
            exported(output, output / f"list-{day}", "--run", day, *arguments).rows() for day in DAYS[: len(history)]
        ]
        for number in range(1, len(history)):
            earlier, later = DAYS[number - 1], DAYS[number]
            changes = exported(
                output, output / f"changes-{later}", "--run", later, "--changes-since", earlier, *arguments
            ).rows()
            assert sorted(applied(lists[number - 1], changes).items()) == sorted(
                (row["customer_unique_id"], row) for row in lists[number]
            )
            before = {row["customer_unique_id"]: row for row in lists[number - 1]}
            after = {row["customer_unique_id"]: row for row in lists[number]}
            differ = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
            assert {row["customer_unique_id"] for row in changes} == differ
            assert [row["previous_segment_code"] for row in changes] == [
                before.get(row["customer_unique_id"], {"segment_code": ""})["segment_code"] for row in changes
            ]
