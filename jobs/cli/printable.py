"""Text from outside, made fit for a terminal and for a log."""


def printable(text: str) -> str:
    r"""A text in which each character that has no printed form is escaped, such as ``\x1b`` or ``\u202e``.

    Line breaks and tabs become spaces. Names and cells come from files that anybody may have written. Left as they
    are, their control characters would move the cursor, change colours or hide what follows.
    """
    spaced = text.replace("\r\n", " ").translate({ord(character): " " for character in "\n\r\t"})
    return "".join(character if character.isprintable() else _escaped(character) for character in spaced)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
