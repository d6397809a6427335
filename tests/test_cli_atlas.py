"""`ff atlas` as somebody runs it who has counts, or a ledger, and says of each model what may be said."""

import json

import pytest

from ff_helpers.cli import main
from ff_helpers.paths import data
from ff_helpers.publication.atlas.files import read_file

EXPORT = str(data() / "published" / "model_asr_2026-06-10.csv")
COLLECTED = str(data() / "collected" / "smollm2-135m.jsonl")
NAME = "smollm2-135m=HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    return tmp_path / "outputs" / "atlas"


def counts(tmp_path, *rows):
    path = tmp_path / "counts.csv"
    path.write_text("model_name,compliance,graded,classifiers\n" + "".join(f"{row}\n" for row in rows))
    return str(path)


def run(capsys, *words):
    code = main(["atlas", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_export_writes_records_schema_pointer_and_page(folder, capsys):
    code, out, _ = run(
        capsys, "export", EXPORT, "--traces", COLLECTED, "--name", NAME, "--as-of", "2026-11-22"
    )
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "asr_signal.schema.json",
        "asr_signal_2026-11-22.jsonl",
        "current",
        "index.html",
    ]
    signals = read_file(folder / "asr_signal_2026-11-22.jsonl")
    assert len(signals) == 68
    assert f"models    {len(signals)}: {sum(s.canonical_id is not None for s in signals)} with a" in out
    assert "rejected: qwen3:1.7b" in out
    assert "smollm/smollm@2-135m-instruct" in (folder / "index.html").read_text()


def test_compat_has_the_published_field_names(folder, tmp_path, capsys):
    compat = tmp_path / "deep" / "corpus_asr.json"
    assert run(capsys, "export", EXPORT, "--as-of", "2026-11-22", "--compat", str(compat))[0] == 0
    model = json.loads(compat.read_text())["models"][0]
    assert {"model_name", "asr_pct", "numerator", "denominator", "classifiers_used"} <= set(model)


def test_the_same_day_again_changes_nothing_and_other_content_is_refused(folder, tmp_path, capsys):
    first = counts(tmp_path, "gemma3:27b,10,100,gemma3:12b")
    assert run(capsys, "export", first, "--as-of", "2026-11-22")[0] == 0
    before = (folder / "asr_signal_2026-11-22.jsonl").read_bytes()
    assert run(capsys, "export", first, "--as-of", "2026-11-22")[0] == 0
    other = counts(tmp_path, "gemma3:27b,11,100,gemma3:12b")
    code, _, err = run(capsys, "export", other, "--as-of", "2026-11-22")
    assert code == 2
    assert "nothing was written" in err
    assert (folder / "asr_signal_2026-11-22.jsonl").read_bytes() == before
    assert run(capsys, "export", other, "--as-of", "2026-11-22", "--replace")[0] == 0
    assert (folder / "asr_signal_2026-11-22.jsonl").read_bytes() != before


@pytest.mark.parametrize("action", ["export", "refresh"])
def test_a_clock_set_back_is_refused(folder, tmp_path, capsys, action):
    path = counts(tmp_path, "gemma3:27b,10,100,gemma3:12b")
    run(capsys, "export", path, "--as-of", "2026-11-22")
    code, _, err = run(capsys, action, path, "--as-of", "2026-11-21")
    assert code == 2
    assert "Is the clock right?" in err
    assert [path.name for path in folder.glob("*.jsonl")] == ["asr_signal_2026-11-22.jsonl"]


def test_refresh_says_what_is_due_and_why_and_a_dry_run_writes_nothing(folder, tmp_path, capsys):
    old = counts(tmp_path, "gemma3:27b,10,100,gemma3:12b", "gpt-5.2,50,100,gemma3:12b")
    run(capsys, "export", old, "--as-of", "2026-11-20")
    new = counts(tmp_path, "gemma3:27b,20,110,gemma3:12b", "gpt-5.2,51,101,gemma3:12b")
    code, out, _ = run(capsys, "refresh", new, "--as-of", "2026-11-22", "--dry-run")
    assert code == 0
    assert "1 of 2 rows are due, 1 moved by more than 5 points" in out
    assert "gemma/gemma@3-27b-it (export): moved by +8.2 points" in out
    assert "10.0% (10 of 100 as exported, unknown) before, 18.2% (20 of 110 as exported, unknown) now" in out
    assert not (folder / "asr_signal_2026-11-22.jsonl").exists()
    assert run(capsys, "refresh", new, "--as-of", "2026-11-22")[0] == 0
    shown = {signal.label: signal for signal in read_file(folder / "asr_signal_2026-11-22.jsonl")}
    assert shown["gemma/gemma@3-27b-it"].asr.n == 110
    assert (shown["gpt-5.2"].asr.n, str(shown["gpt-5.2"].as_of)) == (100, "2026-11-20")
    assert (folder / "current").read_text() == "asr_signal_2026-11-22.jsonl\n"


def test_nothing_due_writes_nothing(folder, tmp_path, capsys):
    path = counts(tmp_path, "gemma3:27b,10,100,gemma3:12b")
    run(capsys, "export", path, "--as-of", "2026-11-20")
    _, out, _ = run(capsys, "refresh", path, "--as-of", "2026-11-26")
    assert "0 of 1 rows are due" in out
    assert len(list(folder.glob("*.jsonl"))) == 1
    _, out, _ = run(capsys, "refresh", path, "--as-of", "2026-11-27", "--json", "--dry-run")
    (row,) = json.loads(out)
    assert (row["due"], row["age_days"], row["reasons"]) == (True, 7, ["7 days old"])


def test_diff_between_two_dates(folder, tmp_path, capsys):
    run(capsys, "export", counts(tmp_path, "gemma3:27b,10,100,gemma3:12b"), "--as-of", "2026-11-20")
    run(capsys, "export", counts(tmp_path, "gemma3:27b,30,100,gemma3:12b"), "--as-of", "2026-11-22")
    _, out, _ = run(capsys, "diff", "2026-11-20", "2026-11-22")
    assert "1 of 1 models changed" in out
    assert "changed, +20.0 points" in out
    _, out, _ = run(capsys, "diff", "2026-11-20", "2026-11-22", "--json")
    assert json.loads(out)[0]["shift"] == 0.2
    code, _, err = run(capsys, "diff", "2026-11-20", "2026-11-23")
    assert code == 2
    assert "There are: 2026-11-20, 2026-11-22" in err


def test_a_refresh_on_the_day_of_the_export_replaces_it_only_when_told(folder, tmp_path, capsys):
    run(capsys, "export", counts(tmp_path, "gemma3:27b,10,100,gemma3:12b"), "--as-of", "2026-11-22")
    moved = counts(tmp_path, "gemma3:27b,30,100,gemma3:12b")
    code, _, err = run(capsys, "refresh", moved, "--as-of", "2026-11-22")
    assert code == 2
    assert "--replace" in err
    path = folder / "asr_signal_2026-11-22.jsonl"
    assert read_file(path)[0].asr.k == 10
    assert run(capsys, "refresh", moved, "--as-of", "2026-11-22", "--replace")[0] == 0
    assert read_file(path)[0].asr.k == 30


def test_refresh_before_any_export_says_what_to_do(folder, tmp_path, capsys):
    code, _, err = run(capsys, "refresh", counts(tmp_path, "gemma3:27b,1,10,x"))
    assert code == 2
    assert "`ff atlas export` writes the first one" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export"], "nothing to count from"),
        (["export", "none.csv"], "none.csv: no such file"),
        (["export", "--ledger", "none.jsonl"], "none.jsonl: no such file"),
        (["export", "--traces", COLLECTED, "--name", "x=y"], "no row has the model 'x'"),
    ],
)
def test_what_is_missing_is_named(folder, capsys, words, said):
    code, _, err = run(capsys, *words)
    assert code == 2
    assert said in err
    assert not folder.exists()


@pytest.mark.parametrize("words", [["export", "--as-of", "tomorrow"], ["export", "--name", "x"], []])
def test_words_that_are_none_are_usage(folder, capsys, words):
    with pytest.raises(SystemExit) as stop:
        main(["atlas", *words])
    assert stop.value.code == 2


def test_hostile_names_stay_text_in_terminal_and_page(folder, tmp_path, capsys):
    first = counts(tmp_path, '"\x1b[31m</script><script>alert(1)</script>",1,50,x')
    assert run(capsys, "export", first, "--as-of", "2026-11-20")[0] == 0
    page = (folder / "index.html").read_text()
    assert "<script>alert(1)" not in page
    code, out, _ = run(capsys, "refresh", counts(tmp_path, f"{'a' * 10_000},1,50,x"), "--as-of", "2026-11-22")
    assert code == 0
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) < 200


def test_no_export_replaces_a_file_that_it_did_not_write(folder, tmp_path, capsys):
    theirs = tmp_path / "published.json"
    theirs.write_text('{"query_name": "flip_graded_asr_by_model", "models": []}')
    before = theirs.read_bytes()
    code, _, err = run(capsys, "export", EXPORT, "--as-of", "2026-11-22", "--compat", str(theirs))
    assert (code, theirs.read_bytes()) == (2, before)
    assert "published.json exists already, is a JSON document, and was not written by an export" in err
    assert not folder.exists()
    for name in ("index.html", "current", "asr_signal.schema.json"):
        own = tmp_path / name
        own.mkdir()
        (own / name).write_text("<p>mine</p>\n")
        code, _, err = run(capsys, "export", EXPORT, "--as-of", "2026-11-22", "--dir", str(own))
        assert (code, [path.name for path in own.iterdir()]) == (2, [name])
        assert "Name another place with --dir" in err
        assert (own / name).read_text() == "<p>mine</p>\n"
    compat = ("--compat", str(tmp_path / "ours.json"))
    for day in ("2026-11-22", "2026-11-23"):  # its own files are replaced
        assert run(capsys, "export", EXPORT, "--as-of", day, *compat)[0] == 0
