"""The rules of one company as data: their types, their reading from TOML, their canonical form, their words."""
