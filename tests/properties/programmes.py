"""Programmes as hypothesis draws them: the whole policy language, small enough for a short life to move through."""

import msgspec
from hypothesis import strategies as st

from streams.models.mbgnbd import CDNOW_1997
from streams.policy.logic import met_by_a_change
from streams.policy.model import (
    AllOf,
    AnyOf,
    Band,
    ChurnRules,
    Comparison,
    Ladder,
    NotMet,
    OrderFilter,
    Policy,
    Requirement,
    Span,
    Tier,
    comparisons,
    requirements_of,
)
from streams.policy.windows import LIFETIME, Window, rolling

ZONES = ("UTC", "America/New_York", "Asia/Shanghai", "Asia/Beirut", "Pacific/Apia")
CHURN = ChurnRules(CDNOW_1997, 30, (Band("low", 0.0), Band("high", 0.8)), 0.03)
PERIODS = (
    Window("calendar-year"),
    Window("calendar-quarter"),
    Window("calendar-month"),
    Window("membership-year"),
    Window("fixed-year", month=3, day=1),
)
windows = st.sampled_from((rolling(30), rolling(30), rolling(90), rolling(365), rolling(45), *PERIODS, LIFETIME))
SINCE_CHANGE = Window("since-change")
LOWER, ANY = (">=", ">"), (">=", ">", "<=", "<")


@st.composite
def filters(draw: st.DrawFn, window: Window) -> OrderFilter:
    """A filter that the window can be asked with."""
    kind = draw(st.sampled_from(("channel", "type", "category", "store", "amount", "both")))
    below = draw(st.none() | st.just(20_000))
    match kind:
        case "channel":
            return OrderFilter(channel=draw(st.sampled_from((("web",), ("web", "pos"), ("pos",)))))
        case "category":
            return OrderFilter(category=draw(st.sampled_from((("tea",), ("tea", "cups")))), order_below=below)
        case "store":
            return OrderFilter(store=("s1",), channel_type=draw(st.sampled_from(("", "online"))))
        case "amount" if window != LIFETIME:
            return OrderFilter(order_at_least=4_000, order_below=below)
        case "both" if window != LIFETIME:
            return OrderFilter(channel=("web",), channel_type="online", order_at_least=2_000)
        case _:
            return OrderFilter(channel_type=draw(st.sampled_from(("online", "offline"))))


@st.composite
def sums(draw: st.DrawFn, operators: tuple[str, ...]) -> Comparison:
    """What adds up over a window."""
    metric = draw(st.sampled_from(("spend", "spend", "orders", "orders", "visits", "views", "carts", "tickets")))
    window, where = draw(windows), OrderFilter()
    if metric in {"spend", "orders"}:
        if draw(st.integers(0, 5)) == 5:
            window = SINCE_CHANGE
        elif draw(st.booleans()):
            where = draw(filters(window))
    steps = draw(st.sampled_from((1, 1, 2, 3, 5)))
    threshold = steps * 2_000 if metric == "spend" else (steps + 1) // 2
    return Comparison(metric, draw(st.sampled_from(operators)), threshold, window, where)


def shares() -> st.SearchStrategy[Comparison]:
    """Parts of a whole over a window, which time may move either way."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Comparison:
        metric = draw(st.sampled_from(("order_share", "promo_share", "refund_rate", "satisfaction", "categories")))
        window = draw(windows)
        where = draw(filters(window)) if metric == "order_share" else OrderFilter()
        if metric == "categories":
            return Comparison(metric, draw(st.sampled_from(ANY)), draw(st.integers(1, 2)), window)
        threshold = draw(st.sampled_from((0.25, 0.5, 0.75))) * (100 if metric == "satisfaction" else 1)
        return Comparison(metric, draw(st.sampled_from(ANY)), threshold, window, where)

    average = st.builds(
        lambda operator, steps, window: Comparison("average_order_value", operator, steps * 2_500, window),
        st.sampled_from(ANY),
        st.integers(1, 4),
        windows,
    )
    return drawn() | average


spans = st.builds(
    Comparison,
    st.sampled_from(("recency", "recency", "tenure")),
    st.sampled_from(ANY),
    st.sampled_from((1, 10, 40, 100, 370)),
)
facts = st.sampled_from(
    (
        Comparison("membership", "==", True, name="plus"),  # noqa: FBT003 - the threshold
        Comparison("membership", "==", False, name="plus"),  # noqa: FBT003 - the threshold
        Comparison("override", "==", True, name="first"),  # noqa: FBT003 - the threshold
        Comparison("tickets_open", "<=", 0),
        Comparison("tickets_open", ">=", 1),
        Comparison("trait", "==", "de-DE", name="locale"),
        Comparison("trait", "in", ("fr-FR", "de-DE"), name="locale"),
        Comparison("purchase_gap", "<=", 20),
    )
)
probabilities = st.builds(
    lambda metric, operator, twentieths, horizon: Comparison(
        metric, operator, twentieths / 20, horizon_days=horizon if metric == "p_no_purchase" else 0
    ),
    st.sampled_from(("p_alive", "p_no_purchase")),
    st.sampled_from(ANY),
    st.integers(5, 19),
    st.sampled_from((0, 60)),
)
steady_leaves: st.SearchStrategy[Requirement] = sums(LOWER)
any_leaves: st.SearchStrategy[Requirement] = sums(LOWER) | sums(ANY) | shares() | spans | facts | probabilities


def requirements(leaves: st.SearchStrategy[Requirement], *, negated: bool) -> st.SearchStrategy[Requirement]:
    """One to four comparisons under all, any and not."""

    def grown(inner: st.SearchStrategy[Requirement]) -> st.SearchStrategy[Requirement]:
        parts = st.lists(inner, min_size=1, max_size=2).map(tuple)
        groups: st.SearchStrategy[Requirement] = st.builds(AllOf, parts) | st.builds(AnyOf, parts)
        return groups | st.builds(NotMet, inner) if negated else groups

    return st.recursive(leaves, grown, max_leaves=4)


@st.composite
def ladders(draw: st.DrawFn, name: str, clock: str, leaves: st.SearchStrategy[Requirement], *, negated: bool) -> Ladder:
    """One to three tiers. What it takes to keep one is as much, or less, or something else altogether."""
    balance = draw(st.sampled_from(("", "spend", "orders"))) if clock != "continuous" else ""
    if balance:
        threshold = st.sampled_from((4_000, 9_000) if balance == "spend" else (1, 2))
        leaves = leaves | st.builds(lambda value: Comparison("balance", ">=", value), threshold)
    tiers = []
    for rank in range(1, draw(st.integers(1, 3)) + 1):
        enter = draw(requirements(leaves, negated=negated).filter(lambda drawn: met_by_a_change(drawn) is None))
        eased = draw(st.sampled_from((enter, halved(enter))))
        match draw(st.sampled_from(("eased", "or else", "other"))):
            case "or else":
                keep: Requirement = AnyOf((eased, draw(leaves)))
            case "other":
                keep = draw(requirements(leaves, negated=negated))
            case _:
                keep = eased
        notice = draw(st.sampled_from(((), (), (30, 7), (3,))))
        deduct = draw(st.sampled_from((0, 1_000 if balance == "spend" else 1))) if balance else 0
        tiers.append(Tier(f"{name}{rank}", rank, {"en": f"T{rank}"}, enter, keep, notice_days=notice, deduct=deduct))
    spans_of = (None, None, Span(days=20), Span(months=2), Span(months=12))
    minimum = draw(st.none() | st.none() | sums(LOWER))
    return Ladder(
        name,
        tuple(tiers),
        draw(st.sampled_from((0, 1, 7, 30))),
        clock=clock,  # type: ignore[arg-type]  # one of the words
        anniversary_of=draw(st.sampled_from(("tier", "membership"))),
        year_start=(3, 1),
        validity=draw(st.sampled_from((*spans_of, Span(periods=2)) if clock != "continuous" else spans_of)),
        step_down=draw(st.integers(0, len(tiers))),
        minimum=minimum,
        balance=balance,  # type: ignore[arg-type]  # one of the words
    )


def halved(requirement: Requirement) -> Requirement:
    """Half of every lower limit of a sum, twice every upper one; what stands under `not` stays as it is."""
    match requirement:
        case Comparison() if isinstance(requirement.threshold, int) and not isinstance(requirement.threshold, bool):
            if requirement.operator in LOWER:
                return msgspec.structs.replace(requirement, threshold=(requirement.threshold + 1) // 2)
            return msgspec.structs.replace(requirement, threshold=requirement.threshold * 2)
        case AllOf(parts):
            return AllOf(tuple(halved(part) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(halved(part) for part in parts))
        case _:
            return requirement


CLOCKS = ("calendar-year", "fixed-year", "anniversary")


@st.composite
def programmes(draw: st.DrawFn, *, steady: bool = False) -> Policy:
    """One or two ladders; `steady`: sums against lower limits alone, without a clock or a minimum."""
    drawn = []
    for name in ("first", "second")[: draw(st.integers(1, 2))]:
        clock = "continuous" if steady else draw(st.sampled_from(("continuous", *CLOCKS)))
        leaves = steady_leaves if steady else any_leaves
        ladder = draw(ladders(name, clock, leaves, negated=not steady))
        drawn.append(msgspec.structs.replace(ladder, minimum=None) if steady else ladder)
    return Policy("drawn", "USD", draw(st.sampled_from(ZONES)), tuple(drawn), CHURN, "h")


def asks_for_membership_years(policy: Policy) -> bool:
    """Whether anything counts from the day on which the customer joined."""
    asked = [c for ladder in policy.ladders for part in requirements_of(ladder) for c in comparisons(part)]
    return any(c.window.kind == "membership-year" for c in asked) or any(
        ladder.anniversary_of == "membership" for ladder in policy.ladders
    )
