"""Reading a manifest in a test."""

from typing import Any


def totals_by_name(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The totals of a manifest: ``table`` for what was written, else ``table kind`` or ``table kind part``."""
    totals = {}
    for entry in manifest["totals"]:
        kind = [] if entry["kind"] == "written" else [entry["kind"]]
        part = [entry["part"]] if "part" in entry else []
        figures = {name: entry[name] for name in ("rows", "money", "money_by_currency") if name in entry}
        totals[" ".join([entry["table"], *kind, *part])] = figures
    return totals


def total(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """One of `totals_by_name`."""
    return totals_by_name(manifest)[name]
