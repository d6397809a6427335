"""How a step's kernel is started: by `warm`, with the same Python, over sockets that are files.

Two kernels that start at once can pick the same TCP port; files in a private folder cannot collide.
A user's kernelspec named `python3` may point at another environment, so kernelspecs are ignored.
"""

import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default

from ff_helpers.pipeline import reads, warm

_waiting: list[tuple[BaseProcess, "warm.Pipe"]] = []
"""The process that will be the kernel of this one, and our pipe to it."""


def prepare(*ours: "warm.Pipe") -> int:
    """Start the process that waits to be this one's kernel, and return its id, which is also its group's.

    Before this process has a thread, so that it can be a copy of it.

    Args:
        ours: connections that the kernel shall not hold open.
    """
    process, pipe = warm.twin(reads.kernel, *ours)
    _waiting.append((process, pipe))
    return process.pid or 0


def release() -> None:
    """Let the prepared process end, if it did not become a kernel or lives on."""
    for _, pipe in _waiting:
        pipe.close()


class _Process:
    """A process as the client of Jupyter wants one: like `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self._process, self.pid = process, process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class _Provisioner(LocalProvisioner):
    """Makes the prepared process the kernel."""

    async def launch_kernel(self, cmd: list[str], **keywords: object) -> KernelConnectionInfo:
        process, pipe = _waiting[-1]
        pipe.send((cmd, keywords["env"], str(Path.cwd())))
        self.process = _Process(process)  # type: ignore[assignment]
        self.pid = self.pgid = process.pid
        return self.connection_info


class PrivateKernelManager(AsyncKernelManager):
    """Starts this environment's ipykernel over ipc and remembers its process."""

    @default("transport")
    def _default_transport(self) -> str:
        return "ipc"

    # The library's own defaults: a connection file in the shared temporary folder, and sockets named
    # `kernel-ipc` in the working folder, the same for every kernel.
    @default("connection_file")
    def _default_connection_file(self) -> str:
        return str(Path(jupyter_runtime_dir(), "kernel.json"))

    @default("ip")
    def _default_ip(self) -> str:
        return str(Path(jupyter_runtime_dir(), "kernel"))

    @property
    def kernel_spec(self) -> KernelSpec:
        """This Python's ipykernel behind the guard of reads, independent of installed kernelspecs."""
        return KernelSpec(
            argv=[sys.executable, "-f", "{connection_file}"], display_name="Python 3", language="python"
        )

    async def _async_pre_start_kernel(self, **keywords: object) -> tuple[list[str], dict[str, object]]:
        if self.provisioner is None:
            self.provisioner = _Provisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
        return await super()._async_pre_start_kernel(**keywords)  # type: ignore[arg-type]
