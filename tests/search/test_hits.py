"""Which articles a query finds: every word, every spelling, exactly the phrase, and page by page each of them once."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
import regex
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, update

from app import worker
from app.database import Database
from app.search import folding, hits, index, query, tokens
from app.search.hits import Wanted
from app.search.index import search_state, search_terms
from app.search.passing import EVERY
from tests.delivery.library import walk
from tests.factories import a_section, create, publish, published
from tests.search import corpus
from tests.search.corpus import Item

ANY = {"If-Match": "*"}
QUOTES = regex.compile('[「」『』｢｣"“”＂]')
TELLING = regex.compile(r"[^\p{P}\p{Z}\p{C}\p{M}\u30fb]")
"""What says something: marks and spaces alone are not looked for."""
SPELLINGS = [
    ("サーバー", "サーバ", "ｻｰﾊﾞｰ"),
    ("引っ越し", "引越し"),
    ("引き下げ", "引下げ"),
    ("取り締まり", "取締り"),
    ("受け取り", "受取り", "受取"),
    ("ひとつ", "一つ", "1つ", "１つ"),
    ("ミサイル", "ﾐｻｲﾙ", "みさいる"),
    ("ＫＣＮＡ", "KCNA", "kcna"),
    ("プーチン", "ぷーちん"),
    ("斎藤", "斉藤", "齋藤", "齊藤"),
    ("りんご", "リンゴ", "林檎"),
    ("1万2千人", "12000人", "12,000人", "１２，０００人"),
    ("ヴァイオリン", "バイオリン"),
    ("一ヶ月", "一カ月", "一か月", "一ヵ月", "一ケ月"),
    ("三ヶ所", "三カ所", "三か所", "三ケ所"),
    ("茅ヶ崎", "茅ケ崎"),
    ("don't", "don’t"),
    ("スマホ", "スマートフォン"),
    ("Wi-Fi", "WiFi", "wi‐fi", "Ｗｉ－Ｆｉ"),
    ("Cafe", "Café", "Cafe\u0301", "CAFÉ"),
    ("STRASSE", "Straße"),
    ("МОСКВА", "москва"),
    ("서울", "\u1109\u1165\u110b\u116e\u11af"),
    ("İstanbul", "istanbul"),
    ("髙橋", "高橋"),
    ("渡邊", "渡邉", "渡辺"),
    ("經濟學", "経済学"),
    ("ジョン・スミス", "ジョンスミス", "ｼﾞｮﾝ･ｽﾐｽ"),
    ("子ども", "子供", "こども"),
]
SYNONYMS = [
    tuple(side.strip() for side in line.split("="))
    for line in tokens._SYNONYMS.read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def found(client: TestClient, asked: str, **wanted: Any) -> list[str]:
    """The ids of all that is found, page by page."""
    return [item["id"] for item in walk(client, "/v1/search", q=asked, **({"limit": 100} | wanted))]


def believe(database: Database, word: str, *, df: int, articles: int) -> None:
    """Let the word be taken to stand in so many articles of so many."""
    with database.writing() as writer:
        writer.execute(update(search_terms).where(search_terms.c.term == word).values(df=df))
        writer.execute(update(search_state).values(articles=articles))


def total(client: TestClient, asked: str, **wanted: Any) -> dict[str, Any]:
    answer = client.get("/v1/search", params={"q": asked, **wanted})
    assert answer.status_code == 200, answer.text
    counted: dict[str, Any] = answer.json()["total"]
    return counted


def titled(client: TestClient, *titles: str) -> list[str]:
    """The ids of an article for each title, in which nothing else stands."""
    pages = [{"sections": [{"heading": ".", "body": "."}]}]
    bare = {"lead": "", "introduction": "", "takeaways": [], "pages": pages, "tags": []}
    return [published(client, title=title, **bare)["id"] for title in titles]


def words(articles: list[Item], times: int, longest: int) -> Iterator[str]:
    """Stretches without a space from anywhere in the texts, in which something is said."""
    for piece in corpus.pieces(articles, times, longest):
        word = piece.split()[0] if piece.split() else ""
        if TELLING.search(word) and not QUOTES.search(word) and not regex.match(r"\p{M}", word):
            yield word


class TestEveryWord:
    def test_any_stretch_of_any_text_finds_every_article_it_stands_in(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        missed = {
            word: lost
            for word in words(articles, times=60, longest=12)
            if (lost := corpus.holding(articles, word) - set(found(client, word)))
        }
        assert missed == {}

    def test_every_word_of_the_corpus_and_half_of_it_finds_every_article_it_stands_in(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        halves = {half for word in corpus.WORDS[::4] for half in (word[: len(word) // 2], word[len(word) // 2 :])}
        missed = {
            word: lost
            for word in {*corpus.WORDS, *(half for half in halves if TELLING.match(half))}
            if (lost := corpus.holding(articles, word) - set(found(client, word)))
        }
        assert missed == {}

    def test_every_single_character_finds_every_article_it_stands_in(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        drawn = random.Random(5)  # noqa: S311 - the same each time
        every = {each for article in articles for text in corpus.texts(article).values() for each in text}
        single = drawn.sample(sorted(each for each in every if TELLING.match(each)), 40)
        missed = {each: lost for each in single if (lost := corpus.holding(articles, each) - set(found(client, each)))}
        assert missed == {}

    def test_what_stands_in_any_kind_of_text_is_found_and_its_place_is_shown(self, client: TestClient) -> None:
        kinds = ["title", "lead", "introduction", "conclusion"]
        asking = ["heading", "question", "answer", "transition", "body"]
        beside = ["takeaway", "page", "teaser", "commentary", "point", "printed", "by", "source", "name"]
        said = {name: f"ゾ{number}ヌ語" for number, name in enumerate([*kinds, *asking, *beside])}
        source = {
            "url": "https://kinds.example.jp",
            "title": said["source"],
            "publisher": {"name": said["name"]},
        }
        printed = {"display_title": said["printed"], "publisher_text": said["by"]}
        section = {name: said[name] for name in asking} | {
            "commentary": {"text": said["commentary"]},
            "citations": [{"source": source, **printed, "key_points": [{"text": said["point"]}]}],
        }
        whole = {name: said[name] for name in kinds} | {"takeaways": [{"text": said["takeaway"]}]}
        pages = [{"title": said["page"], "sections": [section]}, {"teaser": said["teaser"]}]
        made = published(client, **whole, pages=pages)
        article = client.get(f"/v1/articles/{made['id']}").json()
        for text in said.values():
            (item,) = walk(client, "/v1/search", q=text)
            assert [corpus.at(article, part["pointer"]) for part in item["parts"]] == [text], text


class TestEverySpelling:
    def test_each_finds_what_is_spelled_otherwise(self, client: TestClient) -> None:
        missed = []
        for spellings in SPELLINGS:
            ids = titled(client, *spellings)
            missed += [(asked, spellings) for asked in spellings if not set(ids) <= set(found(client, asked))]
        assert missed == []

    def test_each_is_found_in_the_midst_of_a_sentence(self, client: TestClient) -> None:
        missed = []
        for spellings in SPELLINGS:
            ids = titled(client, *(f"昨日、{spelling}の話を聞いた。" for spelling in spellings))
            missed += [(asked, spellings) for asked in spellings if not set(ids) <= set(found(client, asked))]
        assert missed == []

    def test_a_kanji_with_a_selector_of_its_variant_is_the_kanji(self, client: TestClient) -> None:
        ids = titled(client, "葛城の里", "葛\U000e0100城の里")
        for asked in ("葛城", "葛\U000e0100城", "「葛城の里」"):
            assert set(found(client, asked)) == set(ids), asked

    def test_each_synonym_and_what_it_is_read_as_find_one_another(self, client: TestClient) -> None:
        made = {pair: titled(client, *(f"今日の{side}について" for side in pair)) for pair in SYNONYMS}
        missed = [
            (pair, asked) for pair, ids in made.items() for asked in pair if not set(ids) <= set(found(client, asked))
        ]
        assert (missed, len(made) > 10) == ([], True)

    def test_a_spelling_finds_no_article_without_the_word(self, client: TestClient) -> None:
        (_, other) = titled(client, "引越しの手引き", "引き算の手引き")
        assert other not in found(client, "引っ越し")


class TestPhrases:
    def test_a_quoted_stretch_finds_exactly_the_articles_in_which_it_stands(
        self, client: TestClient, articles: list[Item]
    ) -> None:
        folded = {
            article["id"]: [folding.loosen(folding.fold(text).text) for text in corpus.texts(article).values()]
            for article in articles
        }
        asked = 0
        for piece in corpus.pieces(articles, times=60, longest=25, seed=4):
            wanted = folding.loosen(folding.fold(piece).text).strip()
            if QUOTES.search(piece) or not TELLING.search(wanted):
                continue
            expected = {id for id, said in folded.items() if any(wanted in text for text in said)}
            for phrase in (f'"{piece}"', f"「{piece}」"):
                assert set(found(client, phrase)) == expected, phrase
            asked += len(expected) == 1
        assert asked > 10, "hardly any phrase was of one article alone"

    def test_the_words_of_a_phrase_in_another_order_or_apart_do_not_answer_it(self, client: TestClient) -> None:
        (whole, *_) = titled(client, "北の庭で菊展示会", "菊の展示会", "展示会の菊", "菊展示の会")
        for phrase in ("「菊展示会」", '"菊展示会"', "“菊展示会”", "『菊展示会』"):
            assert found(client, phrase) == [whole], phrase

    def test_a_phrase_that_stands_nowhere_finds_nothing_though_its_words_do(self, client: TestClient) -> None:
        titled(client, "千輪咲きの品評会")
        answer = client.get("/v1/search", params={"q": "「品評会の千輪咲き」"}).json()
        assert (answer["items"], answer["total"]) == ([], {"value": 0, "relation": "eq"})

    def test_a_phrase_with_a_mark_finds_no_text_with_the_character_that_a_database_keeps_it_as(
        self, client: TestClient
    ) -> None:
        (private, mark) = titled(client, "値段\U000f0024印", "値段$本物")
        assert found(client, "「段$」") == [mark]
        assert found(client, "「段\U000f0024」") == [private]

    def test_a_phrase_never_spans_two_texts(self, client: TestClient) -> None:
        made = published(client, title="青い菊", lead="赤い庭", takeaways=[{"text": "白い塔"}, {"text": "黒い橋"}])
        for text in ("青い菊", "赤い庭", "白い塔", "黒い橋"):
            assert found(client, f"「{text}」") == [made["id"]]
        for phrase in ("「菊赤い」", "「庭白い」", '"塔黒い"', '"菊 赤い"', '"塔\n黒い"'):
            assert found(client, phrase) == [], phrase

    def test_a_phrase_may_hold_spaces_marks_and_line_ends(self, client: TestClient) -> None:
        made = published(client, introduction="The old (stone) bridge, 1901.\n\n50% of it — gone!")
        for text in ("old (stone) bridge, 1901", "1901.\n\n50% of", "it — gone!", "the OLD (stone)", "(stone) b"):
            assert found(client, f'"{text}"') == [made["id"]], text
        for text in ("old stone bridge", "1901. 50% of", "it - gone!"):
            assert found(client, f'"{text}"') == [], text

    def test_quotes_within_a_longer_query_only_make_what_they_hold_worth_more(self, client: TestClient) -> None:
        together, scattered, one = titled(client, "old bridge stone", "bridge old stone", "stone, only")
        for asked in ('stone "old bridge" stone', 'stone "old bridge"', '"old bridge" stone', "stone 「old bridge」"):
            ids = found(client, asked)
            assert set(ids) == {scattered, together, one}, asked
            assert ids[0] == together, asked


class TestRanking:
    def test_the_title_is_worth_more_than_the_body(self, client: TestClient) -> None:
        pages = [{"sections": [a_section(body="ペリドット石の話です。")]}]
        body = published(client, title="石の本", pages=pages)["id"]
        title = published(client, title="ペリドット石の本")["id"]
        assert found(client, "ペリドット石") == [title, body]

    def test_a_rare_word_is_worth_more_than_a_common_one(self, client: TestClient, database: Database) -> None:
        common = titled(client, *(f"灯籠流し{number}" for number in range(6)))
        (rare,) = titled(client, "翡翠細工")
        while worker.count_words(database):
            pass
        assert found(client, "灯籠流し 翡翠細工")[0] == rare
        assert set(common) < set(found(client, "灯籠流し 翡翠細工"))

    def test_only_a_word_that_some_articles_lack_is_looked_for_by_its_letters(
        self, client: TestClient, database: Database
    ) -> None:
        titled(client, "翡翠の話", "翡翠の庭")
        while worker.count_words(database):
            pass
        looked_for = []
        for articles in (2, 3):
            believe(database, "翡翠", df=2, articles=articles)
            statements: list[str] = []
            with database.reading() as reader:
                event.listen(reader.connection, "before_cursor_execute", lambda *given: statements.append(given[2]))  # noqa: B023
                asked = query.parse("翡翠")
                known = hits.weigh(index.look_up(reader, asked.words))
                assert hits.find(reader, asked, known, EVERY, Wanted(5, 5)).total == 2
            looked_for.append(any("grams" in statement for statement in statements))
        assert looked_for == [False, True]

    def test_of_a_word_that_is_worth_nothing_the_newest_come_first(
        self, client: TestClient, database: Database
    ) -> None:
        titled(client, *(f"翡翠{'の翡翠' * (number % 3)}" for number in range(5)))
        while worker.count_words(database):
            pass
        asked = query.parse("翡翠")
        with database.reading() as reader:
            known = hits.weigh(index.look_up(reader, asked.words))
            every = hits.find(reader, asked, known, EVERY, Wanted(5, 5))
            worthless = {word: replace(one, weight=0) for word, one in known.items()}
            some = hits.find(reader, asked, worthless, EVERY, Wanted(3, 3))
        newest = sorted((number for _, number in every.ranked), reverse=True)
        assert [number for _, number in every.ranked] != newest
        assert (some.ranked, some.total) == ([(0, number) for number in newest[:3]], 5)


class TestPages:
    def test_whatever_their_size_each_hit_is_shown_once_and_in_the_same_order(self, client: TestClient) -> None:
        for asked, limits in (("金賞", (1, 2)), ("第", (7, 30)), ("菊 温室 金賞", (4,)), ("菊新聞社", (6,))):
            whole = client.get("/v1/search", params={"q": asked, "limit": 100}).json()
            ids = [item["id"] for item in whole["items"]]
            assert len(set(ids)) == len(ids) == whole["total"]["value"] > 5
            for limit in limits:
                assert found(client, asked, limit=limit) == ids, (asked, limit)

    def test_more_than_a_hundred_are_all_shown_once(self, client: TestClient) -> None:
        made = titled(client, *(f"ベニトアイト{number % 7}番{'石' * (number % 5)}" for number in range(104)))
        assert total(client, "ベニトアイト") == {"value": 104, "relation": "eq"}
        for limit in (100, 45):
            ids = found(client, "ベニトアイト", limit=limit)
            assert (len(ids), set(ids)) == (104, set(made))

    @pytest.mark.parametrize("ranked", [6, 100], ids=["some", "all"])
    def test_many_that_are_worth_nearly_the_same_are_all_shown_once(
        self, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, ranked: int
    ) -> None:
        made = titled(client, *(f"翡翠{'の翡翠' * (number * 7 % 11)}" for number in range(30)))
        while worker.count_words(database):
            pass
        believe(database, "翡翠", df=30, articles=30)  # it stands everywhere: it is worth a little
        monkeypatch.setattr(hits, "RANKED", ranked)
        ids = found(client, "翡翠", limit=5)
        assert (len(ids), set(ids)) == (30, set(made))
        assert found(client, "翡翠", limit=5, facets="year")[:5] == ids[:5]

    def test_a_word_that_was_worth_nothing_on_the_first_page_is_worth_nothing_on_the_next(
        self, client: TestClient, database: Database
    ) -> None:
        made = titled(client, *(f"翡翠{'の翡翠' * (number % 3)}" for number in range(12)))
        while worker.count_words(database):
            pass
        believe(database, "翡翠", df=5_000, articles=5_000)
        first = client.get("/v1/search", params={"q": "翡翠 無い", "limit": 5}).json()
        believe(database, "翡翠", df=12, articles=5_000)
        rest = client.get("/v1/search", params={"q": "翡翠 無い", "limit": 100, "cursor": first["next"]}).json()
        ids = [item["id"] for item in first["items"] + rest["items"]]
        assert (len(ids), set(ids)) == (12, set(made))

    def test_words_that_are_counted_between_two_pages_skip_and_repeat_nothing(
        self, client: TestClient, database: Database
    ) -> None:
        made = titled(client, *(f"ラリマー{'石' * (number % 4)}の本{number}" for number in range(12)))
        first = client.get("/v1/search", params={"q": "ラリマー 本", "limit": 5}).json()
        while worker.count_words(database):
            pass
        rest = client.get("/v1/search", params={"q": "ラリマー 本", "limit": 100, "cursor": first["next"]}).json()
        ids = [item["id"] for item in first["items"] + rest["items"]]
        assert len(ids) == len(set(ids))
        assert set(made) <= set(ids)

    def test_what_stays_is_shown_once_while_articles_come_and_go(self, client: TestClient) -> None:
        staying = titled(client, *(f"スピネル石{number}" for number in range(9)))
        going = [staying.pop(at) for at in (7, 4, 2)]

        def between() -> None:
            publish(client, create(client, title="スピネル石の新刊")["id"])
            if going:
                client.post(f"/v1/manage/articles/{going.pop()}/unpublish", headers=ANY)

        ids = [item["id"] for item in walk(client, "/v1/search", between, q="スピネル石", limit=2)]
        assert [ids.count(id) for id in staying] == [1] * len(staying)


class TestSeveralWords:
    QUERIES = (
        *(("articles", asked) for asked in ("菊 温室 金賞", "号 報 第", "温室 菊新聞社 ゾルバンティア")),
        *(("sections", asked) for asked in ("菊 温室 金賞", "温室 第 報")),
        ("key_points", "菊 温室 金賞"),
    )

    @pytest.mark.usefixtures("articles")
    def test_however_few_postings_are_read_those_that_are_found_are_in_the_same_order(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for within, asked in self.QUERIES:
            monkeypatch.setattr(hits, "READ", 4_000)
            monkeypatch.setattr(hits, "CANDIDATES", 200)
            whole = found(client, asked, **{"in": within})
            monkeypatch.setattr(hits, "READ", 1)
            if within == "articles":
                assert found(client, asked) == whole, asked
            monkeypatch.setattr(hits, "CANDIDATES", 5)
            some = found(client, asked, **{"in": within})
            assert 5 <= len(some) < len(whole), (asked, within)
            assert some == [id for id in whole if id in some], (asked, within)

    def test_what_stands_as_it_is_asked_is_found_among_many_that_have_its_words(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hits, "CANDIDATES", 5)
        long = "長い前置きが続く。" * 60
        made = published(client, title="号", introduction=f"{long}その年に緑の党が生まれた。{long}")["id"]
        for _ in range(6):
            published(client, title="緑と党", introduction="緑と党の話。緑と党の話。")
        assert made in found(client, "緑の党")
        assert len(found(client, "緑の党")) == 5
        assert made not in found(client, "緑の党", language="en")

    def test_what_stands_as_it_is_asked_within_other_words_is_worth_half_of_what_they_can_be(
        self, client: TestClient, database: Database
    ) -> None:
        for title, introduction in (("党", "党。"), *[("緑", "緑。")] * 8, ("号", "緑の党員の話。")):
            published(client, title=title, introduction=introduction)
        asked = query.parse("緑の党")
        with database.reading() as reader:
            words = list(hits.weigh(index.look_up(reader, asked.words)).values())
            (score,) = hits._standing(reader, asked, words, EVERY).values()
        assert len(words) == 2
        assert score == sum(word.weight for word in words) // 2

    def test_many_frequent_words_under_a_filter_that_nothing_passes_are_asked_for_a_few_times(
        self, client: TestClient, articles: list[Item], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = " ".join(text for article in articles for text in corpus.texts(article).values())
        words = sorted({token.word for token in tokens.tokens(folding.fold(said).text, ()) if token.word})[:32]
        assert len(words) == 32
        monkeypatch.setattr(hits, "READ", 1)
        asked: list[str] = []

        def count(*given: Any) -> None:
            asked.append(given[2])

        event.listen(Engine, "before_cursor_execute", count)
        try:
            assert found(client, " ".join(words), language="zu") == []
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        assert 0 < sum("search_postings" in statement for statement in asked) < 2 * 10  # the app is asked twice

    def test_any_of_them_finds_and_all_of_them_stand_first(self, client: TestClient) -> None:
        titles = ["銀の鈴虫", "金の甲虫", "鈴虫と甲虫"]
        ids = titled(client, *titles)
        assert set(found(client, "鈴虫 甲虫")) == set(ids)
        assert found(client, "鈴虫 甲虫")[0] == ids[2]

    def test_one_unbroken_word_finds_only_articles_with_all_its_parts(self, client: TestClient) -> None:
        parts = ("カメラ", "ピアノ", "ラジオ")
        (whole, *_) = titled(client, "ラジオとピアノとカメラ", "カメラのピアノ", "ピアノのラジオ")
        for order in permutations(parts):
            assert found(client, "".join(order)) == [whole], order

    def test_a_hundred_words_and_256_characters_without_a_space_are_answered(self, client: TestClient) -> None:
        long = "".join(chr(0x4E00 + 11 * number) for number in range(256))
        many = " ".join(long[:128])
        (made,) = titled(client, long)
        assert found(client, long) == [made]
        assert found(client, f"「{long[:254]}」") == [made]
        assert made in found(client, many)
