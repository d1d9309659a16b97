"""The policies of files, presets and the settings, with every mistake told at once. No broker is asked."""

from pathlib import Path

from agents.errors import ConfigurationError
from agents.settings import Settings
from agents.user_files import text_of_file
from streams.policy.model import Policy
from streams.policy.parse import PolicyError, parse
from streams.policy.presets import preset_names, preset_text


def configured_policy(settings: Settings) -> Policy:
    """The policy that the settings name; ConfigurationError with every mistake in it."""
    return policy_of(*configured_text(settings), settings)


def configured_text(settings: Settings) -> tuple[str, str]:
    """The TOML of the policy that the settings name, and what its mistakes are reported under."""
    chosen = settings.policy
    if chosen.file is not None:
        return text_of(Path(chosen.file)), chosen.file
    name = chosen.preset or "default"
    if name not in preset_names():
        raise ConfigurationError(
            f"There is no preset `{name}`.", where="[policy] preset", next_step=f"one of: {', '.join(preset_names())}"
        )
    return preset_text(name), f"preset {name}"


def policy_from_file(path: Path, settings: Settings) -> Policy:
    """The policy of a file; currency and zone from the settings where it leaves them open."""
    return policy_of(text_of(path), str(path), settings)


def policy_of(text: str, source: str, settings: Settings) -> Policy:
    """A policy's TOML text as a policy; `source` is what the mistakes are reported under."""
    found = parse(text, currency=settings.policy.currency, time_zone=settings.policy.time_zone)
    if isinstance(found, Policy):
        return found
    raise mistaken(found, source)


def mistaken(found: list[PolicyError], source: str) -> ConfigurationError:
    """The error that names every mistake of a policy."""
    return ConfigurationError(
        "The policy has a mistake." if len(found) == 1 else f"The policy has {len(found)} mistakes.",
        where=source,
        why="".join(f"\n    {mistake}" for mistake in found),
        next_step="correct it; currency and time_zone may also stand under [policy] of the settings",
    )


def text_of(path: Path) -> str:
    """The TOML of a policy file."""
    return text_of_file(path, "The policy file")
