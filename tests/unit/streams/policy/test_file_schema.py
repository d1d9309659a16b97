"""The JSON Schema of policy files: it accepts what the parser accepts, and catches what stands in one place."""

import tomllib
from typing import get_args

import jsonschema_rs
import pytest

from streams.policy import keys
from streams.policy.file_schema import file_schema
from streams.policy.model import Policy
from streams.policy.parse import parse
from streams.policy.presets import preset_names, preset_text
from tests.unit.streams.policy.coffee_house import COFFEE_HOUSE
from tests.unit.streams.policy.test_language import CHURN, CONDITIONS, HEADER, LADDER_KEYS, PLAIN, WHERE, WINDOWS
from tests.unit.streams.policy.test_language_mistakes import CONDITIONS as WRONG_CONDITIONS
from tests.unit.streams.policy.test_language_mistakes import LADDERS as WRONG_LADDERS
from tests.unit.streams.policy.test_language_mistakes import TIERS as WRONG_TIERS
from tests.unit.streams.policy.test_mistakes import MISTAKES, SHOP
from tests.unit.streams.policy.test_parse import EXTENDING
from tests.unit.streams.policy.test_parse import SHOP as SMALL_SHOP

VALIDATOR = jsonschema_rs.Draft202012Validator(file_schema())
DEDUCTING = "balance = 'spend'\nreview = { clock = 'calendar-year' }"
ON_BALANCE = "enter.any = [{ metric = 'balance', at_least = '1.00' }]"

# Messages of mistakes that depend on more than one place, or on lists that no schema should carry.
LANDING = {"step_down": "grace = '1 day'\n"}
BEYOND_A_SCHEMA = (
    "all its steps would come at once",
    "printable characters",
    "none of the standard's names",
    "did you mean `America/New_York`",
    "did you mean `Asia/Shanghai`",
    "has it",
    "more decimals than",
    "is too large",
    "in USD, only in EUR",
    "unknown key `EURO`",
    "same metric",
    "is unreachable",
    "`gold` has to ask for more",
    "asks for more than `enter`",
    "did you mean `cdnow-1997`",
    "built-in",
    "has to be 0.000001 to",
    "has to be above 0",
    "0 to 3650 days",
    "1 to 3650 days",
    "365 days",
    "a finite number",
    "narrowest band",
    "missing; write below",
    "bands overlap",
    "leaves a gap",
    "cannot stand above",
    "missing; write currency",
    "missing; write time_zone",
    "balance = ",
    "write [churn]",
    "takes no filter: what",
    "kept for 400 days",
    "no ladder is called",
    "every customer meets",
    "nobody can meet it",
    "no order passes both",
    "is no length of time",
    "at most 3650 days",
    "counts periods",
    "1 to 1",
    "a whole number of orders above 0",
    "may lose cents",
    "has to be at least",
)
# Likewise: messages that are part of others.
ALIKE = ("no", "has to be", "takes no filter")


def ladder_text(ladder: str = "", tier: str = PLAIN, churn: str = CHURN) -> str:
    """A policy of one ladder and one tier with these keys."""
    head = "" if ladder.startswith("id") else "id = 'club'\n"
    own = "" if "\nid = " in tier else "id = 'one'\n"
    return f"{HEADER}[[ladder]]\n{head}{ladder}\n[[ladder.tier]]\n{own}{tier}\n{churn}"


def entering(condition: str) -> str:
    """A tier's key with one condition."""
    return f"enter.any = [{{ {condition} }}]"


RIGHT = [
    SHOP,
    SMALL_SHOP,
    COFFEE_HOUSE,
    EXTENDING,
    f"{EXTENDING}[[ladder]]\nid = 'standing'\n[[ladder.tier]]\nid = 'gold'\nbenefits = ['tea']\n",
    *(ladder_text("balance = 'spend'", entering(written)) for written, _ in CONDITIONS),
    *(ladder_text("", entering(f"metric = 'orders', window = '{written}', at_least = 1")) for written, _ in WINDOWS),
    *(
        ladder_text("", entering(f"metric = 'orders', window = '90 days', {written}, at_least = 1"))
        for written, _ in WHERE
    ),
    *(ladder_text(written) for written, _ in LADDER_KEYS),
    *(ladder_text("balance = 'spend'", f"enter.any = [{keys.condition_example(name)}]") for name in keys.CONDITIONS),
    *(ladder_text(LANDING.get(name, "") + key.example) for name, key in keys.LADDER.items() if key.example),
    *(
        ladder_text("", f"enter.any = [{{ metric = 'spend', window = '30 days', {key.example}, at_least = '1' }}]")
        for key in keys.FILTERS.values()
    ),
    *(
        ladder_text(DEDUCTING if name == "deduct" else "", f"{'' if name == 'enter' else enter}\n{key.example}")
        for name, key in keys.TIER.items()
        for enter in ({"deduct": ON_BALANCE, "keep": keys.TIER["enter"].example}.get(name, PLAIN),)
    ),
    ladder_text(f"review = {{ {keys.REVIEW['clock'].example} }}"),
    ladder_text(f"review = {{ clock = 'anniversary', {keys.REVIEW['of'].example} }}"),
    ladder_text(f"review = {{ clock = 'fixed-year', {keys.REVIEW['starts'].example} }}"),
    ladder_text(churn="[churn]\n" + "\n".join(key.example for key in keys.CHURN.values())),
    "[policy]\n" + "\n".join(key.example for key in keys.POLICY.values()),
]
WRONG = [
    *((SHOP.replace(right, wrong, 1), message) for right, wrong, _, _, message in MISTAKES),
    *((ladder_text("", entering(written)), message) for written, _, message in WRONG_CONDITIONS),
    *((ladder_text(written), message) for written, _, message in WRONG_LADDERS),
    *((ladder_text(ladder, f"{tier}\n{PLAIN}"), message) for ladder, tier, _, message in WRONG_TIERS),
]
CAUGHT = [
    text for text, message in WRONG if not any(part in message for part in BEYOND_A_SCHEMA) and message not in ALIKE
]


def test_the_schema_is_valid() -> None:
    """The dialect's own schema accepts it, and every table in it is closed."""
    assert jsonschema_rs.meta.is_valid(file_schema())


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_parser_accepts_the_schema_accepts(text: str) -> None:
    """Every file of the tests of the language, every example of a key."""
    assert isinstance(parse(text), Policy), parse(text)
    assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_accepted(name: str) -> None:
    """Currency and time zone may come from the settings."""
    assert VALIDATOR.is_valid(tomllib.loads(preset_text(name)))


@pytest.mark.parametrize("text", CAUGHT)
def test_a_mistake_in_one_place_is_caught_while_writing(text: str) -> None:
    """Whatever the parser refuses and a schema can see."""
    assert isinstance(parse(text), list)
    assert not VALIDATOR.is_valid(tomllib.loads(text))


def test_most_mistakes_are_caught_while_writing() -> None:
    """The list of those beyond a schema does not hide the schema's own gaps."""
    assert len(CAUGHT) > len(WRONG) / 2


def test_every_key_has_its_words() -> None:
    """The tables of words and those that the parser reads by are about the same keys."""
    from streams.policy import churn_rules, conditions, ladders, metrics, model, parse, thresholds, tiers, windows

    assert tuple(keys.POLICY) == parse.POLICY_KEYS
    assert tuple(keys.LADDER) == ladders.KEYS
    assert tuple(keys.TIER) == tiers.KEYS
    assert tuple(keys.CHURN) == churn_rules.KEYS
    assert tuple(keys.GROUPS) == conditions.GROUPS
    assert tuple(keys.FILTERS) == conditions.FILTERS
    assert tuple(keys.PARAMETERS) == conditions.PARAMETERS
    assert tuple(keys.CLOCKS) == ladders.CLOCKS
    assert set(keys.WINDOWS) == set(windows.SPELLINGS)
    assert tuple(keys.OPERATORS) == tuple(thresholds.OPERATORS)
    assert tuple(keys.CONDITIONS) == tuple(metrics.METRICS)
    assert set(keys.UNITS) == set(get_args(metrics.Unit))
    assert set(keys.CLOCKS) == set(get_args(model.Clock))
