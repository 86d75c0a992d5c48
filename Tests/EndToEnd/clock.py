"""A wall clock that a test can set for the programs that it starts; no other clock moves with it."""

import struct
import subprocess
from pathlib import Path


class Clock:
    def __init__(self, folder):
        self.shift, library = folder / "clock", folder / "clock.so"
        source = Path(__file__).parent / "clock.c"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.shift.write_bytes(struct.pack("l", 0))
        self.variables = {"LD_PRELOAD": str(library), "MARTLET_TEST_CLOCK": str(self.shift)}

    def start(self, suite):
        """Only the suite's own services go by it, not the CLI of this test."""
        ours = suite.environment
        suite.environment = ours | self.variables
        suite.up()
        suite.environment = ours

    def set(self, seconds):
        """Seconds from the real time."""
        with open(self.shift, "r+b") as file:
            file.write(struct.pack("l", seconds))
