"""Conditions: what a tier asks for, read from `any = [...]`, `all = [...]` and `not = {...}`, nested at will."""

from typing import Final, Literal, NamedTuple

from streams.policy.document import Node, PolicyError
from streams.policy.logic import met_by_a_change
from streams.policy.metrics import METRICS, MODEL_METRICS, NUMBER_TRAITS, TRAIT_PREFIX, TRAITS, Metric, Unit
from streams.policy.model import NO_FILTER, AllOf, AnyOf, Comparison, NotMet, OrderFilter, Requirement
from streams.policy.reading import Table, did_you_mean
from streams.policy.thresholds import OPERATORS, Compared, read_compared, read_money, read_texts
from streams.policy.windows import LIFETIME, SPELLINGS, Window, read_window

CONDITION_HINT: Final = '{ metric = "orders", window = "365 days", at_least = 3 }'
GROUPS: Final = ("any", "all", "not")
FILTERS: Final = ("channel", "channel_type", "category", "store", "order_at_least", "order_below")
PARAMETERS: Final = ("programme", "ladder", "horizon")
KEYS: Final = ("metric", "window", *OPERATORS, *FILTERS, *PARAMETERS)
WINDOW_HINT: Final = "window = " + ", ".join(f'"{spelling}"' for spelling in SPELLINGS)
DEPTH_MAX: Final = 8
HORIZON_DAYS_MAX: Final = 3_650


class Context(NamedTuple):
    """What conditions are read with."""

    currency: str | None
    balance: Literal["", "spend", "orders"]
    """What the ladder's `balance` adds up."""
    ladders: tuple[str, ...]
    churn: bool
    """Whether the policy has rules of churn risk."""


def read_requirement(node: Node, context: Context, mistakes: list[PolicyError]) -> Requirement | None:
    """Read a requirement, amounts in the context's currency; None if it has a mistake or needs an unknown currency."""
    return _read_group(Table(node, GROUPS, mistakes), context, 1)


def read_rise(node: Node, context: Context, mistakes: list[PolicyError]) -> Requirement | None:
    """Read what a rise asks for: never something that a change of tier, or a deduction, itself makes met."""
    requirement = read_requirement(node, context, mistakes)
    lowered = None if requirement is None else met_by_a_change(requirement)
    if lowered is None:
        return requirement
    if lowered.metric == "balance":
        told = "the balance, and a deduction would lift whoever has too much; ask for at least so much"
    else:
        told = (
            'what came since the last change, and every change would lift again; write window = "365 days", or the like'
        )
    mistakes.append(node.error(f"asks for little of {told}"))
    return None


def _read_group(table: Table, context: Context, depth: int) -> Requirement | None:
    given = [group for group in GROUPS if table.find(group) is not None]
    if len(given) != 1:
        if isinstance(table.node.value, dict):
            example = f"any = [{CONDITION_HINT}]"
            table.note(None, f"has to hold either `any` or `all` (or `not`); write for example {example}")
        return None
    if depth > DEPTH_MAX:
        table.note(None, f"is nested more than {DEPTH_MAX} deep")
        return None
    if given[0] == "not":
        negated = table.find("not")
        part = None if negated is None else _read_part(negated, context, table.mistakes, depth)
        return None if part is None else NotMet(part)
    nodes = table.array(given[0], hint=CONDITION_HINT)
    parts = [_read_part(part, context, table.mistakes, depth) for part in nodes]
    complete = tuple(part for part in parts if part is not None)
    if not complete or len(complete) < len(nodes) or _noted_repeat(table, nodes, complete):
        return None
    return AnyOf(complete) if given[0] == "any" else AllOf(complete)


def _read_part(node: Node, context: Context, mistakes: list[PolicyError], depth: int) -> Requirement | None:
    if not node.table().keys().isdisjoint(GROUPS):
        return _read_group(Table(node, GROUPS, mistakes), context, depth + 1)
    return _read_comparison(Table(node, KEYS, mistakes), context)


def _noted_repeat(table: Table, nodes: list[Node], parts: tuple[Requirement, ...]) -> bool:
    """Note a comparison that one beside it makes superfluous."""
    seen = set()
    for node, part in zip(nodes, parts, strict=True):
        if not isinstance(part, Comparison):
            continue
        asked = (part.metric, part.window, part.where, part.name, part.horizon_days, part.operator)
        if asked in seen:
            table.note(node, "asks for the same metric over the same window as a condition before it")
            return True
        seen.add(asked)
    return False


def _read_comparison(table: Table, context: Context) -> Comparison | None:
    named = _metric(table)
    if named is None:
        return None
    name, metric = named
    before = len(table.mistakes)
    unit = _unit(metric, name, context)
    if unit is None:
        table.note(table.find("metric"), 'needs the ladder to say what its balance is: balance = "spend" or "orders"')
        return None
    window = _window(table, name, metric)
    where = _filter(table, name, metric, window, context.currency)
    parameter = _parameter(table, name, metric, context)
    horizon = _horizon(table, name, metric)
    compared = read_compared(table, unit, context.currency)
    if name in MODEL_METRICS and not context.churn:
        table.note(table.find("metric"), "needs the rules of churn risk: write [churn], or extend a preset that has it")
    if len(table.mistakes) > before or window is None or compared is None or parameter is None:
        return None
    return _comparison(name, compared, window, where, parameter, horizon)


def _comparison(
    name: str, compared: Compared, window: Window, where: OrderFilter, parameter: str, horizon: int
) -> Comparison:
    metric = "trait" if name.startswith(TRAIT_PREFIX) else name
    return Comparison(
        metric=metric,
        operator=compared.operator,
        threshold=compared.threshold,
        window=window,
        where=where,
        name=parameter,
        horizon_days=horizon,
    )


def _metric(table: Table) -> tuple[str, Metric] | None:
    text = table.text("metric", hint='one of the metrics, such as metric = "spend"')
    if text is None:
        return None
    if text.startswith(TRAIT_PREFIX):
        if text.removeprefix(TRAIT_PREFIX) in TRAITS:
            return text, METRICS["trait"]
        known = [f"{TRAIT_PREFIX}{trait}" for trait in TRAITS]
        table.note(table.find("metric"), f"unknown trait `{text}`; {did_you_mean(text, known)}")
        return None
    if text in METRICS and text != "trait":
        return text, METRICS[text]
    known = [*(metric for metric in METRICS if metric != "trait"), *(f"{TRAIT_PREFIX}{trait}" for trait in TRAITS)]
    table.note(table.find("metric"), f"unknown metric `{text}`; {did_you_mean(text, known)}")
    return None


def _unit(metric: Metric, name: str, context: Context) -> Unit | None:
    if metric.unit != "word":
        return metric.unit
    if metric.parameter == "trait":
        return "count" if name.removeprefix(TRAIT_PREFIX) in NUMBER_TRAITS else "text"
    return {"spend": "money", "orders": "count"}.get(context.balance)  # type: ignore[return-value]  # both are units


def _window(table: Table, name: str, metric: Metric) -> Window | None:
    """Return the window; `LIFETIME` for a metric that has none; None after a mistake."""
    if metric.windows == "none":
        part = table.find("window")
        if part is not None:
            table.note(part, f"leave it out: `{name}` has no window")
        return LIFETIME
    text = table.text("window", hint=WINDOW_HINT)
    window = None if text is None else read_window(text)
    if text is not None and window is None:
        table.note(table.find("window"), f"{text!r} is no window; write {WINDOW_HINT}, of at most 400 days")
    if window is not None and window.kind == "since-change" and metric.windows != "all":
        table.note(table.find("window"), "counts from the last change only for spend, orders and average_order_value")
    return window


def _filter(table: Table, name: str, metric: Metric, window: Window | None, currency: str | None) -> OrderFilter:
    given = [key for key in FILTERS if table.find(key) is not None]
    if not given:
        if name == "order_share":
            table.note(None, 'needs a filter, such as channel = "app": the share of the orders that pass it')
        return NO_FILTER
    if not metric.filtered:
        table.note(table.find(given[0]), f"`{name}` takes no filter: only metrics of orders do")
        return NO_FILTER
    texts = {
        key: read_texts(table, part) or ()
        for key in ("channel", "category", "store")
        if (part := table.find(key)) is not None
    }
    channel_type = table.text("channel_type") or ""
    if channel_type not in {"", "online", "offline"}:
        table.note(table.find("channel_type"), 'has to be "online" or "offline"')
    where = OrderFilter(
        **texts,
        channel_type=channel_type,
        order_at_least=read_money(table, "order_at_least", currency),
        order_below=read_money(table, "order_below", currency),
    )
    by_amount = where.order_at_least is not None or where.order_below is not None
    if window is not None and window.kind == "since-change":
        table.note(table.find("window"), "takes no filter: what passed it before the last change is not kept")
    elif window == LIFETIME and by_amount and not where.counted:
        table.note(table.find("window"), "orders are kept for 400 days: a filter by amount needs a window within them")
    if where.order_below is not None and where.order_below <= (where.order_at_least or 0):
        table.note(table.find("order_below"), "has to be above `order_at_least`: no order passes both")
    return where


def _parameter(table: Table, name: str, metric: Metric, context: Context) -> str | None:
    """Return what the metric is asked about, empty where it is asked about nothing."""
    for key in PARAMETERS:
        part = table.find(key)
        if part is not None and key != metric.parameter:
            table.note(part, f"`{name}` takes no `{key}`")
    match metric.parameter:
        case "trait":
            return name.removeprefix(TRAIT_PREFIX)
        case "programme":
            return table.identifier("programme", hint='the programme, such as programme = "plus"')
        case "ladder":
            ladder = table.identifier("ladder", hint="the id of the ladder")
            if ladder is not None and ladder not in context.ladders:
                table.note(
                    table.find("ladder"), f"no ladder is called `{ladder}`; {did_you_mean(ladder, context.ladders)}"
                )
            return ladder
        case _:
            return context.balance if name == "balance" else ""


def _horizon(table: Table, name: str, metric: Metric) -> int:
    return table.days("horizon", low=1, high=HORIZON_DAYS_MAX) or 0 if metric.parameter == "horizon" and name else 0
