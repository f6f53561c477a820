#!/usr/bin/env python3
"""hellod in Python, with the standard library: the work of step 07, to compare with. See scripts/bench.sh."""

import fcntl
import logging
import os
import select
import signal
import socket
import stat
import sys
import time

PHRASES = ["hello", "good morning", "good night"]


class Stop(Exception):
    """Raised by the signal handler, wherever the program is."""


def stop(number, _frame):
    raise Stop(signal.Signals(number).name)


def notify(text):
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), path)


class Hellod:
    def __init__(self):
        self.logger = self._init_logger()
        self.path = os.path.join(os.environ["RUNTIME_DIRECTORY"], "hellod.pipe")
        self.name = b""

    @staticmethod
    def _init_logger():
        logger = logging.getLogger("hellod")
        logger.setLevel(logging.DEBUG)
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        return logger

    def learn(self):
        for number, phrase in enumerate(PHRASES, 1):
            status = f"Learning phrase {number} of {len(PHRASES)}: {phrase}"
            self.logger.info(status)
            notify(f"STATUS={status}\n")
            time.sleep(1)

    def open_pipe(self):
        if not os.path.exists(self.path):
            os.mkfifo(self.path)
        self.held = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.flock(self.held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(self.held, 0o622)
        self.open_again()

    def open_again(self):
        self.visit = os.open(f"/proc/self/fd/{self.held}", os.O_RDONLY | os.O_NONBLOCK)

    def greet(self):
        name = self.name.decode(errors="replace").strip()
        self.name = b""
        if name:
            self.logger.info("Hello, %s", name)

    def read(self):
        try:
            data = os.read(self.visit, 4096)
        except BlockingIOError:
            return False
        *whole, rest = (self.name + data).split(b"\n")
        for self.name in whole:
            self.greet()
        self.name = rest[:80]
        if not data:
            self.greet()
            os.close(self.visit)
            self.open_again()
        return bool(data)

    def in_place(self):
        try:
            return os.path.samestat(os.lstat(self.path), os.fstat(self.held))
        except FileNotFoundError:
            return False

    def run(self):
        self.learn()
        self.open_pipe()
        self.logger.info("Greeting every 5s")
        notify("READY=1\nSTATUS=Greeting every 5s\n")
        due, more = time.monotonic(), False
        while True:
            if not self.in_place():
                sys.exit(f"{self.path} is gone")
            now = time.monotonic()
            if now >= due:
                self.logger.info("Hello from hellod")
                due = now + 5
            ready, _, _ = select.select([self.visit], [], [], 0 if more else due - now)
            if ready or more:
                more = self.read()

    def stop(self, name):
        self.logger.info("Stopping because of %s", name)
        notify("STOPPING=1\nSTATUS=Saying goodbye\n")
        if os.path.exists(self.path) and stat.S_ISFIFO(os.stat(self.path).st_mode):
            os.remove(self.path)
            while self.read():
                pass
        self.logger.info("Goodbye")


if __name__ == "__main__":
    hellod = Hellod()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        hellod.run()
    except Stop as reason:
        hellod.stop(reason)
