"""Compile paper/*.tex on the outputs of a run and check the result as a typesetter would.

`tools/paper_pdf.py [RUN_FOLDER] [--into FOLDER]`: exit code 1 if a box is overfull, a reference or file is
missing, or a font is not embedded or is a Type 3. Needs latexmk and pdflatex with acmart.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("main", "supplement")
_NEEDED = (
    "paper-pdf: {missing} is not installed. On Debian and Ubuntu: apt-get install --no-install-recommends "
    "texlive-publishers texlive-latex-extra texlive-plain-generic texlive-fonts-recommended latexmk"
)
_WRONG = re.compile(
    r"^(Overfull \\[hv]box .*|LaTeX Warning: (?:Reference|Citation|Float too large).*|! .*|"
    r"LaTeX Warning: There were undefined.*|.*File `[^']+' not found.*)$",
    re.MULTILINE,
)


def main(arguments: list[str] | None = None) -> int:
    """Compile both documents; print where they are and their problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "run", nargs="?", type=Path, default=ROOT / "outputs" / "paper", help="a run's folder"
    )
    parser.add_argument("--into", type=Path, default=ROOT / "paper" / "build", help="where the PDFs go")
    options = parser.parse_args(arguments)
    missing = [name for name in ("latexmk", "pdflatex") if shutil.which(name) is None]
    if missing:
        print(_NEEDED.format(missing=" and ".join(missing)), file=sys.stderr)
        return 2
    if not (options.run / "tex" / "numbers.tex").is_file():
        print(f"paper-pdf: {options.run} has no tex/numbers.tex. Run `make paper` first.", file=sys.stderr)
        return 2
    wrong = 0
    for name in DOCUMENTS:
        problems = list(compile_document(name, options.run.resolve(), options.into.resolve()))
        print(f"{options.into / name}.pdf: {'fine' if not problems else f'{len(problems)} problems'}")
        for problem in problems:
            print(f"  {problem}")
        wrong += len(problems)
    return int(wrong > 0)


def compile_document(name: str, run: Path, into: Path) -> Iterator[str]:
    """Compile paper/<name>.tex on the files of a run and yield its problems, one line each."""
    into.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["latexmk", "-pdf", "-g", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error",
         f"-usepretex=\\def\\ffrun{{{run.as_posix()}}}", f"-outdir={into}", f"{name}.tex"],
        cwd=ROOT / "paper", env=os.environ | {"max_print_line": "1000"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    log = into / f"{name}.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else done.stdout
    yield from dict.fromkeys(found[0].strip() for found in _WRONG.finditer(text))
    if done.returncode != 0:
        yield f"latexmk ended with code {done.returncode}; details are in {log}"
        yield from re.findall(r"^.*?:\d+: .*$", text, re.MULTILINE)[:5]
        return
    yield from fonts(into / f"{name}.pdf")


def fonts(pdf: Path) -> Iterator[str]:
    """Yield each font of a PDF that is a Type 3 or not embedded."""
    from pypdf import PdfReader
    from pypdf.generic import DictionaryObject

    seen: set[str] = set()

    def look(resources: DictionaryObject) -> Iterator[str]:
        for font in (
            f.get_object() for f in resources.get("/Font", DictionaryObject()).get_object().values()
        ):
            base, kind = str(font.get("/BaseFont", "unnamed")), str(font["/Subtype"])
            if base + kind in seen:
                continue
            seen.add(base + kind)
            inner = font["/DescendantFonts"][0].get_object() if kind == "/Type0" else font
            file = inner.get("/FontDescriptor", DictionaryObject()).get_object()
            if kind == "/Type3":
                yield f"font {base} is a Type 3"
            elif not {"/FontFile", "/FontFile2", "/FontFile3"} & set(file):
                yield f"font {base} is not embedded"
        for form in resources.get("/XObject", DictionaryObject()).get_object().values():
            inside = form.get_object().get("/Resources")
            if inside is not None:
                yield from look(inside.get_object())

    for page in PdfReader(pdf).pages:
        yield from look(page["/Resources"].get_object())


if __name__ == "__main__":
    raise SystemExit(main())
