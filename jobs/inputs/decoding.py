"""Lines of other encodings as UTF-8, and lines whose fields runs of spaces separate."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from transforms.sources.mapping import CsvForm

IN_WINDOWS_1252 = {
    bytes([code]).decode("iso-8859-1"): bytes([code]).decode("windows-1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
"""Where windows-1252 has signs, and ISO 8859-1 has control characters."""
MARK = "\ufeff"
"""The byte order mark, at the beginning of a file."""


def decoded(line: Column, form: CsvForm) -> Column:
    """A line as UTF-8, with one character between its fields.

    Args:
        line: as the file's bytes have it.
        form: in which the file is written.
    """
    if form.encoding != "utf-8":
        line = F.decode(line.cast("binary"), "ISO-8859-1")
    if form.encoding == "windows-1252":
        line = F.translate(line, "".join(IN_WINDOWS_1252), "".join(IN_WINDOWS_1252.values()))
    if form.header is not None:
        # What marks the beginning of a file would otherwise become part of its first cell.
        line = F.when(line.startswith(MARK), F.substr(line, F.lit(2))).otherwise(line)
    if form.delimiter == "whitespace":
        one_sign_between = F.regexp_replace(F.btrim(line, F.lit(" \t")), "[ \t]+", form.separator)
        # A regular expression would put other signs in place of bytes that are no text, and hide them from the rules.
        line = F.when(F.is_valid_utf8(line), one_sign_between).otherwise(line)
    return line
