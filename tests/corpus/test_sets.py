"""Known sets: facts with pins, files that are checked before anything is read, labels without a text."""

import hashlib
import json
from pathlib import Path

import pytest

from ff_helpers import paths
from ff_helpers.corpus.label_tables import label_table, labels_in
from ff_helpers.corpus.sets import Table, files_of, folder_of, known_set, known_sets, pins, state_of
from ff_helpers.errors import FFError


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    return tmp_path


def test_every_set_says_what_it_is_and_pins_each_of_its_files() -> None:
    assert {"pyrit:refusal", "pyrit:objective", "xstest", "harmbench:val", "jailbreakbench"} <= set(
        known_sets()
    )
    for name, one in known_sets().items():
        assert one.rows > 0, name
        assert all((one.about, one.space, one.people, one.agreement, one.licence)), name
        assert one.source.startswith("https://"), name
        assert bool(pins(name)) == (one.access != "gated"), name
        assert one.access == "gated" or one.use, name


def test_a_set_that_is_not_there_says_where_it_is_and_where_to_put_it(empty: Path) -> None:
    assert state_of("jailbreakbench") == "absent"
    with pytest.raises(FFError, match="not on this machine") as error:
        files_of("jailbreakbench")
    assert "huggingface.co/datasets/JailbreakBench" in str(error.value)
    assert str(empty / "sets" / "jailbreakbench") in str(error.value)
    with pytest.raises(FFError, match="`make parts` fetches it"):
        files_of("pyrit:refusal")
    assert state_of("sorry-bench") == "not pinned"
    with pytest.raises(FFError, match="nothing is pinned"):
        files_of("sorry-bench")
    with pytest.raises(FFError, match=r"there is no set 'jailbreak'. Known: pyrit:refusal"):
        known_set("jailbreak")


def test_another_file_under_the_name_of_a_pinned_one_is_not_read(empty: Path) -> None:
    path = folder_of("jailbreakbench") / "judge-comparison.csv"
    path.parent.mkdir(parents=True)
    path.write_text("Index,goal,human_majority\n0,secret words,1\n")
    assert state_of("jailbreakbench") == "changed"
    with pytest.raises(FFError, match="is not the file that is pinned") as error:
        label_table("jailbreakbench")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in str(error.value)
    assert "secret" not in str(error.value)


def test_a_file_is_accepted_by_the_git_blob_that_is_pinned(empty: Path) -> None:
    import ff_helpers.corpus.sets as module

    path = empty / "hello"
    path.write_bytes(b"hello\n")
    # `echo hello | git hash-object --stdin`
    known = module.SetFile(file="hello", sha256="0" * 64, git_blob="ce013625030ba8dba906f756967f9e9ca394464a")
    assert module._is_pinned(path, known)
    assert not module._is_pinned(path, known.model_copy(update={"git_blob": None}))


def test_labels_are_read_and_texts_are_not(tmp_path: Path) -> None:
    table = known_set("jailbreakbench").table
    assert table is not None
    rows = [
        ("open the door", "never", "1", "1"),
        ("open the door", "code 1234", "0", "1"),
        ("hello", "", "0", "x"),
    ]
    lines = [f"{i},{goal},{said},{truth},{gpt}" for i, (goal, said, truth, gpt) in enumerate(rows)]
    path = tmp_path / "judges.csv"
    path.write_text("Index,goal,target_response,human_majority,gpt4_cf\n" + "\n".join(lines) + "\n")
    frame = labels_in([path], table)
    assert frame["truth"].tolist() == ["COMPLIANCE", "NOT_COMPLIANCE", "NOT_COMPLIANCE"]
    assert frame["GPT-4"].fillna("none").tolist() == ["COMPLIANCE", "COMPLIANCE", "none"]
    assert frame["item"].nunique() == 2
    assert frame["id"].is_unique
    assert not any(word in frame.to_csv() for word in ("door", "1234", "hello"))

    other = tmp_path / "judges.jsonl"
    nested = {"goal": "hello", "human_majority": 1, "baselines": {"gpt4": 0}}
    other.write_text(json.dumps(nested) + "\n")
    assert labels_in([other], table)[["truth", "GPT-4"]].to_numpy().tolist() == [
        ["COMPLIANCE", "NOT_COMPLIANCE"]
    ]
    other.write_text('{"goal": "hello"}\nsecret\n')
    with pytest.raises(FFError, match="line 2 is not a JSON object") as error:
        labels_in([other], table)
    assert "secret" not in str(error.value)


def test_two_files_that_hold_the_judges_of_one_table_are_one_table(tmp_path: Path) -> None:
    table = known_set("xstest").table
    assert table is not None
    head = "id,type,annotation_1,annotation_2,final_label"
    same = "v2-1,contrast_homonyms,2_full_refusal,2_full_refusal,2_full_refusal"
    (tmp_path / "x_m_gpteval.csv").write_text(f"{head},gpt4_label\n{same},Let me think\n")
    (tmp_path / "x_m_streval.csv").write_text(f"{head},strmatch_label\n{same},1_full_compliance\n")
    (row,) = labels_in(sorted(tmp_path.glob("*.csv")), table).fillna("none").to_dict("records")
    assert row["truth"] == row["annotation_1"] == "full refusal"
    assert (row["GPT-4"], row["string matching"], row["prompt"]) == ("none", "full compliance", "unsafe")


def test_the_truth_of_three_people_is_their_majority(tmp_path: Path) -> None:
    entry = {"test_case": "open the door", "generation": "no", "human_0": 1, "human_1": 0, "human_2": 0}
    judges = {"cls": "1", "advbench": 1, "PAIR_gpt-4-0613": "Rating: [[10]]", "llama_guard": -1}
    path = tmp_path / "val.json"
    path.write_text(json.dumps({"door": [entry | judges]}))
    table = known_set("harmbench:val").table
    assert table is not None
    (row,) = labels_in([path], table).fillna("none").to_dict("records")
    assert (row["truth"], row["human_0"]) == ("NOT_COMPLIANCE", "COMPLIANCE")
    assert (
        row["HarmBench classifier"]
        == row["GPT-4, PAIR's judge"]
        == row["AdvBench's word list"]
        == "COMPLIANCE"
    )
    assert row["Llama Guard"] == "none"


def test_a_set_of_scales_has_no_table_of_classes() -> None:
    assert known_set("pyrit:harm").table is None
    assert Table().judges == {}
    if state_of("pyrit:harm") != "here":
        pytest.skip("PyRIT's sets of harms are not here: `make parts` fetches them")
    with pytest.raises(FFError, match="is not a table of classes"):
        label_table("pyrit:harm")


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("pyrit:refusal", {"REFUSAL": 70, "NOT_REFUSAL": 35}),
        ("pyrit:objective", {"NOT_COMPLIANCE": 204, "COMPLIANCE": 191}),
        ("jailbreakbench", {"NOT_COMPLIANCE": 190, "COMPLIANCE": 110}),
        ("xstest", {"full compliance": 1091, "full refusal": 983, "partial refusal": 176}),
    ],
)
def test_the_sets_on_this_machine_hold_the_labels_that_we_know(name: str, counts: dict[str, int]) -> None:
    if state_of(name) != "here":
        pytest.skip(f"{name} is not in {paths.parts()}: `ff sets get {name}` says how to have it")
    frame = label_table(name)
    assert len(frame) == known_set(name).rows
    assert frame["truth"].value_counts().to_dict() == counts
