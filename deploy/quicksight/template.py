"""The template of the stack ``bi``: the parts in ``stack.yaml``, and the data sets and the dashboard beside them.

``make bi-template`` writes it anew. A test says that the committed text is what this module makes.
"""

import io
import sys
from collections.abc import Mapping
from importlib import resources
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, TaggedScalar

from deploy.quicksight.dashboard import dashboard, theme
from deploy.quicksight.data_sets import TABLES, data_set, data_set_id, logical_id

LONGEST_LINE = 150

SHORT_FORMS = {"Ref": "!Ref", "Fn::Sub": "!Sub", "Fn::GetAtt": "!GetAtt"}


def template_text() -> str:
    """The template, as YAML."""
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load((resources.files("deploy.quicksight") / "stack.yaml").read_text(encoding="utf-8"))
    generated = {logical_id(table): data_set(table) for table in TABLES} | {"Theme": theme(), "Dashboard": dashboard()}
    content["Resources"].update(_in_short_form(generated))
    names = ",".join(f"${{Prefix}}-{data_set_id(table)}" for table in TABLES)
    content["Outputs"]["DashboardDataSets"] = _in_short_form({"Value": {"Fn::Sub": names}})
    text = io.StringIO()
    yaml.dump(content, text)
    return text.getvalue().replace("\nOutputs:", "\n\nOutputs:")


def _in_short_form(content: Any) -> Any:
    """Content as people write it: functions are tags (``!Ref Prefix``), and what is short stands on one line."""
    if isinstance(content, Mapping):
        if len(content) == 1 and (name := next(iter(content))) in SHORT_FORMS:
            style = '"' if name == "Fn::Sub" else None
            return TaggedScalar(value=content[name], style=style, tag=SHORT_FORMS[name])
        mapping = CommentedMap((key, _in_short_form(value)) for key, value in content.items())
        if all(isinstance(value, str | int) for value in content.values()) and len(str(content)) < LONGEST_LINE:
            mapping.fa.set_flow_style()
        return mapping
    return [_in_short_form(value) for value in content] if isinstance(content, list) else content


if __name__ == "__main__":
    sys.stdout.write(template_text())
