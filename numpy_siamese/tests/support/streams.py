"""Streams as they come: without some characters, closed, broken, full, or not there at all."""

import io
import os


class Minimal:
    """A stream that can write and nothing else, as a program with windows makes them."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


class Failing(Minimal):
    def __init__(self, number):
        self.number = number

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))


def encoded(encoding, errors="strict"):
    return io.TextIOWrapper(io.BytesIO(), encoding, errors, newline="\n", write_through=True)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def detached():
    stream = encoded("utf-8")
    stream.detach()
    return stream
