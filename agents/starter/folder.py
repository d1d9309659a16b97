"""The folder that `tierstream init` makes: which files, with what in them, and that nothing of yours is overwritten."""

import re
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from agents.embedded.guarded import free_port, somebody_listens
from agents.errors import ConfigurationError
from agents.starter.amounts import Amounts, amounts_in
from agents.starter.kinds import KINDS, KindName, change_of
from agents.starter.sample import BEST, CUSTOMERS, LAPSED, NEAR, OWN, RISING, Event, sample_of
from agents.starter.till import DECIMAL_COMMA, delimiter, headings, receipts_of, till_table
from agents.user_files import unwritable
from schemas.money import minor_to_decimal
from streams.calendar import rules_of
from streams.policy.file_schema import schema_text

TEMPLATES: Final[Mapping[str, str]] = {
    "tierstream.toml": "settings.toml",
    "policy.toml": "",  # the kind's own
    "till.toml": "till.toml",
    "compose.yaml": "compose.yaml",
    ".gitignore": "gitignore",
    "README.md": "README.md",
    "README.zh-CN.md": "README.zh-CN.md",
}
"""File to its template."""
ABOUT: Final[Mapping[str, str]] = {
    "tierstream.toml": "settings: where Kafka and Redis are",
    "policy.toml": "the rules, yours to change",
    "policy.schema.json": "what an editor completes and checks policy.toml by",
    "history.jsonl": "fourteen months of sample customers",
    "events.jsonl": "what happens today",
    "till.csv": "the export of a till",
    "till.toml": "what its columns mean",
    "compose.yaml": "the same pipeline in containers",
    ".gitignore": "what does not belong into version control",
    "README.md": "the commands, in order",
    "README.zh-CN.md": "the same in Chinese",
}
"""Every file in the order in which it is listed, and what it is."""
_PLACE = re.compile(r"\{\{(\w+)\}\}")


class Ports(NamedTuple):
    """Where the servers on this machine will answer."""

    kafka: int
    redis: int


def choose_ports(kafka: int, redis: int) -> Ports:
    """These ports, or free ones in the place of those on which somebody listens already."""
    return Ports(
        free_port() if somebody_listens(kafka) else kafka,
        free_port() if somebody_listens(redis) else redis,
    )


def contents(kind_name: KindName, currency: str, zone: str, ports: Ports, now: int) -> dict[str, bytes]:
    """Every file's bytes. `currency` and `zone` exist; `now`, epoch ms, is the day of the sample's last events."""
    kind = KINDS[kind_name]
    amounts = amounts_in(currency, kind.amounts)
    sample = sample_of(kind, amounts.minor, currency, now)
    values = _values(kind_name, currency, zone, ports, amounts)
    values["history_events"] = str(len(sample.history))
    files = {name: _filled(template or f"{kind_name}.toml", values).encode() for name, template in TEMPLATES.items()}
    files["history.jsonl"], files["events.jsonl"] = _lines(sample.history), _lines(sample.live)
    files["till.csv"] = till_table(kind, amounts.minor, currency, rules_of(zone), now).encode()
    files["policy.schema.json"] = schema_text().encode()
    return {name: files[name] for name in ABOUT}


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files or none; ConfigurationError names every one that is there already."""
    there = [name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        raise ConfigurationError(
            "Files would be overwritten; nothing was written.",
            where=str(folder),
            why=f"there already: {', '.join(there)}",
            next_step="name another folder, or move these away",
        )
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with (folder / name).open("xb") as file:
                written.append(folder / name)
                file.write(content)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise unwritable(folder, "The folder cannot be written.", error) from error


def _values(kind_name: KindName, currency: str, zone: str, ports: Ports, amounts: Amounts) -> dict[str, str]:
    """What stands in the places of the templates."""
    kind, minor = KINDS[kind_name], amounts.minor
    change, words, receipts = change_of(kind, minor, currency), headings(currency), receipts_of(kind, minor)
    values = {f"amount_{place}": minor_to_decimal(amount, currency) for place, amount in enumerate(minor, 1)}
    values |= {f"twice_{place}": minor_to_decimal(2 * amount, currency) for place, amount in enumerate(minor, 1)}
    values |= {f"count_{place}": str(count) for place, count in enumerate(kind.counted or (), 1)}
    values |= words._asdict() | change._asdict()
    values |= {"rising": RISING, "near": NEAR, "lapsed": LAPSED, "best": BEST, "own": OWN, "customers": str(CUSTOMERS)}
    return values | {
        "kind_name": kind_name,
        "policy_name": kind.policy_name,
        "about": f"tiers on the {kind.about}",
        "about_zh": kind.about_zh,
        "lower_name": kind.lower_name,
        "upper_name": kind.upper_name,
        "lower_zh": kind.names_zh[0],
        "upper_zh": kind.names_zh[1],
        "currency": currency,
        "zone": zone,
        "amounts_note": amounts.note,
        "kafka_port": str(ports.kafka),
        "redis_port": str(ports.redis),
        "version": version("tierstream"),
        "delimiter": delimiter(currency),
        "decimal": "," if currency in DECIMAL_COMMA else ".",
        "till_events": str(len(receipts)),
        "till_sales": str(sum(not receipt.is_return for receipt in receipts)),
    }


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = resources.files("agents.starter").joinpath("templates", template).read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: values[place[1]], text)


def _lines(events: Iterable[Event]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)
