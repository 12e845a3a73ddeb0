"""Command lines, environments and files: what Locust and this make of the same ones."""
