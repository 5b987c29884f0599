"""A report as a test reads it: the cells of its tables, by caption, each figure as its exact value."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser

Cell = str | Decimal


@dataclass
class Page(HTMLParser):
    """The tables and the text of a page.

    Attributes:
        tables: by caption, the rows of their bodies. A figure is its exact value, a text is itself.
        headers: by caption, the names of the columns.
        markup: the page without the libraries that draw its charts.
        text: all text outside of scripts and styles.
    """

    html: str
    tables: dict[str, list[list[Cell]]] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    markup: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._silent = self._is_exact = False
        self._caption: str | None = None
        self._in_body = False
        self._cell: list[Cell] | None = None
        self.markup = re.sub("<script>.*?</script>", "", self.html, flags=re.DOTALL)
        self.feed(self.markup)
        self.text = " ".join(self.text.split())

    @staticmethod
    def _cell_of(parts: list[Cell]) -> Cell:
        """A figure by itself as its value; words with figures among them as text, the figures exact."""
        if len(parts) == 1 and isinstance(parts[0], Decimal):
            return parts[0]
        return " ".join(" ".join(map(str, parts)).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag in ("script", "style"):
            self._silent = True
        elif tag == "caption":
            self._caption = ""
        elif tag in ("tbody", "tfoot"):
            self._in_body = True
        elif tag == "tr" and self._in_body and self._caption is not None:
            self.tables.setdefault(self._caption, []).append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif tag == "data" and self._cell is not None:
            self._cell.append(Decimal(values["value"] or ""))
            self._is_exact = True
        elif tag == "time" and self._cell is not None:
            self._cell.append((values["datetime"] or "")[: 7 if values.get("data-form") == "month" else 10])
            self._is_exact = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent = False
        elif tag in ("data", "time"):
            self._is_exact = False
        elif tag == "table":
            self._caption, self._in_body = None, False
        elif tag in ("td", "th") and self._cell is not None and self._caption is not None:
            cell = self._cell_of([each for each in self._cell if not isinstance(each, str) or each.strip()])
            if self._in_body:
                self.tables[self._caption][-1].append(cell)
            else:
                self.headers.setdefault(self._caption, []).append(str(cell))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self.text += f" {data}"
        if self._caption == "":
            self._caption = " ".join(data.split())
        elif self._cell is not None and not self._is_exact:
            self._cell.append(data)
