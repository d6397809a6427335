"""How a step's kernel is started: with the same Python, over sockets that are files.

Two kernels that start at once can pick the same TCP port; files in a private folder cannot collide.
A user's kernelspec named `python3` may point at another environment, so kernelspecs are ignored.
"""

import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default

started: list[int] = []
"""Process ids (and process groups) of the kernels that this process started."""


class PrivateKernelManager(AsyncKernelManager):
    """Starts ipykernel from this environment over ipc and remembers its process."""

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
            argv=[sys.executable, "-m", "ff_helpers.pipeline.reads", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
        )

    async def _async_post_start_kernel(self, **keywords: object) -> None:
        await super()._async_post_start_kernel(**keywords)
        pid = getattr(self.provisioner, "pid", None)
        if pid is not None:
            started.append(pid)
