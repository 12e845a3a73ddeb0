from __future__ import annotations
import argparse


def parse(arguments):
    return argparse.Namespace()
