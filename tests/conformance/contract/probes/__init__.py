"""Each module is an area; see the package around it."""
