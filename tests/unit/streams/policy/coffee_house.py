"""A programme that uses most of the language: stars by orders or spend, reviewed on each anniversary."""

from typing import Final

COFFEE_HOUSE: Final = """\
[policy]
name = "coffee-house"
currency = "CNY"
time_zone = "Asia/Shanghai"

[[ladder]]
id = "club"
review = { clock = "anniversary" }          # continuous | calendar-year | fixed-year | anniversary
validity = "12 months"                       # a reached tier holds at least this long
grace = "30 days"
keep_ratio = 0.9                             # hysteresis: keep at 90 % of enter unless `keep` says otherwise
step_down = 1                                # soft landing

[[ladder.tier]]
id = "green"
name = { en = "Green", zh = "绿星" }
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]

[[ladder.tier]]
id = "gold"
name = { en = "Gold", zh = "金星" }
enter.any = [
  { metric = "orders", window = "365 days", at_least = 30 },
  { metric = "spend", window = "365 days", at_least = "3000.00" },
]
keep.all = [{ metric = "orders", window = "365 days", at_least = 20 }]
benefits = ["free_refill", "birthday_gift"]
service_level = "priority"
notice = ["30 days", "7 days"]               # before a fall, at the exact instant; withdrawn if averted
"""
