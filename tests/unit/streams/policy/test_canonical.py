"""The canonical text and the hash: what changes them, what does not."""

import msgspec
import pytest

from streams.policy.canonical import canonical, hash_of, load_canonical
from streams.policy.model import Policy
from streams.policy.parse import parse
from streams.policy.presets import preset_text


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
