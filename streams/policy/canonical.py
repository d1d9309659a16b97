"""The canonical text of a policy: JSON with sorted keys and every default resolved. It travels in the journal.

Its SHA-256 is the policy's identity, taken over the text as it stands: a later version that knows more keys reads old
texts with defaults for the new ones, and still reports the hash under which the policy was activated.
"""

from hashlib import sha256
from typing import Any

import msgspec

from streams.policy.model import Policy


def canonical(policy: Policy) -> str:
    """Return the text that stands for the policy, its hash left out: equal policies have equal texts."""
    return msgspec.json.encode(msgspec.structs.replace(policy, hash=""), order="sorted").decode()


def load_canonical(text: str) -> Policy:
    """Return the policy of a canonical text; `msgspec.ValidationError` or `msgspec.DecodeError` if it is none."""
    raw = msgspec.json.decode(text)
    for ladder in raw.get("ladders", ()) if isinstance(raw, dict) else ():
        for tier in ladder.get("tiers", ()):
            for part in ("enter", "keep"):
                tier[part] = _modern(tier.get(part))
    policy = msgspec.convert(raw, type=Policy, strict=True)
    return msgspec.structs.replace(policy, hash=hash_of(text))


def _modern(requirement: Any) -> Any:  # noqa: ANN401 - JSON
    """A requirement of the first version, which knew rolling windows and lower limits alone, as it is written now."""
    if not isinstance(requirement, dict) or "mode" not in requirement:
        return requirement
    parts = [
        {
            "is": "comparison",
            "metric": c["metric"],
            "operator": ">=",
            "threshold": c["at_least"],
            "window": {"kind": "lifetime"} if c["window_days"] is None else {"kind": "days", "days": c["window_days"]},
        }
        for c in requirement["conditions"]
    ]
    return {"is": requirement["mode"], "parts": parts}


def hash_of(text: str) -> str:
    """Return the policy hash of a canonical text."""
    return sha256(text.encode()).hexdigest()
