"""Expressions of ASL: compiled once from text, evaluated many times on values. Pure: no clock, no network, no luck."""
