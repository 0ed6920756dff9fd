"""Deterministic simulation: the real runner and interpreter in a hostile world that one seed draws."""
