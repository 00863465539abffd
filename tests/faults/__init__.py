"""A lab that is stopped, refused or left without an answer at any call ends whole at the next `up`, gone at `down`.

All calls take minutes; without LABKIT_ALL_FAULTS=1 only every so many of them are harmed, always the same.
"""
