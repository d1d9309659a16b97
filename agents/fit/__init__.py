"""Fitting churn models to a company's own purchases, and judging them by what customers did afterwards."""
