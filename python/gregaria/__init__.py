"""gregaria runs Locust's locustfiles on a Rust engine.

Locustfiles import `locust`. Here is what Locust has no word for; importing it patches nothing and starts nothing.
"""
