"""Segment's calls where they go beyond what our fields hold, or say things that nobody has checked."""

import json
from typing import Any

import pytest

from schemas.events import OrderCompleted, OrderRefunded
from schemas.fields import LIST_LENGTH_MAX, TEXT_LENGTH_MAX
from schemas.formats.record import Raw
from schemas.formats.segment import decode_segment
from schemas.rejections import Rejected


def decoded(event: str, **properties: Any) -> Any:  # noqa: ANN401 - an event of any type
    call = {"type": "track", "event": event, "messageId": "m1", "userId": "u1", "timestamp": "2026-11-22T10:00:00Z"}
    found = decode_segment(Raw(json.dumps({**call, "properties": properties}).encode()))
    assert isinstance(found, tuple)
    return found[0]


def test_an_order_of_hundreds_of_lines_is_an_order() -> None:
    """What is beyond the limit of a list is cut off; the total is what was paid."""
    lines = [{"product_id": f"p{number}", "price": 1} for number in range(LIST_LENGTH_MAX + 50)]
    order = decoded("Order Completed", order_id="o", currency="USD", total=306, products=lines)

    assert isinstance(order, OrderCompleted)
    assert (len(order.products), order.total_minor) == (LIST_LENGTH_MAX, 30_600)


def test_a_refund_by_its_lines_takes_all_of_them() -> None:
    """Also those that are cut off, and goods by weight to the last digit, or it is refused."""
    lines: list[dict[str, object]] = [{"product_id": f"p{number}", "price": 1} for number in range(LIST_LENGTH_MAX + 1)]
    refund = decoded("Order Refunded", order_id="o", currency="USD", products=lines)
    assert isinstance(refund, OrderRefunded)
    assert refund.refund_minor == 25_700

    lines[0]["quantity"] = 1.5
    half = decoded("Order Refunded", order_id="o", currency="USD", products=lines)
    assert isinstance(half, OrderRefunded)
    assert half.refund_minor == 25_750

    lines[1] |= {"price": 9.99, "quantity": 0.345}
    refusal = decoded("Order Refunded", order_id="o", currency="USD", products=lines)
    assert isinstance(refusal, Rejected)
    assert refusal.reason == "bad_amount"


def test_descriptions_are_cut_to_what_a_field_holds() -> None:
    """An endless name is no reason to lose an order."""
    products = [{"product_id": "p", "name": "x" * 5_000}]
    order = decoded("Order Completed", order_id="o", currency="USD", total=1, products=products)

    assert isinstance(order, OrderCompleted)
    assert len(order.products[0].name) == TEXT_LENGTH_MAX


def test_an_endless_message_id_is_shortened_and_still_names_the_message() -> None:
    """The same id gives the same id, another gives another."""
    ids = []
    for text in ("m" * 500, "m" * 500, "m" * 501):
        call = {"type": "page", "messageId": text, "userId": "u1", "timestamp": "2026-11-22T10:00:00Z"}
        found = decode_segment(Raw(json.dumps(call).encode()))
        assert isinstance(found, tuple)
        assert not isinstance(found[0], Rejected)
        ids.append(found[0].id)

    assert ids[0] == ids[1] != ids[2]
    assert len(ids[0]) <= 128


@pytest.mark.parametrize(("quantity", "pieces"), [(3, 3), ("3", 3), (1.5, 1), (0, 1), (-2, 1), (None, 1), (10**7, 1)])
def test_pieces_are_whole_and_goods_by_weight_count_as_one(quantity: object, pieces: int) -> None:
    """As the field says."""
    products = [{"product_id": "p", "quantity": quantity}]
    order = decoded("Order Completed", order_id="o", currency="USD", total=1, products=products)

    assert isinstance(order, OrderCompleted)
    assert order.products[0].quantity == pieces


def test_a_refund_is_named_by_its_own_id_where_it_has_one() -> None:
    """Two messages about one refund are one refund."""
    refund = decoded("Order Refunded", order_id="o", currency="USD", total="5.00", refund_id="r-1")

    assert isinstance(refund, OrderRefunded)
    assert (refund.refund_id, refund.refund_minor) == ("r-1", 500)
