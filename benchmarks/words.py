"""The words and sentences that benchmark articles are made of: invented, everyday, Japanese.

Articles are put together from them in ``corpus.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

PLACES = (
    "北浜市", "南郷町", "東雲区", "西ヶ原村", "中ノ島", "青葉台", "白鷺町", "金沢原", "松風市", "桜川町", "千種区",
    "若草町", "湊市", "高砂町", "日和山", "朝霧村", "星が丘", "緑川市", "鶴見原", "海老名浦",
)  # fmt: skip
ACTORS = (
    "市の園芸課", "地元の商店会", "県の研究所", "農業組合", "観光協会", "大学の研究班", "鉄道会社", "図書館の職員",
    "町工場の経営者", "漁業者の団体", "保育園の園長", "消防団", "気象台", "博物館の学芸員", "若手の職人たち",
    "市民の会", "水道局", "バス会社", "料理人の集まり", "森林組合",
)  # fmt: skip
THINGS = (
    "菊の新しい品種", "古い橋の修理", "夜間の直通バス", "地元米のコーヒー", "子ども向けの科学教室", "海藻の養殖",
    "使われなくなった校舎", "雨水をためる仕組み", "手すき和紙の技術", "太陽光の発電所", "朝市の屋台", "川の観察会",
    "伝統の祭り", "電車の時刻表", "空き家の活用", "防災の地図", "小型の風車", "有機栽培の畑", "音楽ホールの計画",
    "自転車の専用道路", "温泉の熱", "高齢者の見守り", "翻訳アプリ", "木造の高層住宅",
)  # fmt: skip
TIMES = (
    "来月の初めに", "今年の秋から", "三年前から", "先週の水曜日に", "十月二十日に", "この春", "冬を迎える前に",
    "昨年度", "明け方まで", "二十年ぶりに", "連休のあいだ", "四月一日から", "週末ごとに", "雪が解けるころ",
)  # fmt: skip
VERBS = (
    "公開する", "試験的に始める", "見直す", "支援する", "広く紹介する", "住民と話し合う", "三倍に増やす",
    "記録に残す", "無料で開放する", "次の世代に引き継ぐ", "丁寧に調べる", "全国に発信する", "共同で開発する",
    "一から作り直す",
)  # fmt: skip
REASONS = (
    "人手が足りないため", "費用が下がったことから", "利用者の声を受けて", "気温が上がり続けているので",
    "長年の研究の結果", "若い世代の関心が高まり", "海外からの注文が増え", "国の補助が決まったことで",
    "昨年の大雨をきっかけに", "材料の値上がりで",
)  # fmt: skip
NUMBERS = (
    "三割", "千二百件", "約五万人", "二十四か所", "百八十トン", "七年分", "四億円", "十六種類", "半数以上",
    "九百世帯",
)  # fmt: skip
FEELINGS = (
    "これは見に行きたくなりますね。", "思っていたより身近な話でしたわ。", "続きが気になります。",
    "なるほど、と思いました。", "数字で見ると驚きますね。", "長く続いてほしい取り組みです。",
    "次の休みに試してみたいですね。",
)  # fmt: skip
PUBLISHERS = (
    "菊新聞", "北浜日報", "暮らしの経済", "週刊みなと", "科学の窓", "青葉放送", "農と食の通信", "朝霧タイムズ",
    "鉄道時報", "緑川新報", "海の便り", "本と町",
)  # fmt: skip
TAGS = ("暮らし", "経済", "科学", "環境", "交通", "文化", "防災", "農業", "教育", "観光", "医療", "菊")


WORDS = (
    "菊", "橋", "修理", "バス", "コーヒー", "教室", "海藻", "校舎", "雨水", "和紙", "発電所", "朝市", "観察", "祭り",
    "時刻表", "空き家", "防災", "風車", "有機栽培", "音楽", "自転車", "温泉", "高齢者", "翻訳", "高層", "園芸",
    "研究", "農業", "観光", "鉄道", "図書館", "気象台", "博物館", "職人", "水道", "料理", "森林", "消防団", "品種",
    "地元", "科学", "養殖", "仕組み", "技術", "太陽光", "屋台", "伝統", "電車", "活用", "地図", "小型", "畑",
    "ホール", "計画", "専用", "道路", "見守り", "アプリ", "木造", "住宅", "商店会", "経営者", "漁業", "保育園",
    "園長", "学芸員", "若手", "大学", "直通",
)  # fmt: skip
"""Words of the above by themselves, most of them in a third to a half of the articles, none in fewer than a quarter."""
BEGINNINGS = (
    "きく", "はし", "しゅ", "ばす", "こー", "きょ", "かい", "こう", "わし", "はつ", "あさ", "かん", "まつ", "じこ",
    "あき", "ぼう", "ふう", "ゆう", "おん", "じて", "ほん", "えん", "けん", "のう", "てつ", "とし", "きし", "はく",
    "しょ", "すい", "りょ", "しん", "ぎじ", "たい", "やた", "でん", "ちず", "はた", "けい", "せん", "どう", "みま",
    "もく", "じゅ", "ほい",
)  # fmt: skip
"""How readings of words begin, as they are typed."""
SURNAMES = (
    "稲葉", "早乙女", "日向", "桐生", "鳴海", "氷室", "神楽", "常盤", "綾瀬", "露木", "水無月", "朝比奈", "榊", "柏木",
    "葛西", "雨宮", "九条", "小鳥遊", "御影", "夏目", "芹沢", "真壁", "篠原", "浅葱",
)  # fmt: skip
GIVEN = (
    "一颯", "咲耶", "陽太", "千景", "美空", "蒼真", "律", "小夜", "楓", "大河", "鈴音", "航", "紗良", "悠真", "菜々子",
    "伊織", "結月", "剛", "ひなた", "明日香", "玄", "桃子", "誠一郎", "瑠璃",
)  # fmt: skip
SYLLABLES = (
    "ザル", "ポメ", "キロ", "ヌバ", "ラド", "テオ", "ミグ", "ソフ", "ヴェラ", "ガロ", "ピコ", "リュマ", "ドゥラ",
    "ネモ", "クァ", "ボルタ", "シエ", "フォル", "ジャム", "エクセ", "トゥイ", "マズ", "ウィノ", "ハク",
)  # fmt: skip
"""Names are put together from these: people nobody knows, and products that no dictionary has."""
PEOPLE = len(SURNAMES) * len(GIVEN)
PRODUCTS = len(SYLLABLES) ** 2 + len(SYLLABLES) ** 3
"""How many names there are; of the products most are in one article of thousands, or in none yet."""


@dataclass(frozen=True)
class Topic:
    """The words one article is about: some of those there are, and names, of which few are in many articles."""

    places: Sequence[str]
    actors: Sequence[str]
    things: Sequence[str]
    names: Sequence[str]

    @classmethod
    def of(cls, random: Random) -> "Topic":
        """A topic of its own for each article."""
        names = [person(_rank(random, PEOPLE)) for _ in range(3)] + [product(_rank(random, PRODUCTS)) for _ in range(5)]
        return cls(random.sample(PLACES, 4), random.sample(ACTORS, 5), random.sample(THINGS, 6), names)


def person(rank: int) -> str:
    """The full name of a rank below ``PEOPLE``, the most frequent first."""
    return SURNAMES[rank % len(SURNAMES)] + GIVEN[rank // len(SURNAMES)]


def product(rank: int) -> str:
    """The invented katakana word of a rank below ``PRODUCTS``: of two syllables, and of three where two are used up."""
    base = len(SYLLABLES)
    count, rank = (2, rank) if rank < base**2 else (3, rank - base**2)
    return "".join(SYLLABLES[rank // base**at % base] for at in range(count))


def sentence(random: Random, topic: Topic) -> str:
    """One sentence of 30 to 70 characters; sentences repeat rarely."""
    return random.choice(_PATTERNS).format(
        actor=random.choice(topic.actors),
        name=random.choice(topic.names),
        number=random.choice(NUMBERS),
        place=random.choice(topic.places),
        reason=random.choice(REASONS),
        thing=random.choice(topic.things),
        time=random.choice(TIMES),
        verb=random.choice(VERBS),
    )


def paragraphs(random: Random, topic: Topic, count: int, sentences: int) -> str:
    """``count`` paragraphs of as many ``sentences`` each, as CommonMark."""
    return "\n\n".join("".join(sentence(random, topic) for _ in range(sentences)) for _ in range(count))


def _rank(random: Random, ranks: int) -> int:
    """One of so many ranks after Zipf: the first comes up most, and of all others the higher the rank the seldomer."""
    return int((ranks + 1) ** random.random()) - 1


_PATTERNS = (
    "{place}の{actor}は{time}、{thing}を{verb}と発表しました。",
    "{reason}、{actor}は{thing}を{verb}ことを{time}決めました。",
    "{place}では{thing}にかかわる人が{number}に達し、{actor}が{verb}準備を進めています。",
    "{actor}によると、{thing}は{time}{number}を超え、{reason}さらに広がる見込みです。",
    "これまで{place}で{thing}を支えてきた{name}は、「{verb}だけでは足りない」と話します。",
    "一方、{place}の住民からは、{thing}を{verb}前に{actor}の説明を聞きたいという声も{number}寄せられました。",
    "{time}行われた調べでは、{place}の{number}が{name}を知っていると答えています。",
)
