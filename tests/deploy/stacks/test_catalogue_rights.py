"""A step that registers its run may make each call of a registration, and the page lists what it needs."""

import re
from pathlib import Path

from tests.deploy.stacks.templates import as_list, statements, template
from tests.fakes.glue.data_catalogue import OPERATIONS

PAGE = Path(__file__).parents[3] / "docs" / "catalogue.md"
CALLS = {f"glue:{operation}" for operation in OPERATIONS}
"""The fake refuses any other call, so a registration makes no other one."""


def test_the_policy_of_the_stacks_allows_each_call_and_no_other() -> None:
    policy = template("jobs")["Resources"]["RegisterTables"]["Properties"]["PolicyDocument"]
    assert {action for statement in statements(policy) for action in as_list(statement["Action"])} == CALLS


def test_the_page_lists_each_call_and_no_other() -> None:
    assert set(re.findall(r"`(glue:\w+)`", PAGE.read_text(encoding="utf-8"))) == CALLS


def test_no_step_may_drop_a_table() -> None:
    actions = {action for statement in statements(template("jobs")) for action in as_list(statement["Action"])}
    assert (
        actions & {"glue:*", "glue:Delete*", "glue:DeleteTable", "glue:BatchDeleteTable", "glue:DeleteDatabase"}
        == set()
    )
