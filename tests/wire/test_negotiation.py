"""Which language Kiku speaks to a client: RFC 9110, 12.5.4; renditions are in tests/promises."""

import pytest

from app.wire import negotiation


class TestLanguage:
    @pytest.mark.parametrize(
        ("accepted", "language"),
        [
            ("", "en"),
            ("ja", "ja"),
            ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
            ("en-US,en;q=0.9,ja;q=0.8", "en"),
            ("en;q=0.5, ja;q=0.7", "ja"),
            ("en;q=0.5, ja-JP;q=0.4, ja;q=0.7", "ja"),
            ("JA", "ja"),
            ("fr, ja;q=0.1", "ja"),
            ("fr", "en"),
            ("*", "en"),
            ("*, en;q=0", "ja"),
            ("fr, *;q=0.5, en;q=0.1", "ja"),
            ("ja;q=0", "en"),
            ("ja;q=much", "en"),
            ("ja;q=nan", "en"),
            (",;,", "en"),
            ("en, ja", "en"),
            ("ja, en", "ja"),
            ("jam", "en"),
        ],
    )
    def test_it_is_the_one_that_is_liked_best_and_else_english(self, accepted: str, language: str) -> None:
        assert negotiation.language(accepted) == language


class TestRendition:
    @pytest.mark.parametrize("quality", ["nan", "inf", "-inf", "-1", "2", "x", ""])
    def test_what_is_no_quality_is_none(self, quality: str) -> None:
        accept = f"text/html;q={quality}, text/markdown;q=0.1"
        assert negotiation.preferred(accept) == "md"
