"""Build a profile twice in fresh folders, under different conditions, and compare every file.

`tools/verify.py [params/paper.yaml] [--sums FILE] [--keep FOLDER]`: hash seed, time zone, locale and
number of processes differ between the two builds. Exit code 1 if any file differs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ff_helpers.pipeline.profile import load
from ff_helpers.pipeline.verify import NOT_COMPARED

ROOT = Path(__file__).resolve().parent.parent
CONDITIONS = (
    ({"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}, "1"),
    ({"PYTHONHASHSEED": "4242", "TZ": "America/Anchorage", "LC_ALL": "POSIX", "LANG": "POSIX"}, "2"),
)
FF = (sys.executable, "-m", "ff_helpers.cli")


def main(arguments: list[str] | None = None) -> int:
    """Build twice, compare, print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", nargs="?", type=Path, default=ROOT / "params" / "paper.yaml")
    parser.add_argument("--sums", type=Path, help="also compare with this checksum file")
    parser.add_argument("--keep", type=Path, help="keep the two builds in this folder")
    options = parser.parse_args(arguments)
    name = load(options.profile).profile
    with tempfile.TemporaryDirectory(prefix="ff-verify-") as temporary:
        base = options.keep or Path(temporary)
        for number, (environment, jobs) in enumerate(CONDITIONS, start=1):
            said = ", ".join(f"{key} {value}" for key, value in environment.items() if key != "LANG")
            print(f"build {number} of 2: {said}, {jobs} at once", flush=True)
            begun = time.monotonic()
            done = subprocess.run(
                [*FF, "run", str(options.profile), "--force", "--jobs", jobs],
                cwd=ROOT, env=os.environ | environment | {"FF_OUTPUTS": str(base / str(number))},
                capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
            if done.returncode != 0:
                print(done.stdout + done.stderr)
                return 1
            print(f"  done in {time.monotonic() - begun:.0f} s", flush=True)
        first, second = base / "1" / name, base / "2" / name
        files = [path for path in first.rglob("*") if path.is_file()]
        print(f"{len(files)} files; not compared: {', '.join(f'{n} ({w})' for n, w in NOT_COMPARED.items())}")
        sums = ["--sums", str(options.sums)] if options.sums else []
        return subprocess.run(
            [*FF, "verify", str(first), "--against", str(second), *sums], cwd=ROOT, check=False
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
