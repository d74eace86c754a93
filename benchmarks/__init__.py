"""Measurements against other programs' way of doing it; not part of the installed package."""
