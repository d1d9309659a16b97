"""Thresholds for a company's own customers, from what they spent and how often they bought."""
