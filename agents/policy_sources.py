"""Where a command's policies come from: files, presets, and those that were put in force."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from agents.errors import ConfigurationError
from agents.policy_activation import policies_in_force
from agents.policy_files import configured_text, mistaken, text_of
from agents.settings import Settings
from streams.policy.check import Checked, check
from streams.policy.model import Policy
from streams.policy.parse import parse
from streams.policy.presets import preset_names, preset_text

ACTIVE: Final = "active"
"""The policy that was put in force last."""
_HASH: Final = re.compile(r"[0-9a-f]{4,64}")


class PolicyText(NamedTuple):
    """A policy's TOML, and what its mistakes are reported under."""

    text: str
    source: str


def chosen_text(file: Path | None, settings: Settings) -> PolicyText:
    """The text of a file, or of the policy that the settings name."""
    return PolicyText(text_of(file), str(file)) if file is not None else PolicyText(*configured_text(settings))


def checked(chosen: PolicyText, settings: Settings) -> Checked:
    """The policy of a text with all that can be said about it."""
    return check(chosen.text, currency=settings.policy.currency, time_zone=settings.policy.time_zone)


def two_policies(first: str, second: str, settings: Settings) -> tuple[Policy, Policy]:
    """Two policies by file, preset, hash, or `active`; a preset has the other one's currency and zone."""
    found: list[Policy | None] = [None, None]
    names = (first, second)
    in_force: list[Policy] | None = None
    for place, name in enumerate(names):
        if Path(name).is_file():
            found[place] = _parsed(PolicyText(text_of(Path(name)), name), settings, None)
        elif name not in preset_names():
            in_force = _in_force(name, settings) if in_force is None else in_force
            found[place] = _of_those_in_force(name, in_force)
    for place, name in enumerate(names):
        if found[place] is None:
            found[place] = _parsed(PolicyText(preset_text(name), f"preset {name}"), settings, found[1 - place])
    before, after = found
    if before is None or after is None:
        raise TypeError("a policy was neither found nor refused")
    return before, after


def _parsed(chosen: PolicyText, settings: Settings, like: Policy | None) -> Policy:
    currency = settings.policy.currency if like is None else like.currency
    zone = settings.policy.time_zone if like is None else like.time_zone
    found = parse(chosen.text, currency=currency, time_zone=zone)
    if isinstance(found, Policy):
        return found
    raise mistaken(found, chosen.source)


def _in_force(name: str, settings: Settings) -> list[Policy]:
    if name != ACTIVE and _HASH.fullmatch(name) is None:
        raise ConfigurationError(
            f"There is no policy file `{name}`.",
            next_step=f"name a file, `{ACTIVE}`, a hash of tierstream policy show, or {', '.join(preset_names())}",
        )
    return [activation.policy for activation in policies_in_force(settings)]


def _of_those_in_force(name: str, policies: list[Policy]) -> Policy:
    fitting = policies[-1:] if name == ACTIVE else [policy for policy in policies if policy.hash.startswith(name)]
    if len({policy.hash for policy in fitting}) == 1:
        return fitting[-1]
    what = f"No policy in force has a hash that begins with `{name}`."
    if name == ACTIVE:
        what = "No policy is in force."
    elif fitting:
        what = f"Several policies in force have a hash that begins with `{name}`."
    raise ConfigurationError(what, next_step="tierstream policy show lists them; tierstream topics apply begins")
