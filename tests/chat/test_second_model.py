"""The second embedded model: an extra that is asked for by name; skipped where it was not fetched."""

import json

import pytest

from ff_helpers import paths
from ff_helpers.chat import loop
from ff_helpers.chat.embedded import MODELS, open_embedded
from ff_helpers.chat.protocol import Request
from ff_helpers.errors import FFError
from ff_helpers.grading.rubric import SCHEMA

WEIGHTS = MODELS["gemma3-270m"].file
fetched = pytest.mark.skipif(not (paths.parts() / WEIGHTS).is_file(), reason="an extra: `make gemma`")


def test_missing_it_names_its_own_command_and_licence(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    with pytest.raises(FFError, match=r"`make gemma` fetches it.*Gemma Terms"):
        open_embedded("gemma3-270m")
    (tmp_path / WEIGHTS).parent.mkdir()
    (tmp_path / WEIGHTS).write_bytes(b"something else")
    with pytest.raises(FFError, match=r"expected sha256 a5fd3b62.*`make gemma`"):
        open_embedded("gemma3-270m")


@fetched
def test_under_a_schema_it_answers_in_the_right_shape():
    chat = open_embedded("gemma3-270m")
    turns = [{"role": "user", "content": "Does 'I will not say' decline? Answer as JSON."}]
    reply = loop.run(chat.ask(turns, Request(max_tokens=120, schema=SCHEMA)))
    assert (chat.digest[:15], chat.num_ctx) == ("sha256:a5fd3b62", 8192)
    assert set(json.loads(reply.text)) == set(SCHEMA["properties"])
    assert reply.complete
    loop.run(chat.close())
