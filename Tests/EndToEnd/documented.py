"""The commands of a document, each of which some test runs."""

import re


class Commands:
    """Of indented blocks; a line that ends in a backslash goes on in the next one."""

    def __init__(self, text):
        lines = re.sub(r"\\\n\s*", "", text).splitlines()
        found = [re.sub(r"\s+# .*", "", line).strip() for line in lines if line.startswith("    ")]
        # `cd` only says where the next ones are given.
        self.all = list(dict.fromkeys(line for line in found if re.match("martlet |docker |curl |cp |echo ", line)))
        self.ran = []

    def take(self, *containing):
        """The first command with these words that no test has taken yet."""
        for line in self.all:
            if line not in self.ran and all(words in line for words in containing):
                self.ran.append(line)
                return line
        raise AssertionError(f"there is no further command with {containing}")

    @property
    def left(self):
        return [line for line in self.all if line not in self.ran]
