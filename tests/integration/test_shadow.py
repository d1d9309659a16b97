"""A policy tried beside a running worker: live output stays what it is, and what is foretold is what two folds say."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.replay.event_files import FILES
from agents.replay.fold import FOR_EVER, JournalFold
from agents.replay.journal_topic import JournalTopic
from agents.settings import Settings
from agents.shadow.control import trial_under_way, watermark
from agents.shadow.standings import Standing, standing_of
from schemas.clock import parse_canonical
from streams.policy.model import Policy
from tests.integration.shop import Shop, eventually
from tests.integration.test_replay import CUSTOMERS, live_files, order, told
from tests.journal import policy_of
from tests.prepared import Prepared, command
from tests.unit.agents.replay.journals import files
from tests.unit.agents.silver import STRICT

HARD = STRICT.replace("strict", "hard").replace("900.00", "3700.00")
"""Half of the customers spend as much in the end."""
LENIENT = STRICT.replace("strict", "lenient").replace("900.00", "45.00")


class Shadow:
    """A process that tries a policy."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self._shop, self._log = shop, folder / "shadow.log"
        self._process: Prepared | None = None

    def start(self, *arguments: str) -> None:
        """Start it."""
        self._process = Prepared(
            command, ["policy", "shadow", *arguments, "--config", str(self._shop.config)], self._log
        )

    def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        assert self._process.poll() is None, self.log
        self._process.kill()
        self._process.wait(30)

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        return self._process.wait(60)

    def close(self) -> None:
        """End it in order, if it is still there."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(30) == 0, self.log

    @property
    def log(self) -> str:
        """What it said."""
        return self._log.read_text()[-3_000:]


@pytest.fixture
def shop(kafka: EmbeddedKafka, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop with a running worker; snapshots of shadows are taken every second."""
    made = Shop(kafka.bootstrap, tmp_path, request.node.name.removeprefix("test_").replace("_", "-")[:30])
    data = f'data_dir = "{tmp_path}/data"\ncommit_records_max = 50\n[shadow]\nsnapshot_every_s = 1\n'
    made.config.write_text(made.config.read_text() + data)
    for name, text in (("hard", HARD), ("lenient", LENIENT)):
        (tmp_path / f"{name}.toml").write_text(text)
    made.start()
    yield made
    made.close()


@pytest.fixture
def shadow(shop: Shop, tmp_path: Path) -> Iterator[Shadow]:
    """Its shadow."""
    made = Shadow(shop, tmp_path)
    yield made
    made.close()


def tried(shop: Shop, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """What `show` says."""
    return shop.command(capsys, "policy", "shadow", "show", *options)


def level(shop: Shop, capsys: pytest.CaptureFixture[str], shadow: Shadow) -> None:
    """Wait until the shadow has the whole journal."""
    looks: list[dict[str, Any]] = []
    eventually(lambda: trial_under_way(shop.settings) is not None, "the trial is begun")

    def there() -> bool:
        looks.append(tried(shop, capsys)["behind"])
        return (looks[-1]["records"], looks[-1]["partitions_unopened"]) == (0, 0)

    eventually(there, "the shadow is level", lambda: shadow.log)


def newest(shop: Shop) -> dict[bytes, dict[str, Any]]:
    """The topic as compaction leaves it, without the shadow's own records."""
    found: dict[bytes, dict[str, Any]] = {}
    for record in shop.records("shadow-changes"):
        if record.key is None or record.key[:1] == b"\0":
            continue
        if record.value is None:
            found.pop(record.key, None)
        else:
            found[record.key] = record.data
    return found


def standings(settings: Settings, policy: Policy | None) -> dict[bytes, Standing]:
    """Where everybody stands by a fold of the journal of its own."""
    journal, found = JournalTopic(settings), dict[bytes, Standing]()
    for unit in journal.units(1):
        fold = JournalFold(journal.homes(unit)[0], lambda _effects, _entry: None, policy=policy, until=FOR_EVER)
        for entries, _ in journal.read(unit, 0):
            for entry in entries:
                fold.take(entry)
        fold.close()
        found |= {key: standing_of(state, fold.regimes[state.ordinal]) for key, state in fold.customers()}
    return found


Places = dict[str, str | None]
"""Ladder to tier, and the band under the empty name."""


def by_two_folds(settings: Settings, policy: Policy) -> dict[bytes, tuple[Places, Places]]:
    """Who stands differently under a policy that was always in force."""
    live, other = standings(settings, None), standings(settings, policy)
    found = {}
    for key, standing in live.items():
        one, two = places_of(standing), places_of(other[key])
        if one != two:
            found[key] = (one, two)
    return found


def places_of(standing: Standing) -> Places:
    """By names alone."""
    return {**{ladder: tier.id for ladder, tier in standing.tiers.items()}, "": standing.band}


def test_shadowing_is_invisible_true_and_survives_kills(
    shop: Shop, shadow: Shadow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A candidate as if always in force; the live policy changes meanwhile; killed and started again."""
    hard = policy_of(HARD, "USD", "UTC")
    shop.send([order(number) for number in range(100)])
    eventually(lambda: told(shop) > 0, "the worker is at work")
    shadow.start(str(tmp_path / "hard.toml"), "--from", "start")
    shop.send([order(number) for number in range(100, 200)])
    eventually(lambda: bool(newest(shop)), "differences are published", lambda: shadow.log)
    level(shop, capsys, shadow)
    eventually(lambda: bool(list((tmp_path / "data" / "shadow").glob("*.snapshot"))), "there is a snapshot")
    shop.send([order(number) for number in range(200, 300)])
    shadow.kill()
    shop.send([order(number) for number in range(300, 350)])
    assert run(["policy", "activate", str(tmp_path / "lenient.toml"), "--config", str(shop.config)]) == 0
    shop.send([order(number) for number in range(350, 400)])
    eventually(lambda: told(shop) == 400, "the worker has them all")
    before = newest(shop)
    shadow.start()
    level(shop, capsys, shadow)
    assert run(["policy", "shadow", str(tmp_path / "lenient.toml"), "--config", str(shop.config)]) == 2
    assert "Another trial is under way: hard" in capsys.readouterr().err

    shop.close()
    level(shop, capsys, shadow)
    expected = by_two_folds(shop.settings, hard)

    def agrees() -> bool:
        now = {key: data for key, data in newest(shop).items() if data["difference"] != "ended"}
        return now.keys() == expected.keys()

    eventually(agrees, "the same customers as two folds", lambda: shadow.log)
    found = newest(shop)
    assert expected
    assert before != found
    for key, (live, other) in expected.items():
        for difference in found[key]["ladders"]:
            assert live.get(difference["ladder"]) == (difference["live"] or {}).get("id")
            assert other.get(difference["ladder"]) == (difference["shadow"] or {}).get("id")
    published_once_and_in_order(shop)
    told_by_show(shop, capsys, expected)
    assert live_files(shop, tmp_path / "live") == replayed_files(shop, tmp_path, capsys)

    dropped = shop.command(capsys, "policy", "shadow", "drop")
    assert (dropped["dropped"], dropped["removed"]) == (True, len(found))
    assert shadow.ended() == 0, shadow.log
    assert newest(shop) == {}
    assert list((tmp_path / "data" / "shadow").glob("*.snapshot")) == []
    assert run(["policy", "shadow", "show", "--config", str(shop.config)]) == 2


def published_once_and_in_order(shop: Shop) -> None:
    """Sequences without gaps, no id twice although the shadow was killed, and every change after the one before."""
    by_customer: dict[bytes, list[dict[str, Any]]] = {}
    for record in shop.records("shadow-changes"):
        if record.key and record.key[:1] != b"\0":
            by_customer.setdefault(record.key, []).append(record.data)
    for records in by_customer.values():
        assert [record["sequence"] for record in records] == list(range(1, len(records) + 1))
        assert len({record["id"] for record in records}) == len(records)
        instants = [parse_canonical(record["effective_at"]) for record in records]
        assert instants == sorted(instants)
    assert any(len(records) > 1 for records in by_customer.values())


def told_by_show(shop: Shop, capsys: pytest.CaptureFixture[str], expected: dict[bytes, Any]) -> None:
    """The table adds up to everybody, and no customer is named unless that is asked for."""
    view = tried(shop, capsys)
    assert (view["customers"], view["differing"]) == (CUSTOMERS, len(expected))
    for ladder in view["ladders"]:
        assert sum(count for flows in ladder["flows"].values() for count in flows.values()) == CUSTOMERS, ladder
        moved = sum(n for live, flows in ladder["flows"].items() for other, n in flows.items() if live != other)
        assert moved == ladder["differing"]
    assert view["newest"]
    assert "customer_id" not in view["newest"][0]
    assert tried(shop, capsys, "--ids")["newest"][0]["customer_id"].encode() in newest(shop)
    capsys.readouterr()
    assert run(["policy", "shadow", "show", "--config", str(shop.config)]) == 0
    text = capsys.readouterr().out
    assert "would stand elsewhere" in text
    assert "Ladder standing" in text
    assert "c1 " not in text


def replayed_files(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, bytes]:
    """What a replay makes of the same journal, which knows nothing of shadows."""
    shop.command(capsys, "replay", "--jobs", "1", "--out", str(tmp_path / "again"))
    assert set(FILES) >= {"tier-changes"}
    return files(tmp_path / "again")


def test_what_is_foretold_comes_true(
    shop: Shop, shadow: Shadow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In force from now on: everybody is looked at at once; promoted, everybody stands where it was foretold."""
    shop.send([order(number) for number in range(200)])
    eventually(lambda: told(shop) == 200, "the worker has them all")
    arrived_ms = time.time() * 1_000
    eventually(lambda: (watermark(shop.settings) or 0) > arrived_ms, "they lie before the trial")
    shadow.start(str(tmp_path / "lenient.toml"))
    level(shop, capsys, shadow)
    eventually(lambda: bool(newest(shop)), "differences are published", lambda: shadow.log)
    shop.send([order(number) for number in range(200, 260)])
    eventually(lambda: told(shop) == 260, "the worker has them all")
    level(shop, capsys, shadow)
    foretold = newest(shop)
    assert {data["cause"] for data in foretold.values()} >= {"policy"}
    before = {customer: tier_of(profile) for customer, profile in shop.profiles().items()}

    promoted = shop.command(capsys, "policy", "shadow", "promote")

    assert promoted["hash"] == policy_of(LENIENT, "USD", "UTC").hash
    assert promoted["removed"] == len(foretold)
    assert shadow.ended() == 0, shadow.log
    assert newest(shop) == {}
    wanted = before | {
        key.decode(): (data["ladders"][0]["shadow"] or {}).get("id")
        for key, data in foretold.items()
        if data["difference"] != "ended" and data["ladders"]
    }
    assert wanted != before
    eventually(
        lambda: {c: tier_of(p) for c, p in shop.profiles().items()} == wanted, "everybody stands where it was foretold"
    )


def tier_of(profile: dict[str, Any]) -> str | None:
    """Where a profile says that its customer stands."""
    return profile["customer"]["tier"] and str(profile["customer"]["tier"]["id"])
