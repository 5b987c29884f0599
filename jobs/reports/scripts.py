"""The JavaScript of Vega, Vega-Lite and Vega-Embed, which a Python package carries: the page needs no network."""

from functools import cache
from importlib.metadata import version

import altair as alt
import vl_convert

from jobs.storage.user_cache import cached_text

SNIPPET = "window.vegaEmbed = vegaEmbed;"


@cache
def chart_scripts() -> str:
    """The three libraries as one script, to be put into a page. Bundling them takes a second or two, once."""
    major, minor, _ = alt.SCHEMA_VERSION.removeprefix("v").split(".")
    vega_lite = f"{major}.{minor}"
    script = cached_text(
        "charts",
        lambda: vl_convert.javascript_bundle(SNIPPET, vl_version=vega_lite),
        made_from=f"{SNIPPET} Vega-Lite {vega_lite} vl-convert {version('vl-convert-python')}",
    )
    # In a page, `</script` would end the script, and `<!--` would begin a comment in it.
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
