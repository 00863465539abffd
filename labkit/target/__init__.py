"""The place where a lab lives, and what this machine keeps of it."""
