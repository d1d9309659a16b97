"""The library of functions on real servers: what it lets pass, what it refuses, and that it leaves nothing behind."""

import time
from collections.abc import Iterator

import pytest
import redis

from agents.embedded import EmbeddedValkey
from agents.embedded.guarded import free_port
from agents.errors import ConfigurationError
from agents.profiles.connection import RedisOutage
from agents.profiles.layout import Entry, Layout
from agents.profiles.store import ABSENCE_MS_MAX, Answer, Move, ProfileStore, Write, now_ms
from agents.profiles.sweep import Sweep
from agents.settings import RedisSettings, Settings
from schemas.clock import MS_PER_DAY
from tests.profiles import AT, profile

TOPIC_ID = "topic-1"


def _store(server: EmbeddedValkey, *, inactive_ttl_days: int = 0) -> ProfileStore:
    wanted = RedisSettings(host="127.0.0.1", port=server.port or 0, shards=2, inactive_ttl_days=inactive_ttl_days)
    return ProfileStore(Settings(redis=wanted))


def _entry(revision: int, tier: int | None = 0, as_of: int = 0, shards: int = 2) -> Entry:
    return Layout("tierstream", shards).entry(profile("a", revision, tier=tier, as_of=as_of))


def _put(store: ProfileStore, *entries: Entry | None) -> list[Answer]:
    return store.write([Write(b"a", 0, entry) for entry in entries])


def _indexes(client: redis.Redis) -> list[str]:
    return sorted(key for key in client.scan_iter() if client.type(key) == "zset")


@pytest.fixture
def store(valkey: EmbeddedValkey) -> Iterator[ProfileStore]:
    """A store that holds partition 0."""
    made = _store(valkey)
    made.claim(0, TOPIC_ID)
    yield made
    made.close()


def test_an_older_profile_never_overwrites_a_newer_one(store: ProfileStore, client: redis.Redis) -> None:
    """Neither its fields nor its places in the indexes; the same one again is the same."""
    assert _put(store, _entry(5, tier=2)) == [Answer.WRITTEN]
    before, indexes = client.hgetall("tierstream:c:{a}"), _indexes(client)

    answers = _put(store, _entry(4, tier=0), _entry(5, tier=0, as_of=AT), _entry(5, tier=2))

    assert answers == [Answer.STALE, Answer.STALE, Answer.REPEATED]
    assert client.hgetall("tierstream:c:{a}") == before
    assert _indexes(client) == indexes


def test_of_two_profiles_of_one_instant_the_higher_revision_wins(store: ProfileStore, client: redis.Redis) -> None:
    """As when several records arrived in one millisecond."""
    answers = _put(store, _entry(5, as_of=AT), _entry(7, as_of=AT), _entry(6, as_of=AT))

    assert answers == [Answer.WRITTEN, Answer.WRITTEN, Answer.STALE]
    assert client.hget("tierstream:c:{a}", "revision") == "7"


def test_a_later_life_counts_from_one_again(store: ProfileStore, client: redis.Redis) -> None:
    """Also where the erasure in between was missed: its instant tells."""
    assert _put(store, _entry(50), _entry(1, as_of=AT + MS_PER_DAY)) == [Answer.WRITTEN, Answer.WRITTEN]
    assert client.hget("tierstream:c:{a}", "revision") == "1"


def test_a_move_leaves_the_old_index_in_the_same_call(store: ProfileStore, client: redis.Redis) -> None:
    """Also one of another number of shards; fields that are unknown now are gone."""
    _put(store, _entry(1, tier=0, shards=1_000))
    _put(store, _entry(2, tier=3))
    shard = Layout("tierstream", 2).entry(profile("a", 1)).places[0].key.rpartition(":")[2]
    assert _indexes(client) == [f"tierstream:churn:low:{shard}", f"tierstream:tier:platinum:{shard}"]
    assert client.zscore(f"tierstream:tier:platinum:{shard}", "a") == AT + 2

    _put(store, _entry(3, tier=None))

    assert _indexes(client) == [f"tierstream:churn:low:{shard}"]
    assert client.hget("tierstream:c:{a}", "tier") is None


def test_an_erasure_leaves_nothing(store: ProfileStore, client: redis.Redis) -> None:
    """But the partition's marker."""
    _put(store, _entry(1))

    assert _put(store, None, None) == [Answer.WRITTEN, Answer(0)]
    assert list(client.scan_iter()) == ["tierstream:mark:0"]


def test_a_former_holder_changes_nothing(store: ProfileStore, valkey: EmbeddedValkey, client: redis.Redis) -> None:
    """Whoever claimed last holds the partition: a frozen process that wakes up is refused, call by call."""
    _put(store, _entry(5))
    other = _store(valkey)
    assert other.claim(0, TOPIC_ID).offset == 0
    before = client.hgetall("tierstream:c:{a}")

    assert _put(store, _entry(6), None) == [Answer.LOST, Answer.LOST]
    assert store.advance([Move(0, 99, "ready")]) == [False]
    assert store.drop_leftovers([b"a"], 0) == 0
    assert client.hgetall("tierstream:c:{a}") == before
    assert client.hget("tierstream:mark:0", "offset") == "0"


def test_what_lies_in_a_dead_connection_is_refused(store: ProfileStore, client: redis.Redis) -> None:
    """After an outage the process itself is another holder: a late erasure or profile of before is a stranger's."""
    holder, epoch = store._holder, store._epochs[0]
    store.close()
    store.claim(0, TOPIC_ID)
    _put(store, _entry(5))
    late = "tierstream_1_erase", 2, "tierstream:c:{a}", "tierstream:mark:0", holder, "tierstream:", "a", ""

    assert client.fcall(*late) == Answer.LOST
    assert store._epochs[0] == epoch
    assert client.hget("tierstream:c:{a}", "revision") == "5"


def test_a_flush_is_noticed_by_the_next_call(store: ProfileStore, client: redis.Redis) -> None:
    """The marker is gone with the data: nothing is written beside the hole, and the claim begins from 0."""
    store.advance([Move(0, 500, "ready")])
    client.flushall()

    assert _put(store, _entry(5)) == [Answer.LOST]
    assert store.advance([Move(0, 501, "ready")]) == [False]
    position = store.claim(0, TOPIC_ID)
    assert (position.offset, position.state) == (0, "rebuilding")
    assert client.dbsize() == 1


def test_a_claim_goes_on_where_the_data_stands(store: ProfileStore, valkey: EmbeddedValkey) -> None:
    """In the same round."""
    store.advance([Move(0, 500, "ready")])
    before = store.positions([0, 1])

    position = _store(valkey).claim(0, TOPIC_ID)

    assert before == {0: position}
    assert (position.offset, position.state) == (500, "ready")


@pytest.mark.parametrize("reason", ["another topic", "a long absence", "asked for"])
def test_a_claim_begins_anew_after(reason: str, store: ProfileStore, client: redis.Redis) -> None:
    """A recreated topic; a time in which the topic may have forgotten erasures; a rebuild."""
    _put(store, _entry(5))
    store.advance([Move(0, 500, "ready")])
    epoch = store.positions([0])[0].epoch
    time.sleep(0.002)  # rounds are named by the millisecond
    if reason == "a long absence":
        client.hset("tierstream:mark:0", "seen_at", now_ms() - ABSENCE_MS_MAX - 1)
    elif reason == "asked for":
        store.restart(0, TOPIC_ID)
        assert _put(store, _entry(6)) == [Answer.LOST]

    position = store.claim(0, "topic-2" if reason == "another topic" else TOPIC_ID)

    assert (position.offset, position.state) == (0, "rebuilding")
    assert position.epoch > epoch
    assert store.drop_leftovers([b"a"], 0) == 1


def test_a_round_spares_what_it_has_met(store: ProfileStore, client: redis.Redis) -> None:
    """Also when what it met was there already."""
    _put(store, _entry(5))
    time.sleep(0.002)
    store.restart(0, TOPIC_ID)
    store.claim(0, TOPIC_ID)

    assert _put(store, _entry(5)) == [Answer.REPEATED]
    assert store.drop_leftovers([b"a"], 0) == 0
    assert client.exists("tierstream:c:{a}")


def test_only_orphans_are_unlisted(store: ProfileStore, client: redis.Redis) -> None:
    """Entries of customers whose hash went without the library, such as by its expiry."""
    _put(store, _entry(5))
    index = _indexes(client)[0]
    client.zadd(index, {"gone": 1})

    assert store.unlist(index, [b"a", b"gone"]) == 1
    assert client.zrange(index, 0, -1) == ["a"]


def test_a_walk_over_the_indexes_takes_out_whom_nobody_knows(store: ProfileStore, client: redis.Redis) -> None:
    """As when a hash has expired; whoever has one stays, in every index."""
    _put(store, _entry(5))
    before = _indexes(client)
    for index in before:
        client.zadd(index, {f"gone{number}": number for number in range(1_500)})
    walk = Sweep(store, frozenset(), 1)

    while not walk.step():
        pass

    assert walk.unlisted == 3_000
    assert [client.zrange(index, 0, -1) for index in before] == [["a"], ["a"]]
    assert client.exists("tierstream:c:{a}")


def test_a_full_server_refuses_profiles_but_not_erasures(store: ProfileStore, client: redis.Redis) -> None:
    """An erasure makes room; the marker may move."""
    _put(store, _entry(5))
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)

    with pytest.raises(RedisOutage, match="full"):
        _put(store, _entry(6))
    assert _put(store, None) == [Answer.WRITTEN]
    assert store.advance([Move(0, 7, "ready")]) == [True]


def test_a_replica_is_an_outage(store: ProfileStore, client: redis.Redis) -> None:
    """It passes by itself, with the failover."""
    client.replicaof("127.0.0.1", "1")

    with pytest.raises(RedisOutage, match="readonly"):
        _put(store, _entry(6))


def test_a_missing_library_is_loaded_by_the_next_claim(store: ProfileStore, client: redis.Redis) -> None:
    """As after a restart without persistence."""
    client.function_flush()

    with pytest.raises(RedisOutage):
        _put(store, _entry(5))
    store.claim(0, TOPIC_ID)
    assert _put(store, _entry(5)) == [Answer.WRITTEN]


def test_inactive_customers_expire(valkey: EmbeddedValkey, client: redis.Redis) -> None:
    """Counted from the profile's own instant: being written again makes nobody active."""
    store = _store(valkey, inactive_ttl_days=10)
    store.claim(0, TOPIC_ID)
    recent, past = now_ms() - 9 * MS_PER_DAY, now_ms() - 11 * MS_PER_DAY

    assert _put(store, _entry(5, as_of=recent)) == [Answer.WRITTEN]
    assert abs(client.pttl("tierstream:c:{a}") - MS_PER_DAY) < 60_000
    assert _put(store, _entry(4, as_of=past)) == [Answer.STALE]
    assert client.exists("tierstream:c:{a}")

    client.flushdb()
    store.claim(0, TOPIC_ID)
    assert _put(store, _entry(4, as_of=past)) == [Answer.REPEATED]
    assert list(client.scan_iter()) == ["tierstream:mark:0"]


def test_a_cluster_is_refused(embedded_valkey: EmbeddedValkey) -> None:
    """In words, before anything is written."""
    embedded_valkey.stop()
    embedded_valkey.options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    embedded_valkey.start()

    with pytest.raises(ConfigurationError, match="Cluster"):
        _store(embedded_valkey).claim(0, TOPIC_ID)
