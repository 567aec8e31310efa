"""A power failure, played again from recorded writes: what was synced stays, of the rest anything."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest

from cop.db.engine import sqlite_module
from tests.databases import IS_REQUIRED

CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,close"
CALL = re.compile(r"(\w+)\((.*)\) += (\d+)$")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
LAST_NUMBER = re.compile(r", (\d+)$")
LONGEST = 10**7  # bytes of one write
SECTOR = 512  # bytes, which a disk writes whole or not at all
STANDARD_OUTPUT = "1"
COMPLETE = """
SELECT to_address FROM outbox_email JOIN registration ON registration.member_id = outbox_email.member_id
WHERE kind = 'confirmation' GROUP BY to_address HAVING count(DISTINCT registration.meeting_id) = ?"""


@dataclass(frozen=True)
class Call:
    """What a process did: a call on one of the database's files, or a word to the world."""

    name: str
    file: str = ""
    text: bytes = b""
    number: int = 0  # the last argument: where to write, or how long to be


def recorded(folder, file, *arguments):
    """All that a process does to a database while it registers people, in order."""
    strace = shutil.which("strace")
    if strace is None:
        stop = pytest.fail if IS_REQUIRED else pytest.skip
        stop('There is no strace. Install it with "apt-get install strace".')
    trace = folder / "trace"
    command = [strace, "-xx", "-s", str(LONGEST), "-e", f"trace={CALLS}", "-o", trace]
    command += [sys.executable, "-m", "tests.processes.recorded", f"sqlite:///{file}", *arguments]
    subprocess.run(command, check=True, capture_output=True)
    with trace.open() as lines:
        return list(_calls(lines, {str(file): file.name, f"{file}-wal": f"{file.name}-wal"}))


def _calls(lines, ours):
    open_ = {STANDARD_OUTPUT: "said"}
    for line in lines:
        if not (call := CALL.match(line)):
            continue  # refused by the system, or the end
        name, arguments, result = call.groups()
        text = b"".join(
            bytes.fromhex(each.replace("\\x", "")) for each in STRING.findall(arguments)
        )
        descriptor = arguments.partition(",")[0]
        if name == "openat":
            open_[result] = ours.get(text.decode())
        elif name == "close":
            open_.pop(descriptor, None)
        elif file := open_.get(descriptor):
            number = LAST_NUMBER.search(arguments)
            yield Call(name, file, text, int(number[1]) if number else 0)


class Disk:
    """Some files on a disk that keeps what it was told to sync, and of all later calls any."""

    def __init__(self, **files):
        self.kept = {name: bytearray(content) for name, content in files.items()}
        self.open = defaultdict(list)

    def do(self, call):
        """Take a call from the process."""
        if call.name in {"fsync", "fdatasync"}:
            for each in self.open.pop(call.file, []):
                _apply(self.kept.setdefault(call.file, bytearray()), each)
        else:
            assert call.name in {"pwrite64", "ftruncate"}, f"not known here: {call.name}"
            self.open[call.file].append(call)

    def after_a_failure(self, chance):
        """The files as the next start finds them: some calls done, some not, some writes torn."""
        files = {name: bytearray(content) for name, content in self.kept.items()}
        for name, calls in self.open.items():
            content = files.setdefault(name, bytearray())
            for call in calls:
                share = chance.choice([0, 0.5, 1])  # of its sectors
                _apply(content, call, lambda share=share: chance.random() < share)
        return files


def _apply(content, call, is_done=lambda: True):
    """Do a call, or of its sectors those that are done."""
    if call.name == "ftruncate":
        if is_done():
            del content[call.number :]
        return
    for start in range(0, len(call.text), SECTOR):
        if is_done():
            sector, at = call.text[start : start + SECTOR], call.number + start
            content.extend(bytes(max(0, at - len(content))))
            content[at : at + len(sector)] = sector


def complete(folder, files, name, meetings):
    """Who has a place at all meetings, and a confirmation; None where the database is damaged."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for each, content in files.items():
        (folder / each).write_bytes(content)
    with (
        closing(sqlite_module.connect(folder / name)) as connection,
        suppress(sqlite_module.DatabaseError),
    ):
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return None
        return {email for (email,) in connection.execute(COMPLETE, (meetings,))}
    return None
