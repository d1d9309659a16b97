"""What visitors do on the site and in the app."""

from schemas.fields import DurationMs, OptionalId, RequiredWord, Text
from schemas.inputs.base import Campaign, Event


class BrowseActivity(Event, kw_only=True, tag="browse.activity"):
    """One action of a visitor."""

    action: RequiredWord
    """`page_view`, `view_item`, `view_item_list`, `search`, `add_to_cart`, `remove_from_cart`, `begin_checkout`
    or `add_to_wishlist`."""
    product_id: OptionalId = ""
    category: Text = ""
    query: Text = ""
    session_id: OptionalId = ""
    url_path: Text = ""
    """Without host and query string, which often hold personal data."""
    duration_ms: DurationMs | None = None
    campaign: Campaign | None = None
