"""Several models under the same attacks, from the traces that ship."""

import pandas as pd

import ff_helpers as ff
from ff_helpers import figures, paths
from ff_helpers.corpus.collect import MODELS, collected_frame, recorded
from ff_helpers.measurement.collected.models import collected_models
from ff_helpers.measurement.collected.rates import ALL, capability
from ff_helpers.publication.collected import models_lesson


def test_a_row_is_what_the_models_own_traces_say() -> None:
    table = collected_models().set_index("model")
    assert sorted(table.index) == sorted(MODELS)
    for model in MODELS:
        arms = (collected_frame(paths.root() / recorded(model)[arm]) for arm in ("forbidden", "permitted"))
        alone = capability(*arms).set_index("intent").loc[ALL]
        shared = list(set(table.columns) & set(alone.index))
        pd.testing.assert_series_equal(table.loc[model, shared], alone[shared], check_names=False)
    assert (table["n"] == 60).all()
    assert (table["k"] == table["always"] + table["never"]).all()


def test_its_disclosure_is_whole() -> None:
    run = ff.start("mine", as_of="2026-11-22")
    assert "Left out: none" in ff.disclose(run, collected_models()).sentence()


def test_the_lesson_names_every_model_and_the_figure_draws_it() -> None:
    table = collected_models()
    said = models_lesson(table).text
    drawn = str(figures.forbidden_beside_permitted(table).to_dict())
    for model in MODELS:
        assert f"**{model}**" in said
        assert model in drawn
