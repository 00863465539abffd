"""The checks of the tasks, one module a chapter (`chapter_01`); their words are in `labkit/learning/data`."""
