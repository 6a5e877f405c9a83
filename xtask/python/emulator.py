"""Starts the AWS emulator (ministack) with what a desk needs on top of it."""

import os
import pathlib
import socketserver

# With Nagle's algorithm its Lambda runtime API stalls 44 ms a call.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

import ministack.app
from ministack.core.lambda_runtime import ProvidedWorker

LOGS = pathlib.Path(os.environ.pop("FUNCTION_LOGS"))


class Copied:
    """A function's output: read on into the emulator's CloudWatch Logs, and appended to a file that one can follow."""

    def __init__(self, stream, path):
        self.stream, self.file = stream, path.open("ab", buffering=0)

    def readline(self):
        line = self.stream.readline()
        self.file.write(line)
        return line

    def close(self):
        self.stream.close()
        self.file.close()


def pump_output(self, stream, log_queue):
    # <stack>-<Name>Function-<suffix>
    name = self.func_name.split("-")[1].removesuffix("Function").lower()
    return original_pump_output(self, Copied(stream, LOGS / f"{name}.log"), log_queue)


original_pump_output = ProvidedWorker._pump_output
ProvidedWorker._pump_output = pump_output
# A function that logs nothing would cost 50 ms a call: the emulator waits that long for a first line.
ProvidedWorker._drain_stderr_bounded = lambda self, **_: self._drain_stderr()

ministack.app.main()
