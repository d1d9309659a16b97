"""Probability models in closed form: functions of a customer's few counters, without state and without fitting."""
