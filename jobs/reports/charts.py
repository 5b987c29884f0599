"""The charts of the page, as Vega-Lite. Colours are variables of the page's style, so that a chart follows dark mode.

Each function returns a specification for one place of the page. Values that the page hides are not in it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from jobs.reports.bins import Bin
from jobs.reports.customers import Month
from jobs.reports.figures import Figure
from jobs.reports.money_flow import Stage
from transforms.rfm.scores import Bands

ACCENT, QUIET, INK, RULE = "var(--accent)", "var(--quiet)", "var(--ink)", "var(--rule)"
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
ROW, LINE, HEIGHT = 32, 26, 200
MILLION = 1_000_000

Spec = dict[str, Any]

CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelColor": INK,
        "titleColor": "var(--muted)",
        "gridColor": RULE,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelPadding": 6,
    },
    "axisQuantitative": {"grid": True, "tickCount": 5},
    "text": {"color": INK, "fontSize": 12},
    "rule": {"color": ACCENT},
}


def shares_chart(named: Sequence[tuple[str, Figure, Figure]], *, of: str) -> Spec:
    """Two bars for each group of customers: its share of customers and of revenue."""
    values = [
        {"name": name, "share": figure.number, "of": part, "shown": figure.text}
        for name, customers, revenue in named
        for part, figure in (("customers", customers), ("revenue", revenue))
    ]
    base = alt.Chart(alt.InlineData(values)).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=280), scale=alt.Scale(paddingInner=0.35)),
        yOffset=alt.YOffset("of:N", sort=["customers", "revenue"], scale=alt.Scale(paddingInner=0.1)),
    )
    tooltip = [_tip("name:N", of), _tip("of:N", "share of"), _tip("share:Q", "share", ".1%")]
    bars = base.mark_bar(cornerRadiusEnd=1).encode(
        x=alt.X("share:Q", title=None, axis=alt.Axis(format=".0%")),
        color=alt.Color("of:N", scale=alt.Scale(domain=["customers", "revenue"], range=[QUIET, ACCENT]), legend=None),
        tooltip=tooltip,
    )
    missing = base.transform_filter("!isValid(datum.share) && datum.shown").mark_text(align="left", dx=4)
    words = missing.encode(x=alt.datum(0), text="shown:N")
    return _spec(bars + words, f"Share of customers and of revenue of each {of}", height=ROW * len(named))


def value_chart(bins: Sequence[Bin], *, title: str, bands: Bands) -> Spec:
    """Customers by the value of a measure, with the cut points between the scores."""
    is_log = bands.measure.decimals > 0
    values = [
        {
            "low": each.low,
            "high": each.high,
            "customers": each.customers.number,
            "shown": each.customers.text,
            "hidden": each.customers.value is None,
        }
        for each in bins
    ]
    low, high = (bins[0].low, bins[-1].high) if bins else (1, 10)
    scale = alt.Scale(type="log" if is_log else "linear", domain=[low, high], nice=False, clamp=True)
    in_words = "format(datum.low, ',.2f') + ' to below ' + format(datum.high, ',.2f')"
    if not is_log:
        in_words = "format(datum.low, ',.0f') + ' to ' + format(datum.high - 1, ',.0f')"
    base = alt.Chart(alt.InlineData(values)).transform_calculate(range=in_words)
    axis = alt.Axis(format="~s" if high >= MILLION else ",~f", grid=False, tickCount=4 if is_log else 8)
    x = alt.X("low:Q", scale=scale, title=_title(title, is_log=is_log), axis=axis)
    about = _tip("range:N", title)
    bars = base.mark_rect(color=QUIET, stroke="var(--paper)", strokeWidth=0.75).encode(
        x=x,
        x2="high:Q",
        y=alt.Y("customers:Q", title="customers", axis=alt.Axis(format=",~f")),
        y2=alt.datum(0),
        tooltip=[about, _tip("customers:Q", "customers", ",.0f")],
    )
    small = _dashed(base, values, x=x, x2="high:Q", tooltip=[about, _tip("shown:N", "customers")])
    cuts = alt.Chart(alt.InlineData([{"at": float(at)} for at in bands.cut_points if low <= at <= high]))
    rules = cuts.mark_rule(strokeWidth=1.5).encode(x=alt.X("at:Q", scale=scale))
    scores = alt.Chart(alt.InlineData(_places_of_scores(bands, low, high, is_log=is_log)))
    words = scores.mark_text(color=ACCENT, baseline="bottom", dy=-4).encode(
        x=alt.X("at:Q", scale=scale), y=alt.value(0), text="score:N"
    )
    layers = alt.layer(bars, *small, rules, words)
    return _spec(layers, f"Customers by {title}, with the cut points of the scores", height=HEIGHT)


def _dashed(
    base: alt.Chart, values: Sequence[dict[str, Any]], *, x: alt.X, x2: str, tooltip: Sequence[alt.Tooltip]
) -> list[alt.Chart]:
    """A layer of low boxes for the ranges whose figure is hidden; no layer without any, since Vega warns of that."""
    if not any(value["hidden"] for value in values):
        return []
    boxes = base.transform_filter("datum.hidden").mark_rect(color="transparent", stroke=QUIET, strokeDash=[2, 2])
    return [boxes.encode(x=x, x2=x2, y=alt.datum(0), y2=alt.value(HEIGHT - 8), tooltip=tooltip)]


def _places_of_scores(bands: Bands, low: float, high: float, *, is_log: bool) -> list[dict[str, Any]]:
    """The middle of each band that is drawn, for its score."""
    edges = [low, *[min(max(float(at), low), high) for at in bands.cut_points], high]
    return [
        {"at": (start * end) ** 0.5 if is_log else (start + end) / 2, "score": f"{score}"}
        for start, end, score in zip(edges, edges[1:], bands.scores, strict=False)
        if start < end
    ]


def _amounts(values: Sequence[dict[str, Any]]) -> str:
    """The format of an axis of money: in full, unless it is long."""
    return "~s" if max((value["money"] or 0 for value in values), default=0) >= MILLION else ",~f"


def _title(title: str, *, is_log: bool) -> str:
    return f"{title} (logarithmic scale)" if is_log else title


def count_chart(bins: Sequence[Bin]) -> Spec:
    """Customers by the number of purchases, as dots on a logarithmic scale: in many shops most customers have one."""
    values = [
        {"purchases": each.label.text, "customers": each.customers.number, "shown": each.customers.text}
        for each in bins
        if each.customers.value != 0
    ]
    most = max((each.customers.number or 1 for each in bins), default=1)
    label = "isValid(datum.customers) ? format(datum.customers, ',.0f') : datum.shown"
    base = (
        alt.Chart(alt.InlineData(values))
        .transform_calculate(label=label, at="isValid(datum.customers) ? datum.customers : 1")
        .encode(
            y=alt.Y("purchases:N", sort=None, title="purchases", axis=alt.Axis(grid=True)),
            x=alt.X(
                "at:Q",
                title="customers (logarithmic scale)",
                scale=alt.Scale(type="log", domain=[1, max(most * 30, 10)], nice=False),
                axis=alt.Axis(format=",~f", tickCount=4),
            ),
            tooltip=[_tip("purchases:N", "purchases"), _tip("label:N", "customers")],
        )
    )
    dots = base.transform_filter("isValid(datum.customers)").mark_point(filled=True, size=70, opacity=1, color=ACCENT)
    words = base.mark_text(align="left", dx=9).encode(text="label:N")
    return _spec(dots + words, "Customers by number of purchases", height=LINE * max(len(values), 1))


def month_chart(months: Sequence[tuple[Month, Figure, Figure]]) -> Spec:
    """The money of each month."""
    values = [
        {
            "month": month.first_day.isoformat(),
            "end": f"{month.last_day.isoformat()}T23:59:59Z",
            "money": paid.number,
            "purchases": purchases.number,
            "shown": purchases.text,
            "hidden": purchases.value is None,
        }
        for month, purchases, paid in months
    ]
    base = alt.Chart(alt.InlineData(values))
    x = alt.X(
        "month:T",
        scale=alt.Scale(type="utc"),
        title=None,
        axis=alt.Axis(format="%b %Y", labelOverlap=True, tickCount=8, grid=False),
    )
    about = _tip("month:T", "month", "%B %Y", utc=True)
    bars = base.mark_rect(color=QUIET, stroke="var(--paper)", strokeWidth=0.75).encode(
        x=x,
        x2="end:T",
        y=alt.Y("money:Q", title="money", axis=alt.Axis(format=_amounts(values))),
        y2=alt.datum(0),
        tooltip=[about, _tip("purchases:Q", "purchases", ",.0f"), _tip("money:Q", "money", ",.2f")],
    )
    small = _dashed(base, values, x=x, x2="end:T", tooltip=[about, _tip("shown:N", "purchases")])
    return _spec(alt.layer(bars, *small), "Money of the purchases of each month", height=HEIGHT)


def trend_chart(name: str, days: Sequence[tuple[str, Figure]], *, highest: float) -> Spec:
    """The share of customers in one segment, run by run."""
    values = [{"day": day, "share": share.number} for day, share in days]
    scale = alt.Scale(domain=[0, highest * 1.15])
    axis = alt.Axis(format="%d %b %Y", labelOverlap=True, tickCount=3, grid=False, labelFlush=True)
    line = (
        alt.Chart(alt.InlineData(values))
        .mark_line(color=ACCENT, strokeWidth=2, point={"filled": True, "size": 22, "color": ACCENT})
        .encode(
            x=alt.X("utcyearmonthdate(day):T", title=None, axis=axis),
            y=alt.Y("share:Q", title=None, scale=scale, axis=alt.Axis(format=".0%", tickCount=3)),
            tooltip=[_tip("day:T", "as of", "%d %B %Y", utc=True), _tip("share:Q", "share of customers", ".1%")],
        )
    )
    return _spec(line, f"Share of customers in {name}, run by run", height=80)


def rate_chart(named: Sequence[tuple[str, Figure, Figure, Figure]], *, whole: Figure) -> Spec:
    """The rate of each segment with its interval, and a line at that of all customers."""
    values = [
        {"name": name, "rate": rate.number, "low": low.number, "high": high.number, "shown": rate.text}
        for name, rate, low, high in named
    ]
    x = alt.X("low:Q", title="bought again", axis=alt.Axis(format="~%", labelOverlap=True), scale=alt.Scale(zero=True))
    # Each layer has some of the segments, so their order must be stated.
    order = [name for name, *_ in named]
    base = alt.Chart(alt.InlineData(values)).encode(
        y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=280)),
        tooltip=[
            _tip("name:N", "segment"),
            _tip("rate:Q", "bought again", ".2%"),
            _tip("low:Q", "interval from", ".2%"),
            _tip("high:Q", "to", ".2%"),
        ],
    )
    shown = base.transform_filter("isValid(datum.rate)")
    bars = shown.mark_bar(color=QUIET, height=4, cornerRadius=2).encode(x=x, x2="high:Q")
    points = shown.mark_point(filled=True, size=70, opacity=1, color=ACCENT).encode(x="rate:Q")
    layers = [bars, points]
    if any(value["rate"] is None for value in values):
        words = base.transform_filter("!isValid(datum.rate) && datum.shown").mark_text(align="left", dx=4)
        layers.append(words.encode(x=alt.datum(0), text="shown:N"))
    if whole.number is not None:
        layers.append(alt.Chart(alt.InlineData([{"all": whole.number}])).mark_rule(strokeWidth=1.5).encode(x="all:Q"))
    return _spec(alt.layer(*layers), "Share of each segment that bought again", height=LINE * max(len(values), 1))


def flow_chart(stages: Sequence[Stage]) -> Spec:
    """The money at each stage: what went on, and what did not, by cause."""
    values: list[dict[str, Any]] = []
    for place, stage in enumerate(stages):
        removed = {cause: float(total.money or 0) for cause, total in stage.removed.items() if place and total.money}
        money = float(stage.money)
        end = max(money, 0.0) + sum(max(each, 0.0) for each in removed.values())
        values.append({"stage": stage.name, "part": "goes on", "money": money, "order": 0, "end": end})
        values += [{"stage": stage.name, "part": part, "money": each, "order": 1} for part, each in removed.items()]
    lowest = min((each["money"] for each in values), default=0.0)
    highest = max((each.get("end", 0.0) for each in values), default=0.0)
    # Room for the amount behind the longest bar.
    scale = alt.Scale(domain=[min(lowest, 0.0), highest * 1.25 or 1.0], nice=False)
    base = alt.Chart(alt.InlineData(values)).encode(
        y=alt.Y("stage:N", sort=None, title=None),
        tooltip=[_tip("stage:N", "stage"), _tip("part:N", "part"), _tip("money:Q", "money", ",.2f")],
    )
    bars = base.mark_bar(cornerRadiusEnd=1).encode(
        x=alt.X("money:Q", title=None, axis=None, scale=scale),
        order="order:Q",
        color=alt.condition("datum.order == 0", alt.value(ACCENT), alt.value(QUIET)),
    )
    amounts = base.transform_filter("datum.order == 0").mark_text(align="left", dx=8)
    words = amounts.encode(x=alt.X("end:Q", axis=None, scale=scale), text=alt.Text("money:Q", format=",.2f"))
    return _spec(bars + words, "The money, stage by stage", height=LINE * max(len(stages), 1))


def _tip(field: str, title: str, pattern: str | None = None, *, utc: bool = False) -> alt.Tooltip:
    shorthand = f"utcyearmonthdate({field.partition(':')[0]}):T" if utc else field
    return alt.Tooltip(shorthand, title=title, format=alt.Undefined if pattern is None else pattern)


def _spec(chart: alt.Chart | alt.LayerChart | alt.FacetChart, description: str, *, height: int) -> Spec:
    autosize = alt.AutoSizeParams(type="fit-x", contains="padding")
    whole = chart.properties(width="container", height=height, description=description, autosize=autosize)
    return {**whole.to_dict(), "config": dict(CONFIG)}
