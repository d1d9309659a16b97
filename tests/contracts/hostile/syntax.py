"""What is no JSON, no UTF-8, or too much of it."""

from schemas.rejections import RefusalReason
from tests.contracts.hostile.item import ORDER, Hostile, and_then

NOT_JSON, TOO_LARGE, SCHEMA = RefusalReason.NOT_JSON, RefusalReason.TOO_LARGE, RefusalReason.SCHEMA
DEEP = "[" * 17 + "]" * 17
MANY_KEYS = "{" + ",".join(f'"k{number}":0' for number in range(257)) + "}"
HIDDEN_DEPTH = '["]",' * 17 + "0" + "]" * 17

SYNTAX = [
    Hostile("nothing", b"", NOT_JSON),
    Hostile("blanks", b" \n\t ", NOT_JSON),
    Hostile("no-json-at-all", b"order completed", NOT_JSON),
    Hostile("csv", b"e1,order.completed,9900", NOT_JSON),
    Hostile("xml", b"<order><id>1</id></order>", NOT_JSON),
    Hostile("form-data", b"id=e1&type=order.completed", NOT_JSON),
    Hostile("single-quotes", ORDER.replace(b'"', b"'"), NOT_JSON),
    Hostile("python-literals", and_then('"test":True'), NOT_JSON),
    Hostile("comment", b"/* hello */" + ORDER, NOT_JSON),
    Hostile("trailing-comma", ORDER[:-1] + b",}", NOT_JSON),
    Hostile("cut-off", ORDER[:-20], NOT_JSON),
    Hostile("cut-off-in-a-string", ORDER[:20], NOT_JSON),
    Hostile("trailing-bytes", ORDER + b"x", NOT_JSON),
    Hostile("two-documents", ORDER + ORDER, NOT_JSON),
    Hostile("two-lines", ORDER + b"\n" + ORDER, NOT_JSON),
    Hostile("byte-order-mark", b"\xef\xbb\xbf" + ORDER, NOT_JSON),
    Hostile("utf-16", ORDER.decode().encode("utf-16"), NOT_JSON),
    Hostile("utf-16-without-mark", ORDER.decode().encode("utf-16-le"), NOT_JSON),
    Hostile("utf-16-big-endian", ORDER.decode().encode("utf-16-be"), NOT_JSON),
    Hostile("utf-32", ORDER.decode().encode("utf-32"), NOT_JSON),
    Hostile("latin-1", ORDER.replace(b'"c1"', '"é"'.encode("latin-1")), NOT_JSON),
    Hostile("invalid-utf-8-in-an-ignored-member", ORDER[:-1] + b',"note":"\xff"}', NOT_JSON),
    Hostile("overlong-utf-8", ORDER.replace(b'"c1"', b'"\xc0\xaf"'), NOT_JSON),
    Hostile("encoded-surrogate", ORDER.replace(b'"c1"', b'"\xed\xa0\x80"'), NOT_JSON),
    Hostile("nul-bytes", b"\x00" * 64, NOT_JSON),
    Hostile("raw-nul-in-a-string", ORDER.replace(b'"c1"', b'"c\x001"'), NOT_JSON),
    Hostile("raw-line-break-in-a-string", ORDER.replace(b'"c1"', b'"c\n1"'), NOT_JSON),
    Hostile("unknown-escape", ORDER.replace(b'"c1"', rb'"\x63"'), NOT_JSON),
    Hostile("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", NOT_JSON),
    Hostile("avro-behind-a-registry-prefix", b"\x00\x00\x00\x00\x07\x02\x04c1\xc8\x9a\x01", NOT_JSON),
    Hostile("only-a-registry-prefix", b"\x00\x00\x00\x00\x07", NOT_JSON),
    Hostile("nan", ORDER.replace(b"9900", b"NaN"), NOT_JSON),
    Hostile("infinity", ORDER.replace(b"9900", b"Infinity"), NOT_JSON),
    Hostile("minus-infinity", ORDER.replace(b"9900", b"-Infinity"), NOT_JSON),
    Hostile("leading-zero", ORDER.replace(b"9900", b"09900"), NOT_JSON),
    Hostile("plus-sign", ORDER.replace(b"9900", b"+9900"), NOT_JSON),
    Hostile("hexadecimal", ORDER.replace(b"9900", b"0x26ac"), NOT_JSON),
    Hostile("nan-in-an-ignored-member", and_then('"note":NaN'), NOT_JSON),
    Hostile("null", b"null", SCHEMA),
    Hostile("true", b"true", SCHEMA),
    Hostile("number", b"9900", SCHEMA),
    Hostile("text", b'"order.completed"', SCHEMA),
    Hostile("list-of-events", b"[" + ORDER + b"]", SCHEMA),
    Hostile("64-KiB-and-more", and_then(f'"note":"{"x" * 65_536}"'), TOO_LARGE),
    Hostile("a-megabyte-of-brackets", b"[" * 1_000_000, TOO_LARGE),
    Hostile("brackets-up-to-the-limit", b"[" * 65_536, TOO_LARGE),
    Hostile("objects-in-objects", b'{"a":' * 5_000 + b"0" + b"}" * 5_000, TOO_LARGE),
    Hostile("deep-in-an-ignored-member", and_then(f'"note":{DEEP}'), TOO_LARGE),
    Hostile("deep-behind-strings-with-brackets", and_then(f'"note":{HIDDEN_DEPTH}'), TOO_LARGE),
    Hostile("deep-behind-escaped-quotes", and_then('"a":"\\"","note":' + DEEP), TOO_LARGE),
    Hostile("too-many-keys", MANY_KEYS.encode(), TOO_LARGE),
    Hostile("too-many-keys-in-an-ignored-member", and_then(f'"note":{MANY_KEYS}'), TOO_LARGE),
    Hostile(
        "thousands-of-keys", ("{" + ",".join(f'"{number}":0' for number in range(7_000)) + "}").encode(), TOO_LARGE
    ),
    Hostile("key-twice", and_then('"total_minor":1'), SCHEMA),
    Hostile("key-twice-with-equal-values", and_then('"order_id":"o1"'), SCHEMA),
    Hostile("key-twice-in-another-spelling", and_then('"total\\u005fminor":1'), SCHEMA),
    Hostile("key-twice-in-a-product", and_then('"products":[{"product_id":"a","product_id":"b"}]'), SCHEMA),
    Hostile("key-twice-in-an-ignored-member", and_then('"note":{"a":1,"a":2}'), SCHEMA),
    Hostile("key-twice-balanced-by-an-escaped-colon", and_then('"total_minor":1,"coupon":"\\u003a"'), SCHEMA),
]
