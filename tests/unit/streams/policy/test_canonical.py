"""The canonical text and the hash: what changes them, what does not."""

import msgspec
import pytest

from streams.policy.canonical import canonical, hash_of, load_canonical
from streams.policy.model import Comparison, Ladder, OrderFilter, Policy, Tier
from streams.policy.parse import parse
from streams.policy.presets import preset_text
from streams.policy.windows import Window
from tests.requirements import all_of, any_of, at_least

FIRST_VERSION = (
    '{"churn":null,"currency":"CNY","ladders":[{"grace_days":30,"id":"club","keep_ratio":0.9,"tiers":[{"benefits":[],'
    '"enter":{"conditions":[{"at_least":1,"metric":"orders","window_days":null}],"mode":"any"},"id":"green","keep":'
    '{"conditions":[{"at_least":1,"metric":"orders","window_days":null}],"mode":"any"},"name":{"en":"Green","zh":'
    '"绿星"},"rank":1,"service_level":null},{"benefits":["tea"],"enter":{"conditions":[{"at_least":30,"metric":"orders"'
    ',"window_days":365},{"at_least":300000,"metric":"spend","window_days":365}],"mode":"any"},"id":"gold","keep":'
    '{"conditions":[{"at_least":20,"metric":"orders","window_days":365}],"mode":"all"},"name":{"en":"gold"},"rank":2,'
    '"service_level":"priority"}]}],"name":"old","time_zone":"Asia/Shanghai"}'
)
"""As the first version of the program wrote it."""
FIRST_VERSION_HASH = "1d57e503a8e831356c9e2faaba96e611bf034c925f71e55d0c1b77812bab0d56"


def default() -> Policy:
    """Return the default policy of a shop in Shanghai."""
    policy = parse(preset_text("default"), currency="CNY", time_zone="Asia/Shanghai")
    assert isinstance(policy, Policy)
    return policy


def test_the_canonical_text_is_json_without_the_hash() -> None:
    """Keys are sorted, names stay readable, the hash is that of the text."""
    text = canonical(default())
    assert text.startswith('{"churn":{"bands":[{"lower_edge":0.0,"name":"low"}')
    assert '"name":{"en":"Gold","zh":"金卡"}' in text
    assert "hash" not in text
    assert default().hash == hash_of(text)
    assert len(default().hash) == 64


def test_loading_gives_the_same_policy_back() -> None:
    """Text to policy to text, hash included."""
    assert load_canonical(canonical(default())) == default()
    assert canonical(load_canonical(canonical(default()))) == canonical(default())


def test_a_loaded_policy_keeps_the_hash_of_its_text() -> None:
    """Also when the text was written by a version that left out what is a default today: the identity is the text's."""
    text = canonical(default()).replace(":", ": ")
    assert load_canonical(text).hash == hash_of(text) != default().hash


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name":"x"}'])
def test_what_is_no_policy_is_refused(text: str) -> None:
    """A text that was not written here never becomes a policy by defaults."""
    with pytest.raises(msgspec.DecodeError):
        load_canonical(text)


def test_a_text_of_the_first_version_keeps_its_meaning_and_its_hash() -> None:
    """Journals that begin with one are read for ever."""
    once = any_of(at_least("orders", None, 1))
    gold = any_of(at_least("orders", 365, 30), at_least("spend", 365, 300_000))
    tiers = (
        Tier("green", 1, {"en": "Green", "zh": "绿星"}, once, once),
        Tier("gold", 2, {"en": "gold"}, gold, all_of(at_least("orders", 365, 20)), ("tea",), "priority"),
    )
    policy = load_canonical(FIRST_VERSION)
    assert policy == Policy(
        "old", "CNY", "Asia/Shanghai", (Ladder("club", tiers, 30, 0.9),), None, hash=FIRST_VERSION_HASH
    )
    assert load_canonical(canonical(policy)).ladders == policy.ladders


def test_equal_policies_have_equal_texts() -> None:
    """Whether a default was written, read or left out."""
    asked = at_least("orders", None, 1)
    told = msgspec.structs.replace(asked, window=Window("lifetime"), where=OrderFilter())

    def policy(enter: Comparison, year_start: tuple[int, int] = (1, 1)) -> Policy:
        tier = Tier("one", 1, {"en": "one"}, any_of(enter), any_of(enter))
        return Policy("x", "USD", "UTC", (Ladder("club", (tier,), year_start=year_start),), None)

    january, first = 1, 1
    assert policy(asked) == policy(told, (january, first))
    assert canonical(policy(asked)) == canonical(policy(told, (january, first)))
    assert "lifetime" not in canonical(policy(told))
