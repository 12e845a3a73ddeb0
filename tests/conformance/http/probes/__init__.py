"""The probes, a file for each area. A new file here is found by itself."""
