"""``--where``: which conditions are taken, and what is wrong with the others."""

import pytest

from jobs.errors import ConfigurationError
from jobs.exporting.condition import LONGEST_CONDITION, check_condition


@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        ("total_value >= 100", {"total_value"}),
        ("true", set()),
        ("segment in ('a', 'it''s') or not rfm.R_SCORE between 2 and 4", {"segment", "r_score"}),
        ("last_purchase_time < date '2018-01-01' -- before the year", {"last_purchase_time"}),
        ("date_diff('day', last_purchase_time, as_of) > 30", {"last_purchase_time", "as_of"}),
        ("case when m_to_next is null then true else purchase_count::double > 1 end", {"m_to_next", "purchase_count"}),
        ("lower(segment) like 'big%' and nullif(total_value, 0) is not null", {"segment", "total_value"}),
    ],
)
def test_a_condition_over_columns_of_rfm_is_taken(condition: str, columns: set[str]) -> None:
    assert check_condition(condition) == columns


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("", "syntax error"),
        ("total_spend > 1", "no column 'total_spend'"),
        ("before.rfm.total_value > 1", "no column 'before.rfm.total_value'"),
        ("total_value", "a value of type decimal(18,4)"),
        ("segment > 1 2", "syntax error"),
        ("segment + 1 > 2", "Binder Error"),
        ("true; drop table rfm", "syntax error"),
        ("true) or (true", "syntax error"),
        ("true) union select * from (rfm", "syntax error"),
        ("true limit 1", "syntax error"),
        ("true /*", "unterminated"),
        ("true group by all", "syntax error"),
        ("total_value > (select avg(total_value) from rfm)", "found subquery"),
        ("exists (from '/etc/passwd')", "found subquery"),
        ("customer_unique_id in (select 1)", "found subquery"),
        ("row_number() over () < 10", "found window"),
        ("total_value > $1", "more than a condition"),
        ("columns(*) is null", "found star"),
        ("list_filter([1], lambda x: x > 1) = []", "found lambda"),
        ("random() < 0.1", "the function random"),
        ("now() > last_purchase_time", "the function now"),
        ("age(last_purchase_time) > interval 30 days", "the function age"),
        ("current_date > last_purchase_time", "no column 'current_date'"),
        ("current_localtimestamp() > as_of", "the function current_localtimestamp"),
        ("getvariable('x') = 1", "the function getvariable"),
        ("current_setting('threads') = '1'", "the function current_setting"),
        ("sum(total_value) > 1", "the function sum"),
        ("getenv('HOME') = ''", "getenv does not exist"),
        ("read_text('/etc/passwd') is null", "the function read_text"),
        ("segment = '\udcff'", "cannot encode"),
        (" or ".join(["true"] * LONGEST_CONDITION), "characters"),
    ],
)
def test_what_is_no_condition_is_refused_in_one_line(condition: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^invalid --where ") as refused:
        check_condition(condition)
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "expected" in str(refused.value)
