"""The same locustfile with the same command on Locust 2.47.0 and here, and everything that has to be the same."""
