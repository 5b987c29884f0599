"""Patterns that Java and Python have in common, and those that end with a message before Spark starts."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from expectations import rules
from expectations.contracts.olist import CONTRACTS
from expectations.contracts.overrides import OverridesError, with_overrides
from tests.frames import frame

COMMON = [
    *(r"^[0-9a-f]{32}$", r"^\d{5}$", "", "a|b|", r"^(?<region>\d)\d{4}$", r"(?i)^sp$", r"(?i:sp)", r"a{2,}b{1,3}c{0}"),
    *(
        r"(?:a)(?=b)(?!c)",
        r"(?<=ab)c(?<!d)",
        r"(a)\1",
        r"[^\]\[a-z.-]",
        r"[\p{L}\p{Nd} -]+",
        r"^\p{Lu}\P{M}*$",
        "}",
        "]",
    ),
    *(
        r"a*+b++c?+",
        r"(?>ab|a)c",
        r"\x41\u00e9\t\.\{\}\&\-\\",
        r"[&|~]",
        r"\A\bx\B",
        "é\U0001f600+",
        r"[a\-z]",
        r"[$^.]",
    ),
    *(r"\ \"\'\/", r"(?s).", r"(?im)^a$", r"[\d\s\w]", r"\p{Alpha}\p{IsLatin}", "a\nb", r"x{2}?y??"),
]


def test_java_takes_every_pattern_that_the_check_takes(spark: SparkSession) -> None:
    patterns = [rules.Matches("a", pattern).regex for pattern in COMMON]
    row = frame(spark, "a string", ("x",)).select(*[F.col("a").rlike(pattern) for pattern in patterns]).collect()
    assert len(row[0]) == len(COMMON)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        # Python takes these, and Java refuses them or reads them in another way.
        ("a{", "pattern has { that is no number of repetitions"),
        ("x{,3}", "pattern has { that is no number"),
        ("{2}x", "nothing to repeat"),
        ("[[]", "pattern has [ inside a class"),
        ("[a[b]]", "pattern has [ inside a class"),
        ("[a-z&&[^b]]", "pattern has && inside a class"),
        ("[]a]", "pattern has ] first in a class"),
        ("[^]]", "pattern has ] first in a class"),
        (r"a\Z", r"pattern has \Z: not in the subset"),
        ("(?P<a>x)", "pattern has (?P, which only Python knows"),
        ("(?<a_b>x)", "pattern has (?<a: not in the subset"),
        ("(a)?(?(1)b|c)", "pattern has (?(1: not in the subset"),
        ("(?#note)a", "pattern has (?#n: not in the subset"),
        ("(?x) a", "pattern has (?x): not in the subset"),
        ("(?a)a", "pattern has (?a): not in the subset"),
        (r"[\b]", r"pattern has \b inside a class"),
        (r"\v", r"pattern has \v: not"),
        (r"\0", r"pattern has \0: not"),
        (r"\N{BULLET}", r"pattern has \N: not"),
        (r"\U0001f600", r"pattern has \U: not"),
        # Java takes these, and Python refuses them.
        (r"\h+\R", r"pattern has \h: not"),
        (r"a\z", r"pattern has \z: not"),
        (r"\Qa\E", r"pattern has \Q: not"),
        (r"(?<a>x)\k<a>", r"pattern has \k: not"),
        (r"\p{IsNothing}", r"pattern has \p: not"),
        ("a(?i)b", "global flags not at the start"),
        ("(?<=a+)b", "look-behind requires fixed-width pattern"),
        # Neither takes these.
        ("[a-f", "unterminated character set"),
        ("(a", "unterminated subpattern"),
        ("a**", "multiple repeat"),
        ("x{3,2}", "min repeat greater than max repeat"),
        ("x{99999999999}", "pattern has { that is no number"),
        ("a\\", "bad escape"),
        ("(" * 1900 + ")" * 1900, "pattern is not a regular expression"),
    ],
)
def test_any_other_pattern_is_refused_with_the_line_of_the_file(pattern: str, says: str) -> None:
    quoted = pattern.replace("'", "''")
    text = f"customers:\n  change:\n    matches(customer_id): {{severity: stop, pattern: '{quoted}'}}\n"
    with pytest.raises(OverridesError) as error:
        with_overrides(contracts=CONTRACTS, text=text, name="rules.yml")
    assert str(error.value).startswith("rules.yml, line 3: matches(customer_id): pattern")
    assert says in str(error.value)
