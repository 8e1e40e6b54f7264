"""What every refusal of a file owes its user: a place, and bounds of time and memory."""
import os
import re

import harness
from harness import MIB

CEILING = 64 * MIB
# A sentence says where: row group, column, page or byte. Without these only what is no such file at
# all, or one that is encrypted as a whole.
PLACE = re.compile(r"(, (row group \d|column .|page \d|byte \d)|: is not a Parquet file|"
                   r": not an Avro file|encrypt)")


def bounded(ran):
    if ran.timed_out:
        raise AssertionError("took too long")
    if ran.peak > CEILING:
        raise AssertionError(f"peak {harness.mib(ran.peak)} of {harness.mib(CEILING)}")


def placed(line, source):
    """The sentence names the file and the place in it."""
    at = line.find(os.path.basename(source))
    if at < 0:
        raise AssertionError(f"the message does not name the file: {line}")
    if not PLACE.search(line[at + len(os.path.basename(source)):]):
        raise AssertionError(f"the message does not say where: {line}")
