"""Mapping files: what of another system's records becomes which event. Reads the TOML, reports every mistake."""
