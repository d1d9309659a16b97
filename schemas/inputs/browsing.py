"""What visitors do on the site and in the app."""

from typing import Annotated

from schemas.fields import DurationMs, OptionalId, Text, word_meta
from schemas.inputs.base import Campaign, Event
from schemas.vocabulary import BROWSE_ACTIONS


class BrowseActivity(Event, kw_only=True, tag="browse.activity"):
    """One action of a visitor."""

    action: Annotated[str, word_meta(BROWSE_ACTIONS, least=1)]
    product_id: OptionalId = ""
    category: Text = ""
    query: Text = ""
    session_id: OptionalId = ""
    url_path: Text = ""
    """Without host and query string, which often hold personal data."""
    duration_ms: DurationMs | None = None
    campaign: Campaign | None = None
