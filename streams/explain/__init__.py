"""Why a customer stands where they stand: the deciding rules, the events behind them, and what is to come."""
