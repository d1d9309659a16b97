"""How often the customers of a simulation do what: the figures that a user may set."""

from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """Shares are of the orders unless they say otherwise. Plausible for a shop; measured nowhere."""

    offline: Share = 0.4
    """Customers who prefer stores."""
    visits_per_week: Annotated[float, Meta(ge=0, le=1000)] = 0.6
    """Of a customer who is still there, besides those that come with an order."""
    gone_visits_per_week: Annotated[float, Meta(ge=0, le=1000)] = 0.05
    """Of one who has left: they look, and buy nothing any more."""
    wandering: Share = 0.35
    """Orders that a visit some days earlier led to."""
    checkouts: Share = 1.0
    """Online orders whose last steps on the site are seen."""
    anonymous: Share = 0.4
    """Online customers who looked around unknown before their first order."""
    tickets: Share = 0.05
    """Orders that end at the help desk."""
    solved: Share = 0.92
    """Tickets that are ever solved."""
    rated: Share = 0.4
    """Solved tickets that the customer rates."""
    ticket_churn: Share = 0.5
    """Chance that an unsolved ticket drives a first-time buyer away; solving it and earlier orders soften that."""
    refunds: Share = 0.06
    """Orders of which money goes back, half of them in part."""
    cancellations: Share = 0.02
    """Online orders that are called off."""
    coupons: Share = 0.15
    """Orders with a tenth off."""
    late: Share = 0.1
    """Days of a store whose purchases arrive one to three days late; the others come at night."""
