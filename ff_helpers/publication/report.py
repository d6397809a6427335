"""The report of a run: one HTML page that links everything, and one a notebook, without any network.

Built from the files that the run wrote, so it says nothing that they do not say. No script, no font, no
address outside the folder; the same files give the same bytes.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from html import unescape
from pathlib import Path

from ff_helpers.measurement.calibration.cards import read_cards
from ff_helpers.paths import Run
from ff_helpers.publication.disclosure import Disclosure, Unknown, percent, rate_text
from ff_helpers.publication.gallery import write_gallery
from ff_helpers.publication.glossary import write_glossary
from ff_helpers.publication.pages import render

LEADS = (
    ("paper_1_crescendo", "One regrade. The sign of the broad shift depends on the denominator."),
    ("would_have_reported", "What the labels say, and what each grader would have reported."),
    ("paper_2_graders", "Which graders were right how often, and what the gate asks for."),
    ("format_against_content", "Format valid, content right: two different things."),
    ("paper_3_bracket", "The same traces, graded by several: by the choice of grader alone."),
    ("calibration_forest", "Which graders were right how often, and what the gate asks for."),
    (
        "paper_9_corrected",
        "What correction leaves of a raw rate; an open band means that nothing can be said.",
    ),
    ("corrected", "What correction leaves of a raw rate; an open band means that nothing can be said."),
    (
        "paper_10_coverage_wide",
        "How often intervals hold the true rate. The naive one counts traces, not errors.",
    ),
    ("collected_capability", "States the secret where it is forbidden, beside where it is allowed."),
    ("agreement_matrix", "Who agrees with whom. Agreement is no accuracy."),
    ("my_asr", "Attack success rates of this study's traces."),
)
"""The figures that matter, in the order in which a reader needs them; the first five there are lead."""
LATER = ("manifest.json", "run.log", "ro-crate-metadata.json")
"""Files that exist once the run has ended, though not yet while the report is written."""


def write_report(
    folder: Path, profile: str, as_of: date, *, notebooks: Sequence[str], unfinished: Sequence[str] = ()
) -> list[str]:
    """Write index.html and notebooks/*.html of a run and return their names in the folder.

    Args:
        folder: outputs/<profile>/.
        profile: its name.
        as_of: the run's date.
        notebooks: names of the run's notebooks in reading order; those that were not executed are left out.
        unfinished: steps that failed or were skipped; the page says so at its head.
    """
    from ff_helpers.publication.notebook_page import notebook_page, title

    ran = [name for name in notebooks if (folder / "notebooks" / f"{name}.ipynb").is_file()]
    written = []
    for number, name in enumerate(ran):
        neighbours = {
            "before": ran[number - 1] if number else "",
            "after": "".join(ran[number + 1 : number + 2]),
        }
        cells = notebook_page(folder / "notebooks" / f"{name}.ipynb")
        page = render("notebook.html.j2", name=name, profile=profile, cells=cells, **neighbours)
        written.append(f"notebooks/{name}.html")
        _write(folder / written[-1], page)
    claims = _json_list(folder / "claims.json")
    written.append(write_glossary(folder, profile, as_of))
    if (folder / "figures").is_dir():
        written.append(write_gallery(folder, profile, as_of))
    index = render(
        "index.html.j2",
        profile=profile,
        as_of=as_of.isoformat(),
        unfinished=list(unfinished),
        atlas=(folder / "atlas" / "index.html").is_file(),
        cards=read_cards(Run(profile, as_of)) if (folder / "cards").is_dir() else [],
        rate=rate_text,
        percent=percent,
        leads=[(_figure(folder, folder / "figures" / f"{name}.svg"), said) for name, said in _leads(folder)],
        figures=len(list((folder / "figures").glob("*.svg"))),
        evaluators=sorted(p.stem for p in (folder / "evaluators").glob("*.md")),
        student=(folder / "explore.html").is_file(),
        told=sorted(p.name for p in (folder / "narrative").glob("*.html")),
        disclosure=_note(as_of),
        claims=claims,
        claim_counts=Counter(str(claim["status"]) for claim in claims).most_common(),
        narratives=[_prose(path) for path in sorted((folder / "narrative").glob("*.md"))],
        tables=[_table(folder, path) for path in sorted((folder / "tables").glob("*.html"))],
        notebooks=[{"name": n, "title": title(folder / "notebooks" / f"{n}.ipynb")} for n in ran],
        files=_files(folder, written),
    )
    _write(folder / "index.html", index)
    return [*written, "index.html"]


def _leads(folder: Path) -> list[tuple[str, str]]:
    there = [(name, said) for name, said in LEADS if (folder / "figures" / f"{name}.svg").is_file()]
    # One subject once: a forest of the paper and one of the run say the same.
    return list({said: (name, said) for name, said in reversed(there)}.values())[::-1][:5]


def _note(as_of: date) -> str:
    each = "as each table and figure says"
    return Disclosure(Unknown("graders", each), each, each, each, each, as_of).sentence()


def _figure(folder: Path, svg: Path) -> dict[str, object]:
    """Name, files and alternative text of a figure: the description in the SVG, its disclosure."""
    said = re.search(
        r"<desc[^>]*>(.*?)</desc>|aria-label=\"([^\"]*)\"", svg.read_text(encoding="utf-8"), re.DOTALL
    )
    alt = unescape(next((group for group in said.groups() if group), "")) if said else ""
    files = [p.relative_to(folder).as_posix() for p in sorted(svg.parent.glob(f"{svg.stem}.*"))]
    return {
        "name": svg.stem,
        "svg": f"figures/{svg.name}",
        "png": f"figures/{svg.stem}.png",
        "alt": alt or svg.stem,
        "files": files,
        "wide": bool(re.search(r'width="(?:[5-9]\d\d|\d{4})', svg.read_text(encoding="utf-8")[:400])),
    }


def _table(folder: Path, path: Path) -> dict[str, object]:
    from markupsafe import Markup

    files = [p.relative_to(folder).as_posix() for p in sorted(path.parent.glob(f"{path.stem}.*"))]
    # The fragment was written by `save_table`, which escapes what it is given.
    markup = Markup(path.read_text(encoding="utf-8"))
    return {"name": path.stem, "markup": markup, "rows": markup.count("<tr>") - 1, "files": files}


def _prose(path: Path) -> str:
    from ff_helpers.publication.notebook_page import markdown

    # Two levels down: the page has a title and a section heading above it.
    return markdown(re.sub(r"^(#+ )", r"##\1", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def _files(folder: Path, written: Sequence[str]) -> list[str]:
    """Every file of the run that a reader may open, hidden ones left out."""
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    shown = {name for name in there if not any(part.startswith(".") for part in Path(name).parts)}
    return sorted((shown | set(written) | set(LATER)) - {"index.html"})


def _json_list(path: Path) -> list[dict[str, object]]:
    if not path.exists():
        return []
    return [
        {"step": None, "says": None, "published": None, "recomputed": None, "reason": None, **claim}
        for claim in json.loads(path.read_text(encoding="utf-8"))["claims"]
    ]


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
