"""Data Docs that open anywhere: static pages without scripts, styles or pictures from the network.

The pages of Great Expectations load Bootstrap, jQuery and more from the network, and show next to nothing without them.
The content here is the library's; the page around it, and the blocks that need a script, are ours.
"""

from html import escape
from typing import Any

from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, pass_context

from expectations.gx.front_page import TEMPLATES

NOT_COUNTED = ("unknown % null", "unknown % not null")
"""What the library writes for shares that BOOLEAN_ONLY does not count."""


class OfflinePage(DefaultJinjaPageView):
    """A page of Data Docs. Templates in ``pages`` replace the library's own of the same name."""

    def __init__(self, **directories: str | None) -> None:
        super().__init__(**directories)
        library = [self.env.loader] if self.env.loader else []
        self.env.loader = ChoiceLoader([TEMPLATES, *library])

    @pass_context
    def render_content_block(self, context: Any, content_block: Any, *rest: Any, **named: Any) -> Any:
        """Render a block, with plain text escaped.

        The library puts values of the data into its pages unescaped, so that a name could be a script.
        """
        if isinstance(content_block, str):
            return "" if content_block in NOT_COUNTED else escape(content_block)
        if isinstance(content_block, list):
            content_block = [escape(block) if isinstance(block, str) else block for block in content_block]
        return super().render_content_block(context, content_block, *rest, **named)


def site(folder: str) -> dict[str, Any]:
    """The configuration of a Data Docs site for Great Expectations; the folder is relative to ``gx``."""
    view = {"module_name": __name__, "class_name": OfflinePage.__name__}
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "view": view},
        "site_section_builders": {
            "expectations": {"class_name": "DefaultSiteSectionBuilder", "view": view},
            "validations": {"class_name": "DefaultSiteSectionBuilder", "view": view},
            "profiling": "None",  # the library's word for no section
        },
    }
