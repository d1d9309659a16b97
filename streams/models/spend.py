"""Gamma-Gamma (Fader and Hardie): what a customer spends on a purchase day, on average over the days to come.

The spend of a purchase day is Gamma(p, nu) around the customer's own mean, and nu is Gamma(q, gamma) between customers.
It is taken not to depend on how often somebody buys. Amounts here are in major units, as the parameters are.
"""

from streams.models.churn_model import SpendParameters


def expected_spend(spend: SpendParameters, repeats: int, mean: float) -> float:
    """Expected spend of a purchase day after `repeats` repeat purchase days with that mean.

    The mean over all customers for who has none, and the nearer to the own mean the more there are.
    """
    return spend.p * (spend.gamma + repeats * mean) / (spend.p * repeats + spend.q - 1.0)
