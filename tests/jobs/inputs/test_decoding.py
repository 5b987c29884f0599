"""Lines in other encodings, as Python's codecs read them."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.inputs.decoding import decoded
from tests.frames import frame
from transforms.sources.mapping import CsvForm, Encoding

# What windows-1252 leaves undefined; browsers read the control characters of ISO 8859-1 there.
UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)


def read(spark: SparkSession, form: CsvForm, *lines: bytes) -> list[str]:
    """Lines as they are in a file, decoded. They come to Python as bytes, so that nothing is repaired on the way."""
    rows = frame(spark, "number int, line binary", *enumerate(lines))
    line = decoded(F.col("line").cast("string"), form).cast("binary")
    return [bytes(row[1]).decode() for row in sorted(rows.select("number", line).collect())]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252"])
def test_every_byte_is_the_sign_that_python_reads(spark: SparkSession, encoding: Encoding) -> None:
    codes = [code for code in range(256) if code not in (0x0A, 0x0D)]
    lines = [b"<" + bytes([code]) + b">" for code in codes]

    def expected(line: bytes) -> str:
        return line.decode("iso-8859-1" if line[1] in UNDEFINED else encoding)

    assert read(spark, CsvForm(encoding=encoding), *lines) == [expected(line) for line in lines]


def test_the_euro_and_umlauts_are_read_in_each_encoding_that_has_them(spark: SparkSession) -> None:
    text = "Müßiggang; São João; 5 €; „so“ – Œuvre"
    assert read(spark, CsvForm(encoding="windows-1252"), text.encode("windows-1252")) == [text]
    assert read(spark, CsvForm(), text.encode()) == [text]
    without_euro = "Müßiggang; São João; ÿ÷×"
    assert read(spark, CsvForm(encoding="iso-8859-1"), without_euro.encode("iso-8859-1")) == [without_euro]


BAD = b"a\xff b\xc3 c"


@pytest.mark.parametrize(
    "form",
    [CsvForm(), CsvForm(header=("a",)), CsvForm("whitespace"), CsvForm("whitespace", header=("a",))],
    ids=str,
)
def test_bytes_that_are_no_text_stay_as_they_are_so_that_the_rules_find_them(
    spark: SparkSession, form: CsvForm
) -> None:
    rows = frame(spark, "line binary", (BAD,), (b"\xef\xbb\xbf" + BAD,))
    lines = rows.select(decoded(F.col("line").cast("string"), form).alias("line"))
    actual = lines.select(F.col("line").cast("binary"), F.is_valid_utf8("line")).collect()
    with_mark = BAD if form.header else b"\xef\xbb\xbf" + BAD
    assert [(bytes(row[0]), row[1]) for row in actual] == [(BAD, False), (with_mark, False)]


def test_the_mark_at_the_beginning_of_a_file_without_a_header_is_no_part_of_its_first_cell(spark: SparkSession) -> None:
    lines = [b"\xef\xbb\xbft1;ann", b"t2;\xef\xbb\xbfann", b"\xef\xbb\xbf"]
    assert read(spark, CsvForm(";", header=("id", "who")), *lines) == ["t1;ann", "t2;\ufeffann", ""]
    # The mark of a file with a header stands in its header line.
    assert read(spark, CsvForm(";"), lines[0]) == ["\ufefft1;ann"]
    spaced = CsvForm("whitespace", header=("id", "who"))
    assert read(spark, spaced, b"\xef\xbb\xbf  t1   ann ", b" t2\t\tann", b"   ") == ["t1\tann", "t2\tann", ""]
