"""What is counted of what producers send, over a planted mix."""

import json
from typing import Any

from agents.doctor.data import DataReport, Tally
from schemas.clock import parse_instant
from schemas.rejections import RefusalReason
from streams.intake import Limits

ARRIVED = parse_instant("2026-05-01T12:00:00Z")


def _order(number: int, **other: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(
        {
            "type": "order.completed",
            "id": f"e{number}",
            "time": "2026-05-01T11:59:50Z",
            "customer_id": f"c{number}",
            "order_id": f"o{number}",
            "currency": "USD",
            "total_minor": 100,
            **other,
        }
    ).encode()


def _report(*records: bytes | None, topic: str = "purchases") -> DataReport:
    tally = Tally(Limits(late_ms_max=400 * 86_400_000, ahead_ms_max=300_000, event_clock=False))
    for record in records:
        tally.add(topic, record, [], ARRIVED)
    return tally.report(["purchases", "browsing"], ARRIVED + 60_000, complete=True)


def test_lateness_is_arrival_less_event_time() -> None:
    punctual = [_order(number) for number in range(98)]
    late = [_order(number, time="2026-05-01T11:00:00Z") for number in (98, 99)]

    [orders] = _report(*punctual, *late).types

    assert (orders.topic, orders.type, orders.records) == ("purchases", "order.completed", 100)
    assert (orders.lateness_p50_s, orders.lateness_p99_s) == (10.0, 3600.0)
    assert orders.last_arrival == "2026-05-01T12:00:00.000Z"
    assert orders.last_arrival_age_s == 60


def test_repeats_are_recognised_by_source_and_id() -> None:
    [orders] = _report(_order(1), _order(1), _order(1, source="shop"), _order(2)).types

    assert orders.repeated == 1


def test_missing_optional_fields_have_their_share() -> None:
    [orders] = _report(_order(1, channel="web"), _order(2, channel="app"), _order(3), _order(4)).types

    assert orders.missing_shares["channel"] == 0.5
    assert orders.missing_shares["coupon"] == 1.0
    assert "total_minor" not in orders.missing_shares
    assert "recordedtime" not in orders.missing_shares


def test_clocks_ahead_are_counted_until_they_are_refused() -> None:
    report = _report(
        _order(1), _order(2, time="2026-05-01T12:00:30Z"), _order(3), _order(4), _order(5, time="2026-05-02T12:00:00Z")
    )

    assert report.types[0].ahead_share == 0.25
    assert report.refused == {"purchases": {RefusalReason.BAD_TIME.value: 1}}


def test_visitors_without_an_id_have_their_share() -> None:
    visit = {"type": "browse.activity", "time": "2026-05-01T11:59:50Z", "action": "page_view"}
    known = json.dumps({**visit, "id": "v1", "customer_id": "c1"}).encode()
    unknown = [json.dumps({**visit, "id": f"v{n}", "anonymous_id": f"a{n}"}).encode() for n in (2, 3)]

    [visits] = _report(known, *unknown, topic="browsing").types

    assert round(visits.without_customer_share, 3) == 0.667


def test_refusals_are_counted_by_intakes_own_reasons() -> None:
    report = _report(b"not json", b"{", None, _order(1, total_minor=-5), _order(2, time="2020-01-01T00:00:00Z"))

    assert report.types == []
    assert report.refused == {"purchases": {"not_json": 2, "schema": 1, "bad_amount": 1, "late": 1}}


def test_topics_without_a_record_are_silent() -> None:
    assert _report(_order(1)).silent == ["browsing"]
    assert _report(b"not json").silent == ["browsing"]


def test_dead_letters_are_counted_by_their_header() -> None:
    tally = Tally(Limits())
    for reason in (b"late", b"late", b"conflict"):
        tally.add_dead([("other", b"x"), ("tierstream-dlq-reason", reason)])
    tally.add_dead([])

    assert tally.report([], ARRIVED, complete=True).dead_letters == {"late": 2, "conflict": 1, "unnamed": 1}
