"""The parts that all calls of Segment's share: who, when, on what, with which traits."""

from decimal import Decimal
from typing import Any, Final

from schemas.fields import TEXT_LENGTH_MAX, WORD_LENGTH_MAX
from schemas.formats.mapping import Field
from schemas.formats.values import UnusableError, as_instant
from schemas.rejections import RefusalReason

_TIMES: Final = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_CHANNELS: Final = {"web": "web", "browser": "web", "client": "web", "mobile": "app"}
_CAMPAIGN: Final = ("id", "source", "medium", "name", "term", "content")
_MONTHS: Final = 12
_INSTANT: Final = Field(target="time", kind="instant", required=True)


class Call:
    """One call, opened."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.context = part(document, "context")
        self.properties = part(document, "properties")
        self.traits = part(self.context, "traits") | part(document, "traits")
        self.user_id = text_of(document.get("userId"))
        self.anonymous_id = text_of(document.get("anonymousId"))

    def time(self) -> str:
        """When it happened: corrected for wrong clocks where the sender's Segment did that."""
        for name in _TIMES:
            value = self.document.get(name)
            if value:
                return as_instant(value, _INSTANT, f"$.{name}")
        raise UnusableError(RefusalReason.SCHEMA, "$.timestamp", "missing")


def part(document: dict[str, Any], name: str) -> dict[str, Any]:
    """An object inside of a document; empty where there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def text_of(value: object, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Text, or a whole number as text, cut to what a field holds; empty for everything else."""
    if isinstance(value, str):
        return value[:length_max]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value)) if value.adjusted() < WORD_LENGTH_MAX else ""
    return ""


def channel_of(call: Call) -> str:
    """`web` or `app`, as far as the call says it."""
    if call.document.get("type") == "screen":
        return "app"
    return _CHANNELS.get(text_of(call.document.get("channel")), "")


def campaign_of(call: Call) -> dict[str, str]:
    """The campaign that brought the visitor."""
    campaign = part(call.context, "campaign")
    return {name: text for name in _CAMPAIGN if (text := text_of(campaign.get(name)))}


def traits_of(call: Call) -> dict[str, Any]:
    """What an identify call tells, as coarse as we keep it: never a name, an address or a whole birth date."""
    traits, address, company = call.traits, part(call.traits, "address"), part(call.traits, "company")
    found: dict[str, Any] = {
        "gender": _word(traits.get("gender")),
        "locale": _word(call.context.get("locale")),
        "country": _word(address.get("country")),
        "city": _word(address.get("city")),
        "industry": _word(traits.get("industry")) or _word(company.get("industry")),
        "size": _word(traits.get("employees")) or _word(company.get("employee_count")),
        **_birthday(text_of(traits.get("birthday"))),
    }
    if traits.get("createdAt"):
        try:
            found["signup_time"] = as_instant(traits["createdAt"], _INSTANT, "$.traits.createdAt")
        except UnusableError:  # a trait that nobody checks at the source; the call is about more than it
            found["signup_time"] = None
    return {name: value for name, value in found.items() if value}


def _birthday(text: str) -> dict[str, int]:
    """Month and day of `1990-12-24` or a longer ISO text."""
    _, _, rest = text[:10].partition("-")
    month, _, day = rest.partition("-")
    if not (month.isascii() and month.isdigit() and day.isascii() and day.isdigit()):
        return {}
    found = {"birth_month": int(month), "birth_day": int(day)}
    return found if 1 <= found["birth_month"] <= _MONTHS and 1 <= found["birth_day"] <= 31 else {}  # noqa: PLR2004 -- a month's days


def _word(value: object) -> str:
    return text_of(value, WORD_LENGTH_MAX)
