"""Who decides what a failure is: the status code, the task with `catch_response`, or an exception."""

from locust import HttpUser, constant, task
from locust.exception import RescheduleTask, StopUser


class Sceptic(HttpUser):
    wait_time = constant(0.2)
    wrong_guesses = 0

    @task
    def by_status_code(self) -> None:
        """401 is a failed request without another word."""
        self.client.get("/api/profile")

    @task
    def by_the_task(self) -> None:
        """A refused guess is what the test expects: a success, counted under a name of its own."""
        guess = {"user": "hana", "password": "guess"}
        with self.client.post("/login", json=guess, name="/login (guess)", catch_response=True) as response:
            if response.status_code == 401:
                response.success()
            elif response.ok:
                response.failure("a guess was let in")
        self.wrong_guesses += 1
        if self.wrong_guesses == 5:
            raise StopUser

    @task
    def by_what_it_says(self) -> None:
        with self.client.post("/login", json={"user": "hana", "password": "secret"}, catch_response=True) as response:
            if response.elapsed.total_seconds() > 2:
                response.failure("too slow")
            elif not response.json().get("access"):
                response.failure("no token")
                raise RescheduleTask
