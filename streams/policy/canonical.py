"""The canonical text of a policy: JSON with sorted keys and every default resolved. It travels in the journal.

Its SHA-256 is the policy's identity, taken over the text as it stands: a later version that knows more keys reads old
texts with defaults for the new ones, and still reports the hash under which the policy was activated.
"""

from hashlib import sha256

import msgspec

from streams.policy.model import Policy


def canonical(policy: Policy) -> str:
    """Return the text that stands for the policy, its hash left out: equal policies have equal texts."""
    return msgspec.json.encode(msgspec.structs.replace(policy, hash=""), order="sorted").decode()


def load_canonical(text: str) -> Policy:
    """Return the policy of a canonical text; `msgspec.ValidationError` or `msgspec.DecodeError` if it is none."""
    policy = msgspec.json.decode(text, type=Policy, strict=True)
    return msgspec.structs.replace(policy, hash=hash_of(text))


def hash_of(text: str) -> str:
    """Return the policy hash of a canonical text."""
    return sha256(text.encode()).hexdigest()
