"""The JavaScript of Vega, Vega-Lite and Vega-Embed, which a Python package carries: the page needs no network."""

from functools import cache

import altair as alt
import vl_convert

SNIPPET = "window.vegaEmbed = vegaEmbed;"


@cache
def chart_scripts() -> str:
    """The three libraries as one script, to be put into a page. The first call takes a second."""
    major, minor, _ = alt.SCHEMA_VERSION.removeprefix("v").split(".")
    script = vl_convert.javascript_bundle(SNIPPET, vl_version=f"{major}.{minor}")
    # In a page, `</script` would end the script, and `<!--` would begin a comment in it.
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
