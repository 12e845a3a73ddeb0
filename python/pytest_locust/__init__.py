"""Locust for pytest: what pytest loads by its entry point."""
