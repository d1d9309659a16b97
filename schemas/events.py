"""The closed union of input events: the one place to import them from.

An event in JSON is exactly one of these structs, with `type` naming which. Unknown members are ignored by the reader;
the published JSON Schemas are closed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.inputs.base import Campaign, Event
from schemas.inputs.browsing import BrowseActivity
from schemas.inputs.engagement import (
    CampaignClicked,
    CampaignOpened,
    CampaignSent,
    PointsCorrected,
    PointsRedeemed,
    PreferenceSet,
    ReferralMade,
    ReviewSubmitted,
    SurveyAnswered,
)
from schemas.inputs.governance import (
    ConsentUpdated,
    ContactChannels,
    ErasureRequested,
    MembershipEnded,
    MembershipStarted,
    OverrideCleared,
    OverrideSet,
    Purposes,
    TierMatchGranted,
)
from schemas.inputs.identity import Identified, Linked, Merged, Traits, Unlinked
from schemas.inputs.purchases import (
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    OrderReturned,
    OrderState,
    Product,
)
from schemas.inputs.support import (
    FirstResponse,
    SatisfactionRated,
    TicketCreated,
    TicketSolved,
    TicketUpdated,
)

__all__ = [
    "EVENT_CLASSES",
    "TOPIC_OF",
    "BrowseActivity",
    "Campaign",
    "CampaignClicked",
    "CampaignOpened",
    "CampaignSent",
    "ConsentUpdated",
    "ContactChannels",
    "ErasureRequested",
    "Event",
    "FirstResponse",
    "Identified",
    "InputEvent",
    "Linked",
    "MembershipEnded",
    "MembershipStarted",
    "Merged",
    "OrderCancelled",
    "OrderCompleted",
    "OrderRefunded",
    "OrderReturned",
    "OrderState",
    "OverrideCleared",
    "OverrideSet",
    "PointsCorrected",
    "PointsRedeemed",
    "PreferenceSet",
    "Product",
    "Purposes",
    "ReferralMade",
    "ReviewSubmitted",
    "SatisfactionRated",
    "SurveyAnswered",
    "TicketCreated",
    "TicketSolved",
    "TicketUpdated",
    "TierMatchGranted",
    "Traits",
    "Unlinked",
    "type_of",
]

InputEvent = (
    OrderCompleted
    | OrderRefunded
    | OrderReturned
    | OrderCancelled
    | OrderState
    | BrowseActivity
    | TicketCreated
    | TicketUpdated
    | TicketSolved
    | FirstResponse
    | SatisfactionRated
    | ReviewSubmitted
    | SurveyAnswered
    | ReferralMade
    | CampaignSent
    | CampaignOpened
    | CampaignClicked
    | PointsRedeemed
    | PointsCorrected
    | PreferenceSet
    | Identified
    | Linked
    | Unlinked
    | Merged
    | ConsentUpdated
    | ErasureRequested
    | OverrideSet
    | OverrideCleared
    | TierMatchGranted
    | MembershipStarted
    | MembershipEnded
)

_CLASSES_OF_TOPIC: Final[Mapping[str, tuple[type[Event], ...]]] = {
    "purchases": (OrderCompleted, OrderRefunded, OrderReturned, OrderCancelled, OrderState),
    "browsing": (BrowseActivity,),
    "support": (TicketCreated, TicketUpdated, TicketSolved, FirstResponse, SatisfactionRated),
    "engagement": (
        ReviewSubmitted,
        SurveyAnswered,
        ReferralMade,
        CampaignSent,
        CampaignOpened,
        CampaignClicked,
        PointsRedeemed,
        PointsCorrected,
        PreferenceSet,
    ),
    "identity": (Identified, Linked, Unlinked, Merged),
    "governance": (
        ConsentUpdated,
        ErasureRequested,
        OverrideSet,
        OverrideCleared,
        TierMatchGranted,
        MembershipStarted,
        MembershipEnded,
    ),
}


def type_of(event: type[Event] | Event) -> str:
    """The event type's name, for example `order.completed`."""
    return str(event.__struct_config__.tag)


EVENT_CLASSES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {type_of(cls): cls for classes in _CLASSES_OF_TOPIC.values() for cls in classes}
)
"""Event type to its class."""

TOPIC_OF: Final[Mapping[str, str]] = MappingProxyType(
    {type_of(cls): topic for topic, classes in _CLASSES_OF_TOPIC.items() for cls in classes}
)
"""Event type to the raw topic that it belongs on. Intake decodes by type, whatever topic an event arrives on."""
