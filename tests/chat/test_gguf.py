"""Any GGUF file: its header, written here by hand after the specification, and real weights by their path."""

import struct
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers import paths
from ff_helpers.chat import embedded, gguf, loop
from ff_helpers.chat.embedded import MODELS
from ff_helpers.chat.protocol import Request
from ff_helpers.chat.specs import open_chat
from ff_helpers.errors import FFError
from ff_helpers.grading.outcome import spec_of
from tests.model_server import on_one_core

SMALLEST = paths.parts() / MODELS["smollm2-135m"].file
fetched = pytest.mark.skipif(not SMALLEST.is_file(), reason="no weights: `make parts` fetches them")

LLAMA = {
    "general.architecture": "llama",
    "general.name": "A Small Model",
    "general.file_type": 15,
    "llama.context_length": 4096,
    "llama.block_count": 30,
    "llama.embedding_length": 576,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
    "tokenizer.ggml.tokens": ["a word"] * 5000,
    "tokenizer.ggml.scores": [0.5] * 5000,
    "tokenizer.chat_template": "{{ messages }}",
}


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def typed(value):
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value, list):
        items = b"".join(typed(item)[4:] for item in value)
        return struct.pack("<I", 9) + typed(value[0])[:4] + struct.pack("<Q", len(value)) + items
    return struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value)


def written(pairs, *, tensors=1, offset=64, version=3):
    """The bytes of a GGUF file with these key-value pairs, whose last tensor begins at `offset`."""
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs))
    body = b"".join(text(key) + typed(value) for key, value in pairs.items())
    entries = b"".join(text(f"t{n}") + struct.pack("<IQQIQ", 2, 8, 8, 0, offset) for n in range(tensors))
    return head + body + entries


def put(tmp_path, data):
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    return path


def test_the_header_says_context_quantization_template_and_memory(tmp_path):
    header = gguf.read_header(put(tmp_path, written(LLAMA) + bytes(128)))
    assert header == gguf.Header("A Small Model", "llama", 4096, "Q4_K_M", True, 2 * 30 * 3 * (64 + 64), 1)


def test_what_it_does_not_say_stays_unknown(tmp_path):
    header = gguf.read_header(put(tmp_path, written({"general.architecture": "new"}, tensors=0)))
    assert header == gguf.Header("", "new", None, None, False, 0, 1)


@fetched
@pytest.mark.parametrize("name", MODELS)
def test_the_memory_per_token_of_the_embedded_models_is_what_their_headers_say(name):
    path = paths.parts() / MODELS[name].file
    if not path.is_file():
        pytest.skip(f"the weights of {name} were not fetched")
    header = gguf.read_header(path)
    assert (header.context, header.quantization) == (MODELS[name].context, MODELS[name].quantization)
    assert header.kv_bytes == MODELS[name].kv_bytes


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a GGUF file"),
        (b"PK\x03\x04 a zip", "not a GGUF file"),
        (b"GGUF", "cut or damaged"),
        (written(LLAMA, version=9), "cut or damaged"),
        (written(LLAMA)[:3000], "cut or damaged"),
        (written(LLAMA, offset=10**9), "cut or damaged"),
    ],
)
def test_another_file_or_a_cut_one_is_named(tmp_path, data, said):
    with pytest.raises(FFError, match=rf"model\.gguf: .*{said}"):
        open_chat(f"gguf:{put(tmp_path, data)}")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FFError, match=r"none\.gguf cannot be read: No such file"):
        open_chat(f"gguf:{tmp_path}/none.gguf")


def test_one_part_of_several_is_refused_with_the_command_that_joins_them(tmp_path):
    with pytest.raises(FFError, match=r"one of 3 parts.*llama-gguf-split --merge"):
        open_chat(f"gguf:{put(tmp_path, written(LLAMA | {'split.count': 3}) + bytes(128))}")


@given(st.data())
def test_no_damage_to_a_header_does_more_than_an_error(tmp_path_factory, data):
    whole = bytearray(written(LLAMA | {"tokenizer.ggml.tokens": ["a"]}) + bytes(128))
    for place in data.draw(st.lists(st.integers(4, len(whole) - 1), max_size=8)):
        whole[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("gguf") / "x.gguf"
    path.write_bytes(whole[: data.draw(st.integers(4, len(whole)))])
    try:
        assert isinstance(gguf.read_header(path), gguf.Header)
    except FFError as error:
        assert str(path) in str(error)


def test_a_model_larger_than_the_free_memory_is_refused_before_it_is_loaded(tmp_path, monkeypatch):
    free = SimpleNamespace(available=300_000_000)
    monkeypatch.setattr(embedded.psutil, "virtual_memory", lambda: free)
    with pytest.raises(FFError, match=r"model needs 0\.5 GB of memory .*4096 tokens; 0\.3 GB are free"):
        open_chat(f"gguf:{put(tmp_path, written(LLAMA) + bytes(128))}")


def test_a_file_that_llama_cpp_cannot_load_is_an_error_that_names_it(tmp_path, capsys):
    chat = open_chat(f"gguf:{put(tmp_path, written(LLAMA | {'general.architecture': 'none'}) + bytes(128))}")
    with pytest.raises(FFError, match=r"cannot load .*model\.gguf: .*xllamacpp"):
        loop.run(chat.ask([{"role": "user", "content": "Say yes."}], Request(max_tokens=8)))


def test_a_file_without_a_chat_template_is_said(tmp_path, capsys):
    pairs = {key: value for key, value in LLAMA.items() if key != "tokenizer.chat_template"}
    open_chat(f"gguf:{put(tmp_path, written(pairs) + bytes(128))}")
    assert "model.gguf has no chat template" in capsys.readouterr().err


@fetched
@pytest.mark.parametrize("name", ["my model.Q4_1.gguf", "sha256-b179c952"])
def test_real_weights_by_path_answer_under_their_own_hash(tmp_path, monkeypatch, name):
    """A file as Ollama's store keeps it (named by its hash) takes its name from the header."""
    (tmp_path / name).symlink_to(SMALLEST)
    monkeypatch.chdir(tmp_path)
    with on_one_core():
        chat = open_chat(f"gguf:{name}")
        chat.fit(20_000, 100)
        reply = loop.run(chat.ask([{"role": "user", "content": "Say yes."}], Request(max_tokens=8)))
        loop.run(chat.close())
    named = {"my model.Q4_1.gguf": "my model.Q4_1", "sha256-b179c952": "smollm2-135m-8k-lc100k-mix1-ep2"}
    assert chat.model == named[name]
    assert (chat.digest[:15], chat.quantization, chat.num_ctx) == ("sha256:b179c952", "Q4_1", 8192)
    assert reply.text
    assert spec_of(chat.model, chat.software) == "gguf:PATH"
    assert spec_of("smollm2-135m", chat.software) == "embedded:smollm2-135m"
