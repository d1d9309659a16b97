"""What `tierstream init` makes is right in every kind and currency: it loads, it checks, and its story is true."""

import tomllib
from itertools import product
from pathlib import Path

import jsonschema_rs
import orjson
import pytest

from agents.mapped_file import open_mapped
from agents.policy_files import configured_policy, policy_of
from agents.settings import Settings
from agents.settings_reader import load_settings
from agents.starter.folder import ABOUT, Ports, contents, write_folder
from agents.starter.kinds import KINDS, KindName, change_of
from agents.starter.sample import BEST, CUSTOMERS, DAYS, LAPSED, NEAR, OWN, RISING
from agents.starter.till import BYTE_ORDER_MARK
from schemas.clock import MS_PER_DAY, parse_instant
from schemas.events import InputEvent
from schemas.formats.record import Skipped
from schemas.journal import encode_journal, journal_key
from schemas.marks import BACKFILL_HEADER
from schemas.rejections import Rejected
from streams.intake import Limits, accept
from streams.policy.check import check
from streams.policy.model import Policy
from tests.console import steps
from tests.journal import Committed, Journal, customers_stage, fold_all

NOW = parse_instant("2026-11-25T12:00:00Z")
ZONE = "Asia/Shanghai"
CHOSEN, DERIVED, UNCONVERTED = ("USD", "EUR", "CNY", "GBP", "JPY"), ("KRW", "KWD", "INR"), ("XAF", "CLF")
KIND_NAMES: tuple[KindName, ...] = ("shop", "coffee", "furniture")
EVERY = pytest.mark.parametrize(("kind", "currency"), product(KIND_NAMES, CHOSEN + DERIVED + UNCONVERTED))


def made(folder: Path, kind: KindName, currency: str, zone: str = ZONE, now: int = NOW) -> Settings:
    """A folder of the kind, and its settings as commands read them."""
    write_folder(folder, contents(kind, currency, zone, Ports(9192, 6479), now))
    return load_settings(folder / "tierstream.toml", {})


def receipts(folder: Path) -> list[InputEvent]:
    """What the mapping makes of the till's export; nothing is refused or passed over."""
    events: list[InputEvent] = []
    with open_mapped(folder / "till.csv", folder / "till.toml") as records:
        for judged in records.judged():
            assert not isinstance(judged.decoded, Skipped)
            for event in judged.decoded:
                assert not isinstance(event, Rejected), event
                events.append(event)
    return events


class Story:
    """The folder's README in the pure core: what it feeds, in its order, through intake and fold."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        self._folder, self._journal, self._now = folder, Journal(), NOW
        self._partition, self._committed, self._taken = customers_stage().partition(0), Committed(), 0
        self._journal.activate(policy, 0)

    def feed(self, file: str, *, history: bool = False) -> None:
        """Send a file; intake has to accept every line."""
        for line in (self._folder / file).read_bytes().splitlines():
            self._send(line, history=history)

    def sell(self) -> None:
        """Send the till's export."""
        for event in receipts(self._folder):
            self._send(encode_journal(event))

    def go_live(self) -> None:
        """End the history."""
        self._journal.go_live(self._now)

    def activate(self, policy: Policy) -> None:
        """Change the rules; somebody else's event lets the instant pass."""
        self._now += 60_000
        self._journal.activate(policy, self._now)
        self._journal.tick(self._now + 60_000)

    def told(self) -> Committed:
        """All that was published."""
        fold_all(self._partition, self._journal.records[self._taken :])
        self._taken = len(self._journal.records)
        self._committed.commit(self._partition.drain())
        self._partition.committed()
        return self._committed

    def tier(self, customer: str) -> str:
        """The customer's tier as the profile says it."""
        name: str = self.told().of("customer-profiles", customer.encode())[-1].data["customer"]["tier"]["name"]
        return name

    def _send(self, line: bytes, *, history: bool = False) -> None:
        self._now += 1
        accepted = accept(line, [(BACKFILL_HEADER, b"1")] if history else [], self._now, Limits())
        assert not isinstance(accepted, Rejected), (line, accepted)
        self._journal.raw(accepted.key, accepted.value)


@EVERY
def test_the_steps_of_its_readme_lead_where_it_says(tmp_path: Path, kind: KindName, currency: str) -> None:
    """Settings load, the policy is complete, everything is accepted, and each customer of the story moves."""
    settings = made(tmp_path, kind, currency)
    policy = configured_policy(settings)
    story, about = Story(tmp_path, policy), KINDS[kind]

    story.feed("history.jsonl", history=True)
    assert {record.data["cause"] for record in story.told().topics["tier-changes"]} == {"backfill"}
    story.go_live()
    assert (policy.currency, policy.time_zone, policy.name) == (currency, ZONE, about.policy_name)
    assert story.tier(RISING) == story.tier(NEAR) == about.lower_name
    assert story.tier(BEST) == policy.ladders[0].tiers[-1].name["en"]
    story.feed("events.jsonl")
    assert story.tier(RISING) == about.upper_name
    story.sell()
    assert (story.tier(OWN), story.tier(NEAR)) == (about.lower_name, about.lower_name)

    text = (tmp_path / "policy.toml").read_text()
    change = next(step.command for step in steps((tmp_path / "README.md").read_text()) if step.command[:4] == "sed ")
    _, before, after, _ = change.split("/")
    assert text.count(before) == 1
    story.activate(policy_of(text.replace(before, after), "policy.toml", settings))
    assert (story.tier(NEAR), story.tier(OWN)) == (about.upper_name, about.lower_name)
    assert not story.told().topics["dead-letters"]


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_the_sample_is_as_large_and_as_long_as_it_says(tmp_path: Path, kind: KindName) -> None:
    """Thirty customers, fourteen months, orders and visits and tickets, none after the folder was made."""
    made(tmp_path, kind, "CNY")
    history = [orjson.loads(line) for line in (tmp_path / "history.jsonl").read_bytes().splitlines()]
    times = [parse_instant(event["time"]) for event in history]

    assert len({event["customer_id"] for event in history}) == CUSTOMERS
    assert 120 <= len(history) <= 350
    assert times == sorted(times)
    assert NOW - (DAYS + 3) * MS_PER_DAY <= times[0] <= NOW - 400 * MS_PER_DAY
    assert times[-1] < NOW
    assert len({event["id"] for event in history}) == len(history)
    types = {event["type"] for event in history}
    assert {"order.completed", "order.refunded", "browse.activity", "support.ticket_created"} <= types


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_risk_is_visible_at_once(tmp_path: Path, kind: KindName) -> None:
    """Who is gone stands in a higher band than the best, who was there last week."""
    story = Story(tmp_path, configured_policy(made(tmp_path, kind, "USD")))
    story.feed("history.jsonl", history=True)
    story.go_live()
    bands = {
        record.data["customer_id"]: record.data["customer"]["risk_band"]
        for record in story.told().topics["customer-profiles"]
    }

    assert len(set(bands.values())) >= 3
    assert bands[BEST] == "low"
    assert bands[LAPSED] in {"high", "very_high"}


def test_the_same_instant_gives_the_same_bytes() -> None:
    """The dice are seeded."""
    first, again = (contents("coffee", "EUR", "Europe/Berlin", Ports(1, 2), NOW) for _ in range(2))

    assert first == again
    assert first["history.jsonl"] != contents("coffee", "EUR", "Europe/Berlin", Ports(1, 2), NOW + 1)["history.jsonl"]


@pytest.mark.parametrize(("currency", "said"), [("CNY", "chosen"), ("KRW", "derived"), ("XAF", "NOT converted")])
def test_a_derived_amount_says_that_it_is(tmp_path: Path, currency: str, said: str) -> None:
    made(tmp_path, "shop", currency)

    assert said in (tmp_path / "policy.toml").read_text().splitlines()[2]


def test_a_till_is_written_as_in_its_country(tmp_path: Path) -> None:
    """Columns in Chinese for CNY; semicolons and decimal commas for EUR; a byte order mark for spreadsheets."""
    made(tmp_path / "cn", "shop", "CNY")
    made(tmp_path / "de", "shop", "EUR", "Europe/Berlin")
    chinese, german = ((tmp_path / name / "till.csv").read_text(encoding="utf-8") for name in ("cn", "de"))

    assert chinese.startswith(BYTE_ORDER_MARK + "小票,原小票,会员")
    assert ";37,00\n" in german
    assert all(line.count(";") == 5 for line in german.splitlines())


@pytest.mark.parametrize("zone", ["America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Africa/Casablanca"])
def test_a_till_never_sells_in_the_future(tmp_path: Path, zone: str) -> None:
    """Wherever its clock stands, also around a change of clocks; and within what intake takes as live."""
    for number, now in enumerate(range(NOW, NOW + 200 * MS_PER_DAY, 17 * MS_PER_DAY)):
        made(tmp_path / str(number), "coffee", "USD", zone, now)
        for event in receipts(tmp_path / str(number)):
            assert now - 30 * MS_PER_DAY < parse_instant(event.time) < now
            assert journal_key(event)


def test_settings_say_where_the_servers_of_this_machine_answer(tmp_path: Path) -> None:
    settings = made(tmp_path, "shop", "CNY")

    assert settings.kafka.bootstrap == "127.0.0.1:9192"
    assert (settings.redis.host, settings.redis.port) == ("127.0.0.1", 6479)
    assert "127.0.0.1:9192" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_both_readmes_have_the_same_commands(tmp_path: Path, kind: KindName) -> None:
    """So that running one runs both; no place of a template was left open."""
    made(tmp_path, kind, "CNY")
    english, chinese = ((tmp_path / name).read_text() for name in ("README.md", "README.zh-CN.md"))

    assert steps(english) == steps(chinese)
    assert len(steps(english)) > 15
    for name in ABOUT:
        assert "{{" not in (tmp_path / name).read_text(), name
        assert name == ".gitignore" or name.startswith("README") or f"`{name}`" in english


def test_what_the_reader_changes_is_a_lower_threshold() -> None:
    """In whole units, whatever the currency's decimals."""
    assert change_of(KINDS["shop"], (50_000, 200_000, 500_000), "CNY") == ('"2000.00"', '"1600.00"')
    assert change_of(KINDS["coffee"], (550,), "JPY") == ("at_least = 24", "at_least = 20")


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_editors_find_the_schema_of_the_policy(kind: KindName) -> None:
    """The first line names a file of the folder, which accepts the policy as it stands."""
    files = contents(kind, "EUR", "Europe/Berlin", Ports(9092, 6379), NOW)
    policy = files["policy.toml"].decode()
    named = policy.splitlines()[0].removeprefix("#:schema ./")
    assert jsonschema_rs.Draft202012Validator(orjson.loads(files[named])).is_valid(tomllib.loads(policy))
    checked = check(policy)
    assert (checked.mistakes, checked.cautions) == ([], [])
