"""A whole class: many labs in many accounts, from a roster: look before, watch, reset, report."""
