"""Every route of the web page, asked of a Locust process and of ours."""
