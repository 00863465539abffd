"""Tokens read, verified and decided upon. Pure: no network, no AWS."""
