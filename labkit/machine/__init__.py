"""This machine: private files and locks, and which hosts are it."""
