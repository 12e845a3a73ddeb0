"""A shape that heeds `--users`, `--spawn-rate` and `--run-time`: half of the users, then all of them.

locust -f locustfiles/shape_options.py --headless -H http://localhost:8080 -u 20 -r 10 -t 30s
"""

from locust import HttpUser, LoadTestShape, constant, task


class HalfThenAll(LoadTestShape):
    use_common_options = True
    """Without it, Locust warns that the options have no effect."""

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None and self.runner.environment.parsed_options is not None
        options = self.runner.environment.parsed_options
        users, rate, seconds = options.num_users or 10, options.spawn_rate or 10, options.run_time or 20
        if self.get_run_time() >= seconds:
            return None
        return (users if self.get_run_time() > seconds / 2 else users // 2, rate)


class Visitor(HttpUser):
    wait_time = constant(0.5)

    @task
    def log_in(self) -> None:
        self.client.post("/login", json={"user": "ada", "password": "secret"})
