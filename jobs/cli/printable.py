"""Text from outside, made fit for a terminal and for a log; and numbers, as a message has them."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 day", "2 days"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    r"""A text in which each character that has no printed form is escaped, such as ``\x1b`` or ``\u202e``.

    Line breaks and tabs become spaces. Names and cells come from files that anybody may have written. Left as they
    are, their control characters would move the cursor, change colours or hide what follows.
    """
    spaced = text.replace("\r\n", " ").translate({ord(character): " " for character in "\n\r\t"})
    return "".join(character if character.isprintable() else _escaped(character) for character in spaced)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


LONGEST_LINE = 2_000
"""Characters of an error. What is longer echoes its cause, such as a header of thousands of columns."""


def one_line(text: str) -> str:
    """A message as one printable line. One that is too long loses its middle, since it ends with what to do."""
    line = printable(" ".join(text.split()))
    if len(line) <= LONGEST_LINE:
        return line
    half = LONGEST_LINE // 2 - 4
    return f"{line[:half]} [...] {line[-half:]}"
