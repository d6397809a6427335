"""The report of a run: one HTML page that links everything, and one per notebook, which need no network.

Built from the files that the run wrote, so it adds nothing to them. No scripts, fonts or
addresses outside the folder; the same files give the same bytes. Notebooks are drawn here rather than by
nbconvert's page templates, which load scripts and fonts from the network.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from markupsafe import Markup

from ff_helpers.measurement.proportions.intervals import percent, rate_text
from ff_helpers.measurement.standing import run_cards
from ff_helpers.paths import Run
from ff_helpers.publication import shelf
from ff_helpers.publication.disclosure import NO_TIER, Disclosure
from ff_helpers.publication.figures.theme import SCREEN_SCALE
from ff_helpers.publication.glossary import term_link, write_glossary
from ff_helpers.publication.metadata import read_about
from ff_helpers.publication.narrative.saved import body
from ff_helpers.publication.pages import read_words, render, write_page

LATER = ("manifest.json", "ro-crate-metadata.json", "run.log")
"""Files that exist once the run has ended, though not yet while the report is written."""
DEMANDS: Final = ("contradicted", "impossible", "not_supported")
"""States of a claim that cannot be left as published: such rows are never folded away."""
CLAIM_STATUSES: Final = (*DEMANDS, "not_determinable", "consistent", "reproduced")
"""State of a claim, what a reader must see first."""
PAGES: Final = read_words("report/pages", tuple[tuple[str, str, str], ...])
"""Pages next to the report: address, name, content; those that the run did not write are left out."""
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FORMS: Final = {".html": "page", ".md": "Markdown", ".tex": "TeX"}


def write_report(
    folder: Path,
    profile: str,
    as_of: date,
    *,
    notebooks: Sequence[str],
    unfinished: Sequence[str] = (),
    layout: shelf.Layout = shelf.LAYOUT,
) -> list[str]:
    """Write index.html, the pages next to it and notebooks/*.html of a run; return their names in the folder.

    Args:
        folder: outputs/<profile>/.
        profile: its name.
        as_of: the run's date.
        notebooks: names of the run's notebooks in reading order; those that were not executed are left out.
        unfinished: steps that failed or were skipped; the page says so at the top.
        layout: which figures come first, and how tables are grouped.
    """
    ran = [name for name in notebooks if (folder / "notebooks" / f"{name}.ipynb").is_file()]
    written = _notebooks(folder, profile, as_of, ran)
    written += [_gallery(folder, profile, as_of), write_glossary(folder, profile, as_of)]
    _index(folder, profile, as_of, ran, unfinished=unfinished, layout=layout)
    return [*written, "index.html"]


def _notebooks(folder: Path, profile: str, as_of: date, ran: list[str]) -> list[str]:
    """Write the page of each notebook and return their names."""
    written = []
    for number, name in enumerate(ran):
        executed = (folder / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        text = render(
            "notebook.html.j2",
            name=name,
            profile=profile,
            as_of=as_of.isoformat(),
            cells=json.loads(executed)["cells"],
            markdown=_markdown,
            shown=_shown,
            before=ran[number - 1] if number else "",
            after="".join(ran[number + 1 : number + 2]),
        )
        written.append(f"notebooks/{name}.html")
        write_page(folder / written[-1], text)
    return written


def _gallery(folder: Path, profile: str, as_of: date) -> str:
    """Write gallery.html into a run's folder and return its name."""
    note = Disclosure((), NO_TIER, "as each figure says", "in each figure", "as each figure says", as_of)
    page = render(
        "gallery.html.j2", profile=profile, entries=_figure_entries(folder), disclosure=note.sentence()
    )
    write_page(folder / "gallery.html", page)
    return "gallery.html"


def _figure_entries(folder: Path) -> list[dict[str, object]]:
    """Return every figure of a run, those for the paper first: name, files, and its own description."""
    found = []
    for svg in sorted((folder / "figures").glob("*.svg"), key=_order):
        files = [path for path in sorted(svg.parent.glob(f"{svg.stem}.*")) if path.suffix != ".json"]
        about = {"stem": svg.stem, "files": [path.relative_to(folder).as_posix() for path in files]}
        found.append(about | read_about(svg).model_dump())
    return found


def _order(svg: Path) -> tuple[bool, int, str]:
    number = re.match(r"paper_(\d+)", svg.stem)
    return number is None, int(number[1]) if number else 0, svg.stem


def _index(
    folder: Path,
    profile: str,
    as_of: date,
    ran: list[str],
    *,
    unfinished: Sequence[str],
    layout: shelf.Layout,
) -> None:
    claims, claims_note = _claims(folder)
    there = {str(claim["status"]) for claim in claims}
    by_status = {s: [c for c in claims if c["status"] == s] for s in CLAIM_STATUSES if s in there}
    index = render(
        "index.html.j2",
        profile=profile,
        as_of=as_of.isoformat(),
        unfinished=list(unfinished),
        ways=[way for way in PAGES if (folder / way[0]).is_file()],
        figures=shelf.front_figures(folder, layout),
        drawn=sum(not svg.stem.endswith("_wide") for svg in (folder / "figures").glob("*.svg")),
        claims=claims,
        by_status=by_status,
        demands=DEMANDS,
        claims_note=claims_note,
        beginning=shelf.beginning,
        cards=run_cards(Run(profile, as_of)),
        evaluators=_evaluators(folder),
        rate=rate_text,
        percent=percent,
        term=term_link,
        notebooks=[{"name": n, "title": _title(folder / "notebooks" / f"{n}.ipynb")} for n in ran],
        narratives=[_narrative(path) for path in sorted((folder / "narrative").glob("*.md"))],
        tables=shelf.tables(folder, layout),
        kinds=shelf.kinds(folder, [*LATER, f"workflow/{profile}.yaml"]),
    )
    write_page(folder / "index.html", index)


def _title(path: Path) -> str:
    """Return a notebook's first heading, without its markup."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        heading = re.search(r"^#\s+(.+)$", "".join(cell["source"]), re.MULTILINE)
        if cell["cell_type"] == "markdown" and heading:
            return heading[1].strip().replace("`", "")
    return path.stem


def _claims(folder: Path) -> tuple[list[dict[str, object]], str]:
    """The claims with the files they were read from, and the disclosure of the table."""
    path = folder / "claims.json"
    if not path.exists():
        return [], ""
    content = json.loads(path.read_text(encoding="utf-8"))
    for claim in content["claims"]:
        claim["read"] = [(name, (folder / name).is_file()) for name in claim["file"].split(", ")]
    return content["claims"], content["disclosure"]


def _evaluators(folder: Path) -> list[dict[str, object]]:
    """The card of each grader as a whole, and its forms."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted((folder / "evaluators").glob("*.*")):
        found.setdefault(shelf.stem(path), []).append((shelf.label(path), f"evaluators/{path.name}"))
    return [{"name": name, "files": files} for name, files in found.items()]


def _narrative(path: Path) -> dict[str, object]:
    """How a narrative begins (down to its first section), and the rest; both two heading levels down."""
    text = re.sub(r"^(#+ )", r"##\1", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = re.split(r"^(?=#### )", text, maxsplit=1, flags=re.MULTILINE)
    forms = [form for form in sorted(path.parent.glob(f"{path.stem}.*")) if form.suffix in _FORMS]
    # If it has its own page, the rest would appear twice.
    rest = "" if path.with_suffix(".html").is_file() else "".join(parts[1:])
    return {
        "begins": body(parts[0]),
        "rest": body(rest) if rest else "",
        "files": [(_FORMS[form.suffix], f"narrative/{form.name}") for form in forms],
        "page": f"narrative/{path.stem}.html" if not rest and parts[1:] else "",
    }


def _markdown(text: str) -> Markup:
    """Return Markdown as HTML."""
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    return Markup(markdown2html_mistune(text))


def _shown(output: dict[str, object]) -> Markup | None:
    """Return an output of a cell as HTML, in the best of its forms; None where no form can be shown."""
    if output["output_type"] == "stream":
        return _pre(_joined(output["text"]))
    if output["output_type"] == "error":
        return _pre(_joined(output["traceback"], "\n"))
    data = output.get("data")
    best = next((mime for mime in _SHOWN if isinstance(data, dict) and mime in data), None)
    return _SHOWN[best](_joined(data[best])) if best and isinstance(data, dict) else None


def _joined(text: object, between: str = "") -> str:
    return between.join(map(str, text)) if isinstance(text, list) else str(text)


def _pre(text: str) -> Markup:
    return Markup(f"<pre>{html.escape(_ANSI.sub('', text))}</pre>")


def _png(text: str) -> Markup:
    encoded = text.replace("\n", "")
    # The width in pixels is in the PNG's header.
    width = round(int.from_bytes(base64.b64decode(encoded[:32])[16:20], "big") / SCREEN_SCALE)
    return Markup('<img alt="figure" width="{}" src="data:image/png;base64,{}">').format(width, encoded)


# Best first: PNG before SVG, because a browser without the SVG's fonts would cut its labels off. What our
# own helpers emit as HTML and SVG is escaped where it is made.
_SHOWN: dict[str, Callable[[str], Markup]] = {
    "text/html": Markup,
    "image/png": _png,
    "image/svg+xml": Markup,
    "text/markdown": _markdown,
    "text/plain": _pre,
}
