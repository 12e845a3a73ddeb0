"""The web page's part of Python: what the server hands over, and what it is told. Imported where there is a page."""
