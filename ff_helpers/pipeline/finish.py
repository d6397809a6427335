"""What a run writes at its end: the report, the manifest, and a summary in plain text."""

import hashlib
import json
from pathlib import Path

from pydantic import JsonValue

from ff_helpers import paths
from ff_helpers.pipeline import freshness
from ff_helpers.pipeline.claims_text import claim_counts, words
from ff_helpers.pipeline.crate import write_crate
from ff_helpers.pipeline.freshness import Stamp
from ff_helpers.pipeline.profile import Profile
from ff_helpers.pipeline.runner import Ended
from ff_helpers.pipeline.workspace import write_json

BAD = ("failed", "skipped")
"""States of a step that did not finish."""
REPORT_STAMP = ".steps/index.html.json"


def finish(profile: Profile, ended: list[Ended], source: Path) -> None:
    """Rebuild report, manifest and crate if a step's stamp or the profile's file, `source`, changed."""
    folder = paths.outputs() / profile.profile
    unfinished = [end.step for end in ended if end.state in BAD]
    stamps = {end.step: freshness.read_stamp(folder / ".steps" / f"{end.step}.json") for end in ended}
    state = [[n, s.model_dump() if s else None] for n, s in stamps.items()]
    parts = [state, unfinished, freshness.package_sha256(), freshness.sha256(source)]
    basis = json.dumps(parts, sort_keys=True)
    key = hashlib.sha256(basis.encode()).hexdigest()
    earlier = freshness.read_stamp(folder / REPORT_STAMP)
    if earlier and earlier.key == key and freshness.intact(earlier, folder):
        return
    from ff_helpers.casestudy.pages import LAYOUT
    from ff_helpers.publication.report import write_report

    order = [step.notebook for step in profile.steps]
    pages = write_report(
        folder, profile.profile, profile.as_of, notebooks=order, unfinished=unfinished, layout=LAYOUT
    )
    written = {name: freshness.sha256(folder / name) for name in pages}
    files = {n: digest for s in stamps.values() if s for n, digest in s.outputs.items()} | written
    manifest: JsonValue = {
        "profile": profile.profile,
        "as_of": profile.as_of.isoformat(),
        "versions": dict(freshness.versions()),
        "unfinished": list(unfinished),
        # A PDF writer may embed anything; a PDF is compared as a picture, not by its bytes.
        "files": {name: files[name] for name in sorted(files) if not name.endswith(".pdf")},
    }
    write_json(folder / "manifest.json", manifest)
    written["manifest.json"] = freshness.sha256(folder / "manifest.json")
    listed = files | {"manifest.json": written["manifest.json"]}
    written |= write_crate(profile, source, folder, listed, unfinished=unfinished)
    write_json(folder / REPORT_STAMP, Stamp(key=key, outputs=written).model_dump())


def report_line(profile: Profile) -> str:
    """Return where the report of a profile is."""
    return _row("report", str(paths.outputs() / profile.profile / "index.html"))


def summary(results: list[tuple[Profile, list[Ended]]]) -> str:
    """Return what a user wants to know at the end: report, graders, claims, times."""
    from ff_helpers.publication.graders import gate_lines

    lines = [""]
    for profile, _ in results:
        lines.append(report_line(profile))
    for profile, _ in results:
        for line in gate_lines(paths.Run(profile.profile, profile.as_of)):
            lines.append(_row("grader", f"{profile.profile}: {line}"))
    for profile, _ in results:
        left = freshness.rows_left(paths.outputs() / profile.profile)
        if left:
            reached, rows = left
            said = f"{profile.profile}: {reached} of {rows} rows in its minutes; the same command goes on"
            lines.append(_row("graded", f"{said}, --minutes 0 to the end"))
    for profile, _ in results:
        counts = claim_counts(profile.profile)
        if not counts:
            continue
        others = ", ".join(f"{n} {words(status)}" for status, n in counts.items() if status != "reproduced")
        said = f"{counts['reproduced']} of {counts.total()} published figures reproduced"
        lines.append(_row("claims", said + (f"; {others}" if others else "") + " (ff claims shows each)"))
    lines.append(_row("time", _install_times()))
    for profile, ended in results:
        ran = [f"{end.step} {end.seconds:.1f} s" for end in ended if end.seconds is not None]
        still = len(ended) - len(ran)
        if still:
            ran.append(f"{still} steps unchanged or not run" if ran else "nothing to do: all steps unchanged")
        lines.append(_row("", f"{profile.profile}: {', '.join(ran)}"))
    unfinished = [f"{p.profile}/{e.step} {e.state}" for p, ended in results for e in ended if e.state in BAD]
    if unfinished:
        lines.append(_row("not done", ", ".join(unfinished)))
    return "\n".join(lines)


def _install_times() -> str:
    """Return the times of the last installation that had something to do."""
    path = paths.root() / ".venv" / "ff-install-times.json"
    if not path.exists():
        return "install: not measured"
    steps = json.loads(path.read_text(encoding="utf-8"))
    each = ", ".join(f"{name} {seconds} s" for name, seconds in steps.items())
    return f"install {sum(steps.values()):.0f} s when it last had something to do: {each}"


def _row(label: str, text: str) -> str:
    return f"{label:<9} {text}"
