"""Consent, erasure, and what people decide by hand: overrides, tier matches, memberships."""

from typing import Annotated

import msgspec

from schemas.fields import Id, Instant, OptionalId, RequiredText, Text, Word, word_meta
from schemas.inputs.base import Event
from schemas.vocabulary import ERASURE_MODES


class Purposes(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What a customer's data may be used for; left out means unchanged."""

    tiering: bool | None = None
    churn: bool | None = None
    marketing: bool | None = None


class ContactChannels(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """On which ways a customer may be contacted; left out means unchanged."""

    email: bool | None = None
    sms: bool | None = None
    push: bool | None = None
    call: bool | None = None
    wechat: bool | None = None


class ConsentUpdated(Event, kw_only=True, tag="consent.updated"):
    """A customer gave or withdrew consent."""

    purposes: Purposes
    channels: ContactChannels | None = None
    proof_ref: Text = ""


class ErasureRequested(Event, kw_only=True, tag="privacy.erasure_requested"):
    """A customer asked to be forgotten."""

    request_id: Id
    mode: Annotated[str, word_meta(ERASURE_MODES, least=1)]
    regulation: Word = ""
    """For example `gdpr` or `pipl`."""
    due_by: Instant | None = None


class OverrideSet(Event, kw_only=True, tag="tier.override_set"):
    """Somebody gave a customer a tier by hand; it holds until `valid_until` or until cleared."""

    ladder: Id
    tier: Id
    reason: RequiredText
    actor: Id
    valid_until: Instant | None = None


class OverrideCleared(Event, kw_only=True, tag="tier.override_cleared"):
    """Somebody took an override back: the rules decide again."""

    ladder: Id
    tier: OptionalId = ""
    reason: RequiredText
    actor: Id
    valid_until: Instant | None = None


class TierMatchGranted(Event, kw_only=True, tag="tier.match_granted"):
    """A customer starts at a tier because of their standing elsewhere."""

    ladder: Id
    tier: Id
    reason: RequiredText
    actor: Id
    valid_until: Instant | None = None


class MembershipStarted(Event, kw_only=True, tag="membership.started"):
    """A customer joined a (paid) programme."""

    programme: Id
    valid_until: Instant | None = None


class MembershipEnded(Event, kw_only=True, tag="membership.ended"):
    """A customer left a programme."""

    programme: Id
    valid_until: Instant | None = None
