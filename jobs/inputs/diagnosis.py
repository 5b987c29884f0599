"""What the beginning of a file looks like, where it is not the CSV that its name promises, and what to do about it."""

from collections.abc import Sequence

from jobs.errors import DataError
from transforms.bounded_text import cut

GZIP = b"\x1f\x8b"
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SHOWN_LENGTH = 80
"""In characters, of a name; of a list it is three times as many."""

_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive (or an Excel workbook)", "Unpack it, or save the sheet as CSV"),
    (b"PAR1", "a Parquet file", "Name it .parquet"),
    (b"BZh", "a bzip2 archive", "Unpack it, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it, or pack it with gzip"),
    (b"\xfd7zXZ", "an xz archive", "Unpack it, or pack it with gzip"),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it, or pack it with gzip"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as CSV"),
    (b"%PDF", "a PDF document", "Export the data as CSV"),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV"),
    (b"version https://git-lfs", "a Git LFS pointer and not the data itself", "Run git lfs pull"),
    (b"\xff\xfe", "UTF-16 text, which Excel calls Unicode text", "Save it as CSV UTF-8"),
    (b"\xfe\xff", "UTF-16 text, which Excel calls Unicode text", "Save it as CSV UTF-8"),
)
_TAR_MARK = slice(257, 262)


def refuse_what_is_no_csv(beginning: bytes, *, name: str) -> None:
    """Refuse a file whose beginning shows that it is something else.

    Args:
        beginning: some hundred bytes of the file, unpacked.
        name: of the file.

    Raises:
        DataError: It is no CSV. The message says what it looks like, and what to do.
    """
    for magic, looks_like, advice in _MAGIC:
        if beginning.startswith(magic):
            raise DataError(f"{name}: found {looks_like}, expected CSV. {advice}")
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if beginning[_TAR_MARK] == b"ustar":
        raise DataError(f"{name}: found a tar archive, expected CSV. Unpack it")
    if text[:1] in (b"{", b"["):
        raise DataError(f"{name}: found JSON, expected CSV with a header line. Export the table as CSV")
    if text[:1] == b"<":
        raise DataError(f"{name}: found HTML or XML, expected CSV. It may be an error page: get it anew")
    if b"\0" in beginning.partition(b"\n")[0]:
        raise DataError(
            f"{name}: found NUL bytes in the header, expected UTF-8. It may be UTF-16 or no text: export it anew"
        )


def other_separator(header: str, *, expected: str = ",") -> str | None:
    """What separates the columns of a header without the separator that is expected, in words; None where that may."""
    if expected in header:
        return None
    return next((words for separator, words in SEPARATORS.items() if header.count(separator)), None)


def listed(names: Sequence[str]) -> str:
    """Some names from outside as a list for a message: few, short, and without what a terminal would act on."""
    shown: list[str] = []
    for name in (cut(name, longest=SHOWN_LENGTH) for name in names):
        if shown and len(", ".join([*shown, name])) > SHOWN_LENGTH * 3:
            return ", ".join([*shown, f"and {len(names) - len(shown):,} more"])
        shown.append(name)
    return ", ".join(shown)
