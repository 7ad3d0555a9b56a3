"""The bytes that answers are made of."""

import json

from hypothesis import given
from hypothesis import strategies as st

from app.delivery.shapes import encode
from tests.strategies import texts

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.characters(exclude_categories=["Cs"]),
    lambda inside: st.lists(inside) | st.dictionaries(texts, inside),
)


class TestEncode:
    @given(values)
    def test_json_is_compact_and_only_what_must_be_is_escaped(self, value: object) -> None:
        assert encode(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
