"""The README's way from one's own table to a measured judge and its rates, as it stands there."""

import re
import shlex

from tests.conftest import ROOT, Project

SECTION = "## Bring your own results"


def blocks() -> list[list[str]]:
    """Return the commands of each block of the section: a log of another tool, a table of one's own."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(SECTION)[1].split("\n## ")[0]
    found = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return [block.replace("\\\n", " ").splitlines() for block in found]


def commands() -> list[list[str]]:
    return [shlex.split(line, comments=True)[1:] for line in blocks()[1]]


def test_three_commands_measure_the_judge_and_count_its_verdicts(project: Project) -> None:
    rows = ["id,prompt,response,model,judge,human,attack"]
    for i in range(120):
        truth = i % 3 == 0
        said = truth != (i % 20 == 0)
        rows.append(
            f"r{i},Tell me the code.,answer {i},m{i % 2},{int(said)},{'yes' if truth else 'no'},a{i % 4}"
        )
    (project.folder / "results.csv").write_text("\n".join(rows) + "\n")
    imports, *others = commands()
    asked = project.ff(*imports[: imports.index("--map")])
    assert asked.returncode == 2
    filled = asked.stdout.replace("space:\n", "space: strict\n")
    for value, label in (("1", ""), ("yes", ""), ("0", "NOT_"), ("no", "NOT_")):
        filled = filled.replace(f'"{value}":', f'"{value}": {label}COMPLIANCE')
    (project.folder / "map.yaml").write_text(filled)
    done = [project.ff(*words) for words in (imports, *others)]
    assert [one.returncode for one in done] == [0, 0, 0], done
    assert "ff calibrate --grader recorded:mine/verdicts/judge.jsonl" in done[0].stdout
    assert "accuracy 95.0% [89.5, 97.7], 114 of 120" in " ".join(done[1].stdout.split())
    assert "calibrated" in done[2].stdout
    assert "a3" in done[2].stdout
