"""The embedded cloud: a process of its own that serves MiniStack on loopback under AWS's rules.

`process` finds, starts and stops it, `server` is that process, `session` talks to it.
"""
