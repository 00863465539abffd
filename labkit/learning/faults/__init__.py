"""Broken labs: what can be broken and how, and the way from a symptom to its cause."""
