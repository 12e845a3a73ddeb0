"""Test functions of pytest as load: found by pytest, run by users.

pytest runs one test at a time, and its machinery (values of fixtures, what is to be torn down) says so in every line.
Here many users run the same test at once. So pytest finds, parametrizes and marks the tests, and what runs them is
ours.
"""
