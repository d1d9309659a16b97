"""The rules of churn risk, read from `[churn]`: model, horizon, bands without gap or overlap, hysteresis."""

from decimal import Decimal
from itertools import pairwise

from streams.models.mbgnbd import BUILT_IN, Parameters
from streams.policy.model import BAND_NAMES, DISCOUNT, VALUE_DAYS, Band, BandName, ChurnRules
from streams.policy.reading import Table, did_you_mean

KEYS = ("model", "horizon", "bands", "hysteresis", "actions", "value_horizon", "discount")
HORIZON_DAYS_MAX = 3_650
MODEL_HINT = f'the name of a fitted model, such as model = "{next(iter(BUILT_IN))}", or its parameters'
BANDS_HINT = 'bands = [{ name = "low", below = 0.65 }, { name = "high" }]'
# What a fit can sensibly return; outside it the closed forms lose their meaning before they lose their digits.
PARAMETER_MIN, PARAMETER_MAX = Decimal("1e-6"), Decimal("1e6")


def read_churn(document: Table) -> ChurnRules | None:
    """Read `[churn]`; None if there is none (churn is not judged then) or it has a mistake."""
    node = document.find("churn")
    if node is None:
        return None
    table = Table(node, KEYS, document.mistakes)
    model = _read_model(table)
    horizon_days = table.days("horizon", low=1, high=HORIZON_DAYS_MAX, hint='horizon = "90 days"')
    bands = _read_bands(table)
    hysteresis = table.number("hysteresis") if table.find("hysteresis") else Decimal(0)
    if bands is not None and hysteresis is not None:
        edges = [*(edge for _, edge in bands), Decimal(1)]
        narrowest = min(upper - lower for lower, upper in pairwise(edges))
        if not 0 <= hysteresis < narrowest:
            table.note(table.find("hysteresis"), f"has to be at least 0 and below the narrowest band, {narrowest}")
    actions = _read_actions(table, [name for name, _ in bands or ()])
    value = _read_value(table)
    if model is None or horizon_days is None or bands is None or hysteresis is None or value is None:
        return None
    return ChurnRules(
        model=model,
        horizon_days=horizon_days,
        bands=tuple(Band(name=name, lower_edge=float(edge)) for name, edge in bands),
        hysteresis=float(hysteresis),
        actions=actions,
        value_days=value[0],
        discount=value[1],
    )


def _read_model(churn: Table) -> Parameters | None:
    node = churn.find("model", hint=MODEL_HINT)
    if node is None:
        return None
    if isinstance(node.value, str):
        if node.value not in BUILT_IN:
            churn.note(node, f"unknown model `{node.value}`; {did_you_mean(node.value, BUILT_IN)}")
        return BUILT_IN.get(node.value)
    table = Table(node, ("name", "r", "alpha", "a", "b"), churn.mistakes)
    name = table.identifier("name", hint='a name for your own fit, such as name = "my-shop-2026"')
    if name in BUILT_IN:
        table.note(table.find("name"), f"`{name}` is a built-in model: give your own parameters another name")
    r, alpha, a, b = (_read_parameter(table, key) for key in ("r", "alpha", "a", "b"))
    if name is None or r is None or alpha is None or a is None or b is None:
        return None
    return Parameters(name=name, r=r, alpha=alpha, a=a, b=b)


def _read_parameter(table: Table, key: str) -> float | None:
    number = table.number(key, hint=f"the MBG/NBD parameter, such as {key} = 0.5 (time unit: weeks)")
    if number is not None and not PARAMETER_MIN <= number <= PARAMETER_MAX:
        table.note(table.find(key), f"has to be {PARAMETER_MIN} to {PARAMETER_MAX}")
        return None
    return None if number is None else float(number)


def _read_bands(churn: Table) -> list[tuple[BandName, Decimal]] | None:
    """Return names and lower edges: every band ends where the next begins, so `below` of one is the next one's edge."""
    before = len(churn.mistakes)
    nodes = churn.array("bands", hint=BANDS_HINT)
    bands: list[tuple[BandName, Decimal]] = []
    edge = Decimal(0)
    for index, node in enumerate(nodes):
        table = Table(node, ("name", "below"), churn.mistakes)
        name = _read_band_name(table, [name for name, _ in bands])
        if name is not None:
            bands.append((name, edge))
        is_last = index == len(nodes) - 1
        below = table.number("below", hint=None if is_last else "below = … (only the last band is open to 1)")
        if below is None:
            continue
        if is_last:
            table.note(table.find("below"), "leaves a gap below 1: the last band is open; leave out `below`")
        elif not edge < below < 1:
            table.note(table.find("below"), f"bands overlap or are empty: has to be above {edge} and under 1")
        else:
            edge = below
    return bands if bands and len(churn.mistakes) == before else None


def _read_band_name(table: Table, before: list[BandName]) -> BandName | None:
    text = table.text("name", hint='name = "low"')
    for name in BAND_NAMES:
        if name == text:
            if before and BAND_NAMES.index(name) <= BAND_NAMES.index(before[-1]):
                table.note(table.find("name"), f"`{name}` cannot stand above `{before[-1]}`; order: {_order()}")
            return name
    if text is not None:
        table.note(table.find("name"), f"unknown band `{text}`; {did_you_mean(text, BAND_NAMES)}")
    return None


def _read_actions(churn: Table, bands: list[BandName]) -> tuple[tuple[str, str], ...]:
    """Return what to do about a customer who enters a band, in the order of the bands."""
    node = churn.find("actions")
    if node is None:
        return ()
    table = Table(node, bands or BAND_NAMES, churn.mistakes)
    found = ((band, table.identifier(band)) for band in bands)
    return tuple((band, action) for band, action in found if action is not None)


def _read_value(churn: Table) -> tuple[int, float] | None:
    """Return horizon and discount of the lifetime value.

    Defaults are the very objects of the policy model, by which the canonical text knows to leave them out.
    """
    days, rate = VALUE_DAYS, DISCOUNT
    if churn.find("value_horizon"):
        given = churn.days("value_horizon", low=1, high=HORIZON_DAYS_MAX)
        if given is None:
            return None
        days = VALUE_DAYS if given == VALUE_DAYS else given
    if churn.find("discount"):
        number = churn.number("discount")
        if number is None or not 0 <= number <= 1:
            churn.note(churn.find("discount"), "has to be 0 to 1, a year: 0.1 makes a year's spend worth a tenth less")
            return None
        rate = DISCOUNT if float(number) == DISCOUNT else float(number)
    return days, rate


def _order() -> str:
    return ", ".join(BAND_NAMES)
