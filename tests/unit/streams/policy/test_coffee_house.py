"""The coffee house's programme is read complete, and its canonical text and hash stay as they are."""

from streams.policy.canonical import canonical, hash_of
from streams.policy.model import Ladder, Policy, Span, Tier
from streams.policy.parse import parse
from tests.requirements import all_of, any_of, at_least
from tests.unit.streams.policy.coffee_house import COFFEE_HOUSE


def coffee_house() -> Policy:
    """The file as a policy."""
    policy = parse(COFFEE_HOUSE)
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    return policy


def test_the_coffee_house_is_read_complete() -> None:
    """Nothing of the file is lost."""
    orders, spend = at_least("orders", 365, 30), at_least("spend", 365, 300_000)
    once = any_of(at_least("orders", None, 1))
    green = Tier("green", 1, {"en": "Green", "zh": "绿星"}, once, once)
    gold = Tier(
        id="gold",
        rank=2,
        name={"en": "Gold", "zh": "金星"},
        enter=any_of(orders, spend),
        keep=all_of(at_least("orders", 365, 20)),
        benefits=("free_refill", "birthday_gift"),
        service_level="priority",
        notice_days=(30, 7),
    )
    ladder = Ladder(
        "club", (green, gold), 30, 0.9, clock="anniversary", validity=Span(months=12), step_down=1, balance=""
    )
    policy = coffee_house()
    assert policy == Policy("coffee-house", "CNY", "Asia/Shanghai", (ladder,), None, policy.hash)


COFFEE_HOUSE_TEXT = (
    '{"churn":null,"currency":"CNY","ladders":[{"clock":"anniversary","grace_days":30,"id":"club","keep_ratio":0.9,'
    '"step_down":1,"tiers":[{"enter":{"is":"any","parts":[{"is":"comparison","metric":"orders","operator":">=",'
    '"threshold":1}]},"id":"green","keep":{"is":"any","parts":[{"is":"comparison","metric":"orders","operator":">=",'
    '"threshold":1}]},"name":{"en":"Green","zh":"绿星"},"rank":1},{"benefits":["free_refill","birthday_gift"],'
    '"enter":{"is":"any","parts":[{"is":"comparison","metric":"orders","operator":">=","threshold":30,"window":'
    '{"days":365,"kind":"days"}},{"is":"comparison","metric":"spend","operator":">=","threshold":300000,"window":'
    '{"days":365,"kind":"days"}}]},"id":"gold","keep":{"is":"all","parts":[{"is":"comparison","metric":"orders",'
    '"operator":">=","threshold":20,"window":{"days":365,"kind":"days"}}]},"name":{"en":"Gold","zh":"金星"},'
    '"notice_days":[30,7],"rank":2,"service_level":"priority"}],"validity":{"months":12}}],"name":"coffee-house",'
    '"time_zone":"Asia/Shanghai"}'
)
COFFEE_HOUSE_HASH = "b0e43ae88254716bce6b49cbc787c48cc991a603d3f834eebff247a07063546e"


def test_the_canonical_text_and_the_hash_stay_as_they_are() -> None:
    """Journals hold both for ever: a change of either is a change of the format."""
    policy = coffee_house()
    assert canonical(policy) == COFFEE_HOUSE_TEXT
    assert policy.hash == hash_of(COFFEE_HOUSE_TEXT) == COFFEE_HOUSE_HASH
