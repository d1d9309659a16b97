"""Reviews, surveys, referrals, campaigns, points and stated preferences."""

from typing import Annotated

from msgspec import Meta

from schemas.fields import CustomerId, Id, OptionalId, RequiredText, Word
from schemas.inputs.base import Event
from schemas.inputs.support import Rating, ScaleMax

POINTS_MAX = 10**9

PointsSpent = Annotated[int, Meta(ge=1, le=POINTS_MAX)]
PointsAdjusted = Annotated[int, Meta(ge=-POINTS_MAX, le=POINTS_MAX)]


class Opinion(Event, kw_only=True):
    """A rating that a customer gave."""

    rating: Rating
    scale_max: ScaleMax
    """The best rating that the scale has, for example 5."""
    product_id: OptionalId = ""
    order_id: OptionalId = ""
    survey_id: OptionalId = ""
    would_recommend: bool | None = None


class ReviewSubmitted(Opinion, kw_only=True, tag="review.submitted"):
    """A customer reviewed a product or an order."""


class SurveyAnswered(Opinion, kw_only=True, tag="survey.answered"):
    """A customer answered a survey."""


class ReferralMade(Event, kw_only=True, tag="referral.made"):
    """A customer brought another one; credited once, after the other's first kept order."""

    referred_customer_id: CustomerId


class CampaignContact(Event, kw_only=True):
    """A step of a marketing message on its way to a customer; `channel` is the message's."""

    campaign_id: Id
    variant: Word = ""


class CampaignSent(CampaignContact, kw_only=True, tag="campaign.sent"):
    """A message was sent."""


class CampaignOpened(CampaignContact, kw_only=True, tag="campaign.opened"):
    """A message was opened."""


class CampaignClicked(CampaignContact, kw_only=True, tag="campaign.clicked"):
    """A link in a message was followed."""


class PointsRedeemed(Event, kw_only=True, tag="points.redeemed"):
    """A customer spent points."""

    points: PointsSpent
    reason: RequiredText


class PointsCorrected(Event, kw_only=True, tag="points.adjusted"):
    """Somebody gave or took points by hand."""

    points: PointsAdjusted
    reason: RequiredText


class PreferenceSet(Event, kw_only=True, tag="preference.set"):
    """A customer stated a preference; it beats what is inferred."""

    name: Id
    value: RequiredText
