"""Data Docs that open anywhere: static pages without scripts, styles or pictures from the network.

Great Expectations' own pages load Bootstrap, jQuery and half a dozen more from the network, and show next to nothing
without. The content here is all theirs; the page around it, and the kinds of block that need a script, are not.
"""

from html import escape
from pathlib import Path
from typing import Any

from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader, pass_context

PAGES = Path(__file__).parent / "pages"


NOT_ASKED_FOR = ("unknown % null", "unknown % not null")
"""How the library writes a share that it was not asked for (BOOLEAN_ONLY)."""


class OfflinePage(DefaultJinjaPageView):
    """A page of Data Docs, drawn by the templates in ``pages`` where there is one, else by the library's."""

    def __init__(self, **directories: str | None) -> None:
        super().__init__(**directories)
        theirs = [self.env.loader] if self.env.loader else []
        self.env.loader = ChoiceLoader([FileSystemLoader(PAGES), *theirs])

    @pass_context
    def render_content_block(self, context: Any, content_block: Any, *rest: Any, **named: Any) -> Any:
        """Draw a block; what is plain text there is shown as text.

        The library puts values of the data into its pages as they are, so that a name could be a script.
        """
        if isinstance(content_block, str):
            return "" if content_block in NOT_ASKED_FOR else escape(content_block)
        if isinstance(content_block, list):
            content_block = [escape(block) if isinstance(block, str) else block for block in content_block]
        return super().render_content_block(context, content_block, *rest, **named)


def site(folder: str) -> dict[str, Any]:
    """The configuration of a Data Docs site, as Great Expectations takes it; its folder is relative to ``gx``."""
    view = {"module_name": __name__, "class_name": OfflinePage.__name__}
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "view": view},
        "site_section_builders": {
            "expectations": {"class_name": "DefaultSiteSectionBuilder", "view": view},
            "validations": {"class_name": "DefaultSiteSectionBuilder", "view": view},
            "profiling": "None",  # a word that it takes for nothing
        },
    }
