"""What a failed decoding says to the producer: which reason, where in the message, what was expected."""

import re
from typing import Final

import msgspec

from schemas.checks import ID_FIELDS, INSTANT_FIELDS
from schemas.events import EVENT_CLASSES
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import DEPTH_MAX, quoted, refuse

TYPE_PREFIX: Final = "tierstream."
TYPE_SUFFIX: Final = ".v1"

_LOCATED: Final = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)
_VERSIONED: Final = re.compile(r"tierstream\.(?P<name>[a-z_.]{1,64})\.v(?P<major>\d{1,4})", re.ASCII)
_HINTS: Final = {
    RefusalReason.BAD_AMOUNT: "; amounts are whole minor units, 27.50 USD is 2750",
    RefusalReason.BAD_ID: "; ids are text of 1 to 128 printable characters",
    RefusalReason.BAD_TIME: "; times are text in RFC 3339 with `Z` or an offset",
    RefusalReason.UNKNOWN_CURRENCY: "; currencies are ISO 4217 codes in capitals",
}


def fault_of(error: Exception, *, prefix: str = "$") -> Rejected:
    """The refusal for what msgspec raised. `prefix` is where in the message the decoded part lies."""
    if isinstance(error, msgspec.ValidationError):
        return _invalid(str(error), prefix)
    if isinstance(error, RecursionError):
        return refuse(RefusalReason.TOO_LARGE, f"nested more than {DEPTH_MAX} deep")
    return refuse(RefusalReason.NOT_JSON, str(error).removeprefix("JSON is malformed: "))


def _invalid(message: str, prefix: str) -> Rejected:
    match = _LOCATED.fullmatch(message)
    what, path = (match["what"], match["path"] or "$") if match else ("not understood", "$")
    name = path.rpartition(".")[2].partition("[")[0]
    if path == "$.type" or what.endswith("required field `type`"):
        # The message quotes the type between the first and the last apostrophe.
        return unknown_type(what.partition("'")[2].rpartition("'")[0], where=f"{prefix}.type")
    where = prefix + path.removeprefix("$")
    if what.startswith("Object missing required field"):
        return refuse(RefusalReason.SCHEMA, f"{where}: required field {what.rpartition(' ')[2]} is missing")
    reason = _reason_of(name)
    what = what.replace(" | null", "")  # null only says left out
    return refuse(reason, f"{where}: {what[:1].lower()}{what[1:]}{_HINTS.get(reason, '')}")


def _reason_of(name: str) -> RefusalReason:
    if name.endswith("_minor"):
        return RefusalReason.BAD_AMOUNT
    if name == "currency":
        return RefusalReason.UNKNOWN_CURRENCY
    if name in INSTANT_FIELDS:
        return RefusalReason.BAD_TIME
    if name in ID_FIELDS:
        return RefusalReason.BAD_ID
    return RefusalReason.SCHEMA


def unknown_type(name: str, *, where: str) -> Rejected:
    """The refusal of a type that is missing or not one of ours, in this version; says what was probably meant."""
    if not name:
        return refuse(RefusalReason.UNKNOWN_TYPE, f"{where}: expected the event's type, such as `order.completed`")
    versioned = _VERSIONED.fullmatch(name)
    if versioned and versioned["name"] in EVENT_CLASSES:
        bare = versioned["name"]
        meant = (
            f"an event without CloudEvents attributes says `{bare}`"
            if versioned["major"] == TYPE_SUFFIX[2:]
            else f"only `{TYPE_PREFIX}{bare}{TYPE_SUFFIX}` is known here"
        )
    elif name in EVENT_CLASSES:
        meant = f"as a CloudEvent it is `{TYPE_PREFIX}{name}{TYPE_SUFFIX}`"
    else:
        meant = "`tierstream schemas list` shows the types"
    return refuse(RefusalReason.UNKNOWN_TYPE, f"{where}: unknown type {quoted(name)}; {meant}")
