"""The cases, by what they are about. A file has `CASES`: each by its name."""
