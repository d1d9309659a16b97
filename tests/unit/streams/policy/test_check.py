"""Policies that are valid and odd: what will hardly do what was meant is told with line and key, nothing else is."""

import pytest

from streams.policy.check import check
from streams.policy.presets import preset_names, preset_text
from tests.unit.streams.policy.coffee_house import COFFEE_HOUSE

HEADER = '[policy]\nname = "x"\ncurrency = "EUR"\ntime_zone = "UTC"\n'
ONE, TWO, THREE = (f"[[ladder.tier]]\nid = '{name}'\n" for name in ("one", "two", "three"))


def ask(metric: str, threshold: object, window: str = "365 days") -> str:
    """A lower limit, as a file writes it."""
    return f"{{ metric = '{metric}', window = '{window}', at_least = {threshold} }}"


def ladder(tiers: str, keys: str = "grace = '30 days'", name: str = "club") -> str:
    """A ladder of such tiers."""
    return f"[[ladder]]\nid = '{name}'\n{keys}\n{tiers}"


BASE = f"{ONE}enter.any = [{ask('orders', 1, 'lifetime')}]\n"
"""A tier at the bottom that is never lost."""
GOLD = f"enter.any = [{ask('orders', 30)}]\n"

# A ladder, the key at which a caution stands, and its message.
ODD = [
    (
        ladder(f"{BASE}{TWO}{GOLD}keep.any = [{ask('visits', 5)}]\n"),
        None,
        "",
    ),
    (
        ladder(f"{BASE}{TWO}{GOLD}keep.any = [{ask('visits', 5)}]\n", "grace = '0 days'"),
        "tier[1].keep",
        "tier `two` flaps: who enters it by what `keep` leaves out loses it and wins it back as single days leave",
    ),
    (
        ladder(f"{ONE}enter.any = [{ask('orders', 3, 'since last change')}]\n", "grace = '1 day'"),
        "tier[0].enter",
        "counts from nothing when the tier is reached: whoever does nothing more falls 1 day later",
    ),
    (
        ladder(f"{ONE}{GOLD}keep.all = [{ask('visits', 1)}, {ask('orders', 3, 'since last change')}]\n"),
        None,
        "",
    ),
    (
        ladder(
            f"{ONE}enter.any = [{{ all = [{ask('orders', 3, 'since last change')}, {ask('visits', 1)}] }}]\n"
            f"keep.any = [{ask('orders', 2, 'since last change')}]\n",
            "grace = '1 day'",
        ),
        "tier[0].keep",
        "counts from nothing when the tier is reached",
    ),
    (
        ladder(f"{BASE}{TWO}{GOLD}keep.any = [{ask('orders', 40)}]\n", "review.clock = 'calendar-year'"),
        "tier[1].keep",
        "never decides: it asks for more than `enter`, and whoever meets `enter` keeps the tier",
    ),
    (
        ladder(f"{ONE}enter.any = [{ask('visits', 5)}]\n{TWO}enter.any = [{ask('spend', repr('9.00'))}]\n"),
        "tier[1].id",
        "a gap below `two`",
    ),
    (
        ladder(
            f"{ONE}enter.any = [{ask('orders', 10)}]\n{TWO}{GOLD}keep.any = [{ask('orders', 5)}]\n", "keep_ratio = 0.9"
        ),
        "tier[1].keep",
        "nobody falls from `two` to `one`",
    ),
    (
        ladder(f"{BASE}{TWO}enter.any = [{ask('orders', 3, '7 days')}]\nnotice = ['60 days']\n", "grace = '14 days'"),
        "tier[1].notice",
        "a fall from `two` is never more than 21 days ahead, so that the notice of 60 days before is given at once",
    ),
    (
        ladder(f"{BASE}{TWO}enter.any = [{{ metric = 'recency', at_most = 9 }}]\nnotice = ['30 days']\n"),
        None,
        "",
    ),
    (
        ladder(f"{ONE}enter.any = [{{ metric = 'recency', at_most = 9 }}]\nnotice = ['41 days']\n"),
        "tier[0].notice",
        "never more than 40 days ahead",
    ),
    (
        ladder(
            f"{BASE}{TWO}{GOLD}keep.any = [{ask('visits', 5)}]\nnotice = ['30 days']\n",
            "validity = '14 days'\ngrace = '7 days'",
        ),
        None,
        "",
    ),
    (
        ladder(f"{BASE}{TWO}{GOLD}", "grace = '0 days'"),
        "tier[1].enter",
        "tier `two` flaps",
    ),
    (
        ladder(f"{BASE}{TWO}{GOLD}keep.any = [{ask('orders', 20)}]\n", "keep_ratio = 0.9").replace(
            BASE, f"{BASE}keep.any = [{ask('orders', 1, 'lifetime')}]\n"
        ),
        "keep_ratio",
        "has no effect: every tier writes its own `keep`",
    ),
    (
        ladder(BASE, "grace = '30 days'\nminimum.all = [{ metric = 'orders', window = 'lifetime', at_most = 0 }]"),
        "tier[0].enter",
        "tier `one` is unreachable: `enter` contradicts the ladder's `minimum`",
    ),
    (
        ladder(f"{ONE}enter.any = [{ask('orders', 40, '1 day')}]\n"),
        "tier[0].enter.any[0]",
        "hardly anybody can meet it: 40 orders in 1 day",
    ),
    (
        ladder(f"{ONE}enter.any = [{ask('tickets', 311, 'calendar month')}]\n"),
        "tier[0].enter.any[0]",
        "hardly anybody can meet it: 311 tickets in 31 days",
    ),
    (ladder(f"{ONE}enter.any = [{ask('tickets', 310, 'calendar month')}]\n"), None, ""),
    (ladder(f"{ONE}enter.any = [{ask('categories', 33)}]\n"), "tier[0].enter.any[0]", "it is never above 32"),
    (
        ladder(f"{ONE}enter.not = {{ metric = 'tickets_open', above = 32 }}\n"),
        "tier[0].enter.not",
        "it is never above 32",
    ),
    (
        ladder(f"{ONE}enter.any = [{{ metric = 'trait:birth_month', at_least = 13 }}]\n"),
        "tier[0].enter.any[0]",
        "it is never above 12",
    ),
    (
        ladder(f"{ONE}enter.any = [{{ metric = 'trait:birth_day', below = 1 }}]\n"),
        "tier[0].enter.any[0]",
        "it is never below 1",
    ),
    (
        ladder(f"{ONE}enter.any = [{ask('orders', 5, '30 days')}, {ask('orders', 3)}]\n"),
        "tier[0].enter.any[0]",
        "never decides: whoever meets it meets `any[1]` as well; leave it out",
    ),
    (
        ladder(f"{ONE}enter.all = [{ask('orders', 5, '30 days')}, {ask('orders', 3)}]\n"),
        "tier[0].enter.all[1]",
        "never decides: whoever meets `all[0]` meets it as well; leave it out",
    ),
    (
        ladder(
            f"{ONE}enter.any = [{ask('visits', 9)}, {{ all = [{ask('orders', 5, '30 days')}, "
            "{ metric = 'orders', window = '90 days', below = 5 }] }]\n"
        ),
        "tier[0].enter.any[1]",
        "nobody can meet it: its conditions contradict each other",
    ),
    (
        ladder(
            f"{ONE}enter.any = [{ask('visits', 5)}]\n{TWO}enter.any = [{ask('spend', repr('9.00'))}]\n", "step_down = 2"
        ).replace("step_down", "grace = '30 days'\nstep_down"),
        "tier[1].id",
        "a gap below `two`",
    ),
    (
        ladder(
            f"{BASE}{TWO}enter.any = [{ask('orders', 3, '7 days')}]\nnotice = ['60 days']\n", "validity = '60 days'"
        ),
        None,
        "",
    ),
    (ladder(f"{BASE}{TWO}{GOLD}"), None, ""),
    (ladder(f"{BASE}{TWO}{GOLD}", "grace = '0 days'\nkeep_ratio = 0.9"), None, ""),
    (ladder(f"{BASE}{TWO}{GOLD}", "grace = '0 days'\nvalidity = '1 year'"), None, ""),
    (ladder(f"{BASE}{TWO}{GOLD}", "grace = '0 days'\nreview.clock = 'calendar-year'"), None, ""),
    (ladder(f"{BASE}{TWO}{GOLD}keep.any = [{ask('visits', 5)}]\n", "review.clock = 'calendar-year'"), None, ""),
    (
        ladder(
            f"{ONE}enter.any = [{ask('visits', 5)}]\n{TWO}enter.any = [{ask('spend', repr('9.00'))}]\n",
            "grace = '30 days'\nstep_down = 1",
        ),
        None,
        "",
    ),
]


@pytest.mark.parametrize(("text", "key", "message"), ODD)
def test_what_is_odd_is_told_and_nothing_else(text: str, key: str | None, message: str) -> None:
    """One caution, at the part that has to change; none where the ladder is sound."""
    checked = check(HEADER + text)
    assert checked.policy is not None, checked.mistakes
    told = [(caution.key, caution.message) for caution in checked.cautions]
    if key is None:
        assert told == []
        return
    assert [found for found, _ in told] == [f"ladder[0].{key}"], told
    assert message in told[0][1]


def test_two_ladders_with_the_same_rules_are_told() -> None:
    """Another id and another audience make no difference."""
    twice = ladder(f"{BASE}{TWO}{GOLD}") + ladder(f"{BASE}{TWO}{GOLD}", "grace = '30 days'\naudience = 'internal'", "b")
    (caution,) = check(HEADER + twice).cautions
    assert (caution.key, "the same rules as the ladder `club`" in caution.message) == ("ladder[1].id", True)
    other = twice.replace("audience = 'internal'", "step_down = 1")
    assert check(HEADER + other).cautions == []


def test_a_caution_has_the_line_of_its_part() -> None:
    """And they come in the order of lines."""
    text = HEADER + ladder(f"{ONE}enter.any = [{ask('orders', 400, '30 days')}]\n", "grace = '0 days'")
    assert [(c.line, c.key) for c in check(text).cautions] == [
        (10, "ladder[0].tier[0].enter"),
        (10, "ladder[0].tier[0].enter.any[0]"),
    ]


def test_what_a_preset_lends_is_told_at_its_extends() -> None:
    """One's own file caused it: there is no other line to name."""
    text = HEADER.replace('name = "x"', 'name = "x"\nextends = "default"')
    own = "[[ladder]]\nid = 'standing'\ngrace = '0 days'\nkeep_ratio = 1\n"
    cautions = check(text + own).cautions
    assert {caution.line for caution in cautions} == {3}
    assert all("flaps" in caution.message for caution in cautions)


def test_mistakes_leave_no_cautions() -> None:
    """First the file has to be right."""
    checked = check(HEADER)
    assert (checked.policy, checked.cautions) == (None, [])
    assert [mistake.key for mistake in checked.mistakes] == ["ladder"]


def test_what_ships_is_sound() -> None:
    """No preset, and not the programme of the documentation, has anything odd."""
    assert check(COFFEE_HOUSE).cautions == []
    for name in preset_names():
        assert check(preset_text(name), currency="USD", time_zone="UTC").cautions == []
