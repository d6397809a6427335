"""Profiles and their results: `ff run`, `doctor`, `notebooks`, `claims`, `verify`; `ff init`: a study."""

import argparse
import os
import shlex
import sys
from collections import Counter
from dataclasses import asdict

from ff_helpers import paths
from ff_helpers.cli.text import aligned, print_json, shown
from ff_helpers.errors import FFError
from ff_helpers.pipeline import claims_text as text
from ff_helpers.pipeline import verify
from ff_helpers.pipeline.doctor import examine
from ff_helpers.pipeline.execute import Seconds
from ff_helpers.pipeline.finish import finish, report_line, summary
from ff_helpers.pipeline.profile import Profile, load
from ff_helpers.pipeline.runner import Ended, execute_in_place, run_profile
from ff_helpers.pipeline.studies import begin_study
from ff_helpers.pipeline.workspace import reasons

WHY = 8
"""Reasons that are printed for one step."""


def run_profiles(options: argparse.Namespace) -> int:
    """Run the stale steps of some profiles and print the results."""
    profiles = [load(path) for path in options.profiles]  # all are checked before any runs
    if options.minutes is not None:
        if not any("minutes" in step.parameters for profile in profiles for step in profile.steps):
            raise FFError("--minutes: none of these profiles has a step with a budget (parameter minutes).")
        profiles = [profile.within(options.minutes) for profile in profiles]
    if options.why:
        for profile in profiles:
            print(_why(profile))
        return 0
    results = []
    for path, profile in zip(options.profiles, profiles, strict=True):
        ended = run_profile(profile, force=options.force, jobs=options.jobs)
        finish(profile, ended, path)
        if len(profiles) > 1:  # the next one may take minutes
            print(report_line(profile), flush=True)
        results.append((profile, ended))
    print(summary(results))
    if options.profile_time:
        print(*("\n" + _spent(profile, ended) for profile, ended in results), sep="\n")
    return int(any(e.state in ("failed", "skipped") for _, ended in results for e in ended))


def _why(profile: Profile) -> str:
    """Return the steps of a profile, each with the reasons for which it would run."""
    found = reasons(profile, paths.outputs() / profile.profile)
    width = max(map(len, found))
    lines = []
    for step, said in found.items():
        lines.append(f"{profile.profile:<6} {step:<{width}}  {'stale' if said else 'unchanged'}")
        lines += [f"       {reason}" for reason in said[:WHY]]
        if len(said) > WHY:
            lines.append(f"       and {len(said) - WHY} more")
    return "\n".join(lines)


def _spent(profile: Profile, ended: list[Ended]) -> str:
    """Return where the time of each step went, in seconds, the slowest step first."""
    rows = [(end.step, end.seconds, end.spent) for end in ended if end.seconds is not None and end.spent]
    if not rows:
        return f"{profile.profile}: nothing ran, so no time was spent"
    rows.sort(key=lambda row: -row[1])
    names = list(Seconds.model_fields)
    cells = [
        [step, f"{total:.1f}", *(f"{getattr(spent, n):.1f}" for n in names)] for step, total, spent in rows
    ]
    sums = [f"{sum(getattr(spent, n) for *_, spent in rows):.1f}" for n in names]
    whole = [["all", f"{sum(total for _, total, _ in rows):.1f}", *sums]]
    table = [[profile.profile, "seconds", *names], *cells, *whole]
    return "\n".join(aligned(table, right=range(1, len(names) + 2), indent=""))


def tell_doctor(_: argparse.Namespace) -> int:
    """Print what is installed and reachable, and how to fix the rest."""
    findings = examine()
    for finding in findings:
        mark = "ok" if finding.good else "!!" if finding.needed else "--"
        print(f"{mark} {finding.what:<22} {finding.found}")
        if finding.mend:
            print(f"{'':<26}{finding.mend}")
    return int(any(not finding.good and finding.needed for finding in findings))


def execute_notebooks(options: argparse.Namespace) -> int:
    """Execute the notebooks of a profile in place."""
    return execute_in_place(load(options.profile), jobs=options.jobs)


def tell_claims(options: argparse.Namespace) -> int:
    """Print the claims, and write them as Markdown."""
    from ff_helpers.casestudy.claims import PROFILE

    claims = text.read(PROFILE)
    if options.json:
        print(text.claims_path(PROFILE).read_text(encoding="utf-8").rstrip())
    elif options.id:
        print(_claim(claims, options.id))
    else:
        print(_claims_table(claims))
    if options.artifact:
        text.write_between_marks(options.artifact, text.markdown(claims))
    elif not options.json and not options.id:
        # Next to the run's folder, which contains only what the run wrote.
        path = paths.outputs() / "claims.md"
        written = f"{text.markdown(claims)}\n\n{text.disclosure(PROFILE)}\n"
        path.write_text(written, encoding="utf-8", newline="\n")
        print(f"written: {path}")
    return _compared(claims, options) if options.strict else 0


def _claims_table(claims: list[text.Claim]) -> str:
    """Return the table for a terminal: one line per claim, and under it why, from which step and file."""
    wanted = ("id", "published", "recomputed", "difference", "status")
    columns = [column for column in wanted if claims and column in claims[0]]
    cells = [[_cut(claim.get(c, "")) for c in columns] for claim in claims]
    head, *lines = aligned([columns, *cells], indent="")
    told = [head]
    for line, claim in zip(lines, claims, strict=True):
        told += [line, f"    {claim.get('reason', '')} [{claim.get('step', '')}: {claim.get('file', '')}]"]
    counts = Counter(claim["status"] for claim in claims).most_common()
    said = ", ".join(f"{n} {text.words(status)}" for status, n in counts)
    return "\n".join([*told, "", f"{len(claims)} claims: {said}"])


def _claim(claims: list[text.Claim], name: str) -> str:
    """Return one claim with all its fields."""
    found = next((claim for claim in claims if claim["id"] == name), None)
    if found is None:
        raise FFError(f"no claim {name!r}. There are {', '.join(claim['id'] for claim in claims)}.")
    return "\n".join(f"{key:<11} {value}" for key, value in found.items())


def _compared(claims: list[dict[str, str]], options: argparse.Namespace) -> int:
    """Print what is not as expected, for one claim if only one was requested; stdout is left to JSON."""
    from ff_helpers.casestudy.claims import PROFILE, shipped_claims
    from ff_helpers.publication.claims import claims_sha256, read_claims

    path = shipped_claims()
    expected: dict[str, str | None] = {claim.id: claim.expect for claim in read_claims(path)[1]}
    if options.id:
        expected = {name: status for name, status in expected.items() if name == options.id}
        claims = [claim for claim in claims if claim["id"] == options.id]
    wrong = text.unexpected(claims, expected) + text.outdated(PROFILE, shown(path), claims_sha256(path))
    place = sys.stderr if options.json else sys.stdout
    print("every status is as expected" if not wrong else "not as expected:", file=place)
    for line in wrong:
        print(f"  {line}", file=place)
    return int(bool(wrong))


def _cut(cell: str) -> str:
    return cell if len(cell) <= 44 else cell[:43] + "…"


def verify_run(options: argparse.Namespace) -> int:
    """Print where a run's folder differs from its crate, another build or reference sums."""
    result = verify.verify(options.folder)
    parts: dict[str, list[verify.Difference]] = {f"its crate: {_counted(result)}": list(result.differences)}
    if options.against:
        parts[f"{options.against}"] = verify.compare_folders(options.folder, options.against)
    if options.sums:
        made, found = verify.compare_sums(options.folder, options.sums)
        here = "" if made == verify.made_with() else f"; this is {verify.made_with()}, where bytes can differ"
        parts[f"{options.sums}, made with {made}{here}"] = found
    if options.write_sums and not result.differences:
        verify.write_sums(options.folder, options.write_sums)
    if options.json:
        print_json({name: [asdict(d) for d in found] for name, found in parts.items()})
    else:
        for name, found in parts.items():
            print(f"{options.folder} against {name}: {len(found)} differences")
            for difference in found:
                print(f"  {difference.name}: {difference.what}: {difference.reason}")
    if options.write_sums and result.differences:
        print(f"ff: {options.write_sums} was not written: the run is not as its crate says.", file=sys.stderr)
    return int(any(parts.values()))


def _counted(result: verify.Verified) -> str:
    return f"{result.bound} files by hash, {result.pictures} PDFs by name, {result.inputs} inputs"


def init(options: argparse.Namespace) -> int:
    """Make a study, and print what to do next."""
    folder = options.folder
    begin_study(folder)
    # A name that starts with a dash would be an option of cd.
    entered = shlex.quote(f"./{folder}" if str(folder).startswith("-") else str(folder))
    print(f"{folder}: README.md there says what to edit: data/traces.jsonl and params/study.yaml")
    print(f"Next:  cd {entered} && ff run params/study.yaml")
    print("Table: outputs/study/tables/my_asr (.csv, .tex, .html), in that folder")
    for name in ("FF_ROOT", "FF_OUTPUTS"):
        if os.environ.get(name):
            print(f"Note:  {name} is set to {os.environ[name]}: unset it, or ff works there instead of here")
    return 0
