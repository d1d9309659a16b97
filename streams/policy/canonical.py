"""The canonical text of a policy: JSON with sorted keys and every default resolved. It travels in the journal.

Its SHA-256 is the policy's identity, taken over the text as it stands: a later version that knows more keys reads old
texts with defaults for the new ones, and still reports the hash under which the policy was activated.
"""

from hashlib import sha256
from typing import Any, Final

import msgspec

from streams.policy.model import Policy

DEFAULTS: Final = {"window": {"kind": "lifetime"}, "where": {}, "year_start": (1, 1)}
"""Defaults that are no plain values: msgspec leaves them out only where they are the default's very object."""


def canonical(policy: Policy) -> str:
    """Return the text that stands for the policy, its hash left out: equal policies have equal texts."""
    plain = msgspec.to_builtins(msgspec.structs.replace(policy, hash=""))
    return msgspec.json.encode(_without_defaults(plain), order="sorted").decode()


def _without_defaults(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        kept = ((key, part) for key, part in value.items() if key not in DEFAULTS or part != DEFAULTS[key])
        return {key: _without_defaults(part) for key, part in kept}
    return [_without_defaults(part) for part in value] if isinstance(value, list | tuple) else value


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
