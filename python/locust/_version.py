"""The Locust release whose behaviour this package has, and after the `+` our own release."""

from gregaria import _engine

version = __version__ = f"2.47.0+gregaria.{_engine.__version__}"
__commit_id__ = commit_id = None
version_tuple = __version_tuple__ = (2, 47, 0, f"gregaria.{_engine.__version__}")
