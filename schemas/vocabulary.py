"""Open vocabularies: the words that readers know. An unknown word is no fault; it is read as `other` and counted."""

from collections.abc import Set as AbstractSet
from typing import Final

OTHER: Final = "other"

CHANNEL_TYPES: Final = frozenset({"online", "offline"})
BROWSE_ACTIONS: Final = frozenset(
    {
        "page_view",
        "view_item",
        "view_item_list",
        "search",
        "add_to_cart",
        "remove_from_cart",
        "begin_checkout",
        "add_to_wishlist",
    }
)
ORDER_STATUSES: Final = frozenset({"open", "paid", "cancelled", "refunded"})
TICKET_STATUSES: Final = frozenset({"new", "open", "pending", "hold", "solved", "closed"})
TICKET_PRIORITIES: Final = frozenset({"low", "normal", "high", "urgent"})
ERASURE_MODES: Final = frozenset({"erase", "restrict"})
"""`restrict` keeps what law demands to keep and stops every use of it."""


def known_word(text: str, vocabulary: AbstractSet[str]) -> str:
    """The word as the vocabulary writes it, `other` when it does not know it, empty when nothing was said."""
    word = text.lower()
    return word if word in vocabulary or not word else OTHER
