"""A fitted churn model as data: parameters with their units, a canonical text and its hash. Nothing here computes.

Like a policy, a model is identified by the SHA-256 of its canonical text, taken over the text as it stands.
The constraints on the fields are what keeps the score lawful: silence can never lower it, a visit never raise it.
"""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.fields import Id
from streams.models.mbgnbd import CDNOW_1997

TimeUnit = Literal["days", "weeks"]
Family = Literal["mbg-nbd", "bg-nbd"]
Positive = Annotated[float, Meta(gt=0, le=1e6)]
AtLeastZero = Annotated[float, Meta(ge=0, le=1e6)]
AtMostZero = Annotated[float, Meta(ge=-1e6, le=0)]
Coefficient = Annotated[float, Meta(ge=-1e6, le=1e6)]
Share = Annotated[float, Meta(ge=0, le=1)]

DAYS_OF_UNIT: Mapping[TimeUnit, int] = MappingProxyType({"days": 1, "weeks": 7})


class SpendParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Gamma-Gamma: the spend per purchase day varies around a customer's own mean, means vary between customers."""

    p: Positive
    q: Annotated[float, Meta(gt=1, le=1e6)]
    """Above 1, or the mean over all customers would not exist."""
    gamma: Positive
    """In major units of the model's currency: dollars, not cents."""


class VisitParameters(msgspec.Struct, frozen=True, kw_only=True):
    """How often customers come by without buying, in visit days per unit of the model's time."""

    alive_per_unit: Positive
    gone_per_unit: Positive
    """Less than `alive_per_unit`: who has left comes by less often."""
    half_life_days: Positive | None = None
    """After so many days a day of watching counts half; None: the first day counts as much as the last."""


class FrustrationParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What trouble adds to the log-odds of having left, softened for who bought often: / (1 + repeats)^softening."""

    half_life_days: Positive
    ticket: AtLeastZero = 0.0
    solved_share: Share = 0.0
    """The part of a ticket's weight that is left once it is solved."""
    bad_rating: AtLeastZero = 0.0
    refund: AtLeastZero = 0.0
    softening: AtLeastZero = 1.0


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Logistic regression on top: the logit of the final score is a sum of these, each times its input.

    Valid for one horizon only, the one whose outcomes it was fitted to.
    """

    horizon_days: Annotated[int, Meta(ge=1, le=3650)]
    intercept: Coefficient
    risk: AtLeastZero
    """Times the logit of the model's own risk."""
    silence: AtLeastZero
    """Times ln(1 + silence in units)."""
    repeats: Coefficient = 0.0
    """Times ln(1 + repeat purchase days)."""
    tenure: AtLeastZero = 0.0
    """Times ln(1 + units since the first purchase day)."""
    first_order: Coefficient = 0.0
    """Times ln(1 + spend of the first purchase day in major units)."""
    mean_order: Coefficient = 0.0
    """Times ln(1 + mean spend of a purchase day in major units)."""
    visits: AtMostZero = 0.0
    """Times ln(1 + visit days since the last purchase, decayed)."""
    frustration: AtLeastZero = 0.0
    """Times the softened, decayed frustration."""


class ChurnModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that turns a customer's counters into a risk; `r`, `alpha`, `a`, `b` as in `mbgnbd`."""

    name: Id
    version: Annotated[int, Meta(ge=1)] = 1
    family: Family = "mbg-nbd"
    time_unit: TimeUnit = "weeks"
    r: Positive
    alpha: Positive
    """In `time_unit`."""
    a: Positive
    b: Positive
    currency: Annotated[str, Meta(pattern="^([A-Z]{3})?$")] = ""
    """ISO 4217, of `spend` and of the orders' coefficients; empty when neither is there."""
    spend: SpendParameters | None = None
    visits: VisitParameters | None = None
    frustration: FrustrationParameters | None = None
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        """Refuse, also in a file edited by hand, what no single field can tell."""
        if self.visits is not None and self.visits.gone_per_unit >= self.visits.alive_per_unit:
            raise ValueError("visits.gone_per_unit has to be below visits.alive_per_unit")
        calibration = self.calibration
        if calibration is not None and calibration.risk + calibration.silence == 0.0:
            raise ValueError("calibration.risk and calibration.silence cannot both be 0: silence would mean nothing")
        uses_money = self.spend is not None or (
            calibration is not None and (calibration.first_order != 0.0 or calibration.mean_order != 0.0)
        )
        if uses_money and not self.currency:
            raise ValueError("currency is missing: spend parameters and orders' coefficients are in one")


def canonical_model(model: ChurnModel) -> str:
    """Return the text that stands for the model: equal models have equal texts, also where 14 was written for 14.0."""
    return msgspec.json.encode(load_model(msgspec.json.encode(model)), order="sorted").decode()


def load_model(text: str | bytes) -> ChurnModel:
    """Return the model of a JSON text; `msgspec.ValidationError` or `msgspec.DecodeError` if it is none."""
    return msgspec.json.decode(text, type=ChurnModel, strict=True)


def model_hash(text: str) -> str:
    """Return the hash of a canonical text: the model's identity."""
    return sha256(text.encode()).hexdigest()


CDNOW_1997_MODEL = ChurnModel(
    name=CDNOW_1997.name, r=CDNOW_1997.r, alpha=CDNOW_1997.alpha, a=CDNOW_1997.a, b=CDNOW_1997.b
)
"""The default of the presets: without calibration, spend, visits or tickets. Its scores are the model's own."""

BUILT_IN_MODELS: Mapping[str, ChurnModel] = MappingProxyType({CDNOW_1997_MODEL.name: CDNOW_1997_MODEL})
