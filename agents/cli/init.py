"""`tierstream init`: a folder with everything to try tierstream on one's own customers."""

import difflib
import shlex
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from agents.cli.broker import DEFAULT_PORT, DEFAULT_REDIS_PORT
from agents.cli.options import AsJson, print_json, print_table, say
from agents.errors import ConfigurationError
from agents.starter.folder import ABOUT, choose_ports, contents, write_folder
from agents.starter.kinds import KindName
from schemas.money import EXPONENTS
from streams.calendar import zone_names

app = App(name="init")

SHOWN_MAX = 3
COLLOQUIAL = {"RMB": "CNY", "CNH": "CNY", "YEN": "JPY", "EURO": "EUR", "NTD": "TWD", "STG": "GBP"}
"""What people call a currency to the code that they mean."""

KIND = "shop: spend of a year; coffee: number of orders; furniture: few large orders, long windows."


@app.default
def init(
    folder: Annotated[Path, Parameter(help="Made if it is not there; this folder by default.")] = Path(),
    /,
    *,
    currency: Annotated[str, Parameter(help="ISO 4217 code of your amounts, such as CNY. Never guessed.")],
    zone: Annotated[str, Parameter(help="IANA time zone in which your days begin, such as Asia/Shanghai.")],
    kind: Annotated[KindName, Parameter(help=KIND)] = "shop",
    json: AsJson = False,
) -> None:
    """Make a folder with settings, a policy, sample events, a till's export with its mapping, and the next steps.

    Overwrites nothing, and needs no network.

    Example: tierstream init my-shop --currency CNY --zone Asia/Shanghai --kind shop
    """
    currency = _currency(currency)
    _check_zone(zone)
    ports = choose_ports(DEFAULT_PORT, DEFAULT_REDIS_PORT)
    files = contents(kind, currency, zone, ports, int(time.time() * 1000))
    write_folder(folder, files)
    if json:
        print_json(
            {
                "folder": str(folder.resolve()),
                "files": list(files),
                "kind": kind,
                "currency": currency,
                "time_zone": zone,
                "kafka_port": ports.kafka,
                "redis_port": ports.redis,
            }
        )
        return
    print_table(("file", "what it is"), ABOUT.items())
    if (ports.kafka, ports.redis) != (DEFAULT_PORT, DEFAULT_REDIS_PORT):
        say(f"\nOther servers run on this machine: tierstream.toml says ports {ports.kafka} and {ports.redis}.")
    there = "" if folder == Path() else f"cd {shlex.quote(str(folder))}, then "
    say(f"\nNext: {there}follow README.md; its first command is tierstream policy check")


def _currency(given: str) -> str:
    code = given.upper()
    if code in EXPONENTS:
        return code
    near = [COLLOQUIAL[code]] if code in COLLOQUIAL else difflib.get_close_matches(code, EXPONENTS, n=SHOWN_MAX)
    raise ConfigurationError(
        f"There is no currency {given[:64]!r}.",
        where="--currency",
        why="amounts need a code of ISO 4217",
        next_step=_suggestion(near, "a code such as CNY, EUR or USD"),
    )


def _check_zone(given: str) -> None:
    names = zone_names()
    if given in names:
        return
    by_folded = {name.lower(): name for name in sorted(names)}
    by_city = {name.rpartition("/")[2].lower(): name for name in sorted(names)}
    asked = given.lower().strip().replace(" ", "_")
    near = difflib.get_close_matches(asked, by_folded, n=SHOWN_MAX, cutoff=0.75)
    cities = difflib.get_close_matches(asked.rpartition("/")[2], by_city, n=SHOWN_MAX, cutoff=0.8)
    found = dict.fromkeys([*(by_folded[name] for name in near), *(by_city[name] for name in cities)])
    raise ConfigurationError(
        f"There is no time zone {given[:64]!r}.",
        where="--zone",
        why="days begin in a zone of the IANA database, capitals as there",
        next_step=_suggestion(list(found)[:SHOWN_MAX], "a name such as Asia/Shanghai or Europe/Berlin"),
    )


def _suggestion(near: list[str], otherwise: str) -> str:
    return f"did you mean {' or '.join(near)}?" if near else f"give {otherwise}"
