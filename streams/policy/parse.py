"""The door from a policy file to a policy: parses, resolves what it extends, checks everything, reports all mistakes.

Data, never code: conditions are structured, so that evidence, due instants and "what is missing" can be computed.
"""

import msgspec

from schemas.money import EXPONENTS
from streams.calendar import zone_names
from streams.policy.canonical import canonical, hash_of, load_canonical
from streams.policy.churn_rules import read_churn
from streams.policy.document import Node, PolicyError, inherit, overlay, read
from streams.policy.ladders import read_ladders
from streams.policy.model import Policy
from streams.policy.presets import preset_names, preset_text
from streams.policy.reading import Table, did_you_mean

__all__ = ["PolicyError", "canonical", "load_canonical", "parse", "tree_of"]

SECTIONS = ("policy", "ladder", "churn")
POLICY_KEYS = ("name", "extends", "currency", "time_zone")
CURRENCY_HINT = 'currency = "USD" (ISO 4217) under [policy]: it is never assumed'
TIME_ZONE_HINT = 'time_zone = "Europe/Berlin" (IANA) under [policy]: days begin there, and it is never assumed'
# Cities whose zone the database calls by another name.
ZONE_OF_CITY = {"Asia/Beijing": "Asia/Shanghai", "Asia/Guangzhou": "Asia/Shanghai", "Asia/Shenzhen": "Asia/Shanghai"}


def parse(text: str, *, currency: str | None = None, time_zone: str | None = None) -> Policy | list[PolicyError]:
    """Return the policy of a TOML text, or every mistake in it, by line.

    `currency` and `time_zone` stand in for keys that the text leaves out; if both give one, they have to agree.
    """
    root = read(text)
    if isinstance(root, PolicyError):
        return [root]
    mistakes: list[PolicyError] = []
    document = Table(_extended(root, mistakes), SECTIONS, mistakes)
    header_node = document.find("policy", hint="[policy] with name, currency and time_zone")
    if header_node is None:
        return mistakes
    header = Table(header_node, POLICY_KEYS, mistakes)
    name = header.text("name", hint='a name, such as name = "my-shop"')
    chosen_currency = _choose(header, "currency", currency, CURRENCY_HINT, frozenset(EXPONENTS))
    chosen_zone = _choose(header, "time_zone", time_zone, TIME_ZONE_HINT, zone_names())
    ladders = read_ladders(document, chosen_currency)
    churn = read_churn(document)
    if mistakes or name is None or chosen_currency is None or chosen_zone is None or ladders is None:
        return sorted(mistakes, key=lambda mistake: mistake.line)
    policy = Policy(name=name, currency=chosen_currency, time_zone=chosen_zone, ladders=ladders, churn=churn)
    return msgspec.structs.replace(policy, hash=hash_of(canonical(policy)))


def tree_of(text: str) -> Node:
    """Return the tree of a text in which `parse` finds no mistake, laid over the preset that it extends."""
    root = read(text)
    if isinstance(root, PolicyError):
        raise TypeError(str(root))
    return _extended(root, [])


def _extended(root: Node, mistakes: list[PolicyError]) -> Node:
    """Return the document laid over the preset that it extends, if it does."""
    header = root.table().get("policy")
    place = None if header is None else header.table().get("extends")
    if place is None:
        return root
    if place.value not in preset_names():
        mistakes.append(
            place.error(f"unknown preset `{place.value}`; {did_you_mean(str(place.value), preset_names())}")
        )
        return root
    preset = read(preset_text(str(place.value)))
    if isinstance(preset, PolicyError):
        raise TypeError(f"the preset {place.value} is broken: {preset}")
    return overlay(inherit(preset, str(place.value), place.line), root)


def _choose(header: Table, key: str, argument: str | None, hint: str, known: frozenset[str]) -> str | None:
    """Return the value that file or argument gives; note it if neither does, both differ, or it is not known."""
    part = header.find(key)
    if part is None and argument is None:
        return header.text(key, hint=hint)
    given = argument if part is None else header.text(key)
    if given is None:
        return None
    if argument is not None and argument != given:
        header.note(part, f"is {given} here, but the command or the settings say {argument}: give it in one place")
        return None
    if given not in known:
        near = ZONE_OF_CITY.get(given)
        suggestion = f"did you mean `{near}`?" if near else _nearest(given, known)
        message = f"unknown {key.replace('_', ' ')} `{given}`; {suggestion}"
        header.mistakes.append(header.node.part_error(key, message) if part is None else part.error(message))
        return None
    return given


def _nearest(given: str, known: frozenset[str]) -> str:
    if given.upper() in known:
        return f"did you mean `{given.upper()}`?"
    found = did_you_mean(given, known)
    return found if found.startswith("did") else "it is none of the standard's names"
