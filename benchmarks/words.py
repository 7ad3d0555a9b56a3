"""The words and sentences that benchmark articles are made of: invented, everyday, Japanese.

Articles are put together from them in ``corpus.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

STEMS = (
    "北浜", "南郷", "東雲", "西ヶ原", "中ノ島", "青葉", "白鷺", "金沢原", "松風", "桜川", "千種", "若草", "湊",
    "高砂", "日和山", "朝霧", "星が丘", "緑川", "鶴見原", "海老名浦", "砂原", "沢渡", "雲井", "岩戸", "花背",
    "根岸沢", "竹原台", "霧島田", "水口", "鳥居本", "梅ヶ谷", "塩見",
)  # fmt: skip
KINDS_OF_PLACE = ("市", "町", "村", "区", "地区", "駅前", "港", "高原")
BODIES = (
    "市役所", "商店会", "研究所", "農協", "観光協会", "大学", "鉄道会社", "図書館", "町工場", "漁協", "保育園",
    "消防団", "気象台", "博物館", "職人組合", "市民団体", "水道局", "バス会社", "料理店組合", "森林組合", "病院",
    "郵便局", "新聞社", "高校",
)  # fmt: skip
PEOPLE_OF_BODIES = ("の職員", "の担当者", "の代表", "の若手", "の調査班", "の有志", "の経営陣", "の世話役")
QUALITIES = (
    "新しい", "古い", "地元の", "夜間の", "子ども向けの", "手作りの", "冬の", "夏の", "小さな", "巨大な", "無人の",
    "移動式の", "伝統の", "電動の", "木造の", "試作の", "共同の", "水辺の", "山間の", "海外の", "期間限定の",
    "会員制の", "高齢者の", "若者の", "昔ながらの", "最新の", "季節の", "早朝の", "地下の", "屋上の",
)  # fmt: skip
NOUNS = (
    "計画", "教室", "温泉", "橋", "祭り", "鉄道", "畑", "バス", "研究", "住宅", "森林", "防災", "観光", "料理",
    "公園", "市場", "漁業", "自転車", "音楽", "美術館", "灯台", "風車", "和紙", "コーヒー", "海藻", "校舎", "雨水",
    "発電所", "朝市", "観察会", "屋台", "時刻表", "空き家", "地図", "果樹園", "翻訳", "園芸", "養殖", "太陽光",
    "品種", "菊", "養蜂", "酒蔵", "陶器", "織物", "花火", "水車", "遊覧船", "牧場", "天文台", "植物園", "茶畑",
    "堤防", "運河", "写真展", "落語", "将棋", "合唱団", "吹奏楽", "駅弁", "味噌", "醤油", "豆腐", "納豆", "昆布",
    "牡蠣", "鮎", "蛍", "鹿", "熊", "燕", "苔", "梅林", "棚田", "古民家", "石垣", "城跡", "古墳", "化石", "隕石",
    "望遠鏡", "顕微鏡", "電池", "義足", "補聴器", "点字", "手話", "方言", "民謡", "盆踊り", "書店", "銭湯",
    "路面電車", "渡し船", "気球", "凧", "折り紙", "万華鏡", "風鈴", "提灯",
)  # fmt: skip
TIMES = (
    "来月の初めに", "今年の秋から", "三年前から", "先週の水曜日に", "十月二十日に", "この春", "冬を迎える前に",
    "昨年度", "明け方まで", "二十年ぶりに", "連休のあいだ", "四月一日から", "週末ごとに", "雪が解けるころ",
)  # fmt: skip
VERBS = (
    "公開する", "試験的に始める", "見直す", "支援する", "広く紹介する", "住民と話し合う", "三倍に増やす",
    "記録に残す", "無料で開放する", "次の世代に引き継ぐ", "丁寧に調べる", "全国に発信する", "共同で開発する",
    "一から作り直す", "半分に減らす", "海外へ送り出す", "学校で教える", "予約制に改める", "映像に収める",
    "競売にかける", "寄付で賄う", "別の場所へ移す", "夜まで延ばす", "点検に出す", "値下げする", "保険の対象に加える",
    "修理に回す", "選挙で問う", "専門家に委ねる", "冊子にまとめる",
)  # fmt: skip
REASONS = (
    "人手が足りないため", "費用が下がったことから", "利用者の声を受けて", "気温が上がり続けているので",
    "長年の研究の結果", "若い世代の関心が高まり", "海外からの注文が増え", "国の補助が決まったことで",
    "昨年の大雨をきっかけに", "材料の値上がりで", "法律が改まるのを機に", "隣町の成功に学び", "設備が寿命を迎え",
    "寄付が集まったことから", "渋滞が続いたため", "来客が減ったことを受けて",
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

BEGINNINGS = (
    "けい", "きょ", "おん", "はし", "まつ", "てつ", "はた", "ばす", "けん", "じゅ", "しん", "ぼう", "かん", "りょ",
    "こう", "しじ", "ぎょ", "じて", "おん", "びじ", "とう", "ふう", "わし", "こー", "かい", "あま", "はつ", "あさ",
    "やた", "じこ", "あき", "ちず", "かじ", "ほん", "えん", "よう", "たい", "ひん", "きく", "さか", "おり", "はな",
    "すい", "ゆう", "ぼく", "てん", "しょ", "ちゃ", "てい", "うん", "しゃ", "らく", "がっ", "えき",
)  # fmt: skip
"""How readings of words begin, as they are typed."""
SURNAMES = (
    "稲葉", "早乙女", "日向", "桐生", "鳴海", "氷室", "神楽", "常盤", "綾瀬", "露木", "水無月", "朝比奈", "榊",
    "柏木", "葛西", "雨宮", "九条", "小鳥遊", "御影", "夏目", "芹沢", "真壁", "篠原", "浅葱",
)  # fmt: skip
GIVEN = (
    "一颯", "咲耶", "陽太", "千景", "美空", "蒼真", "律", "小夜", "楓", "大河", "鈴音", "航", "紗良", "悠真",
    "菜々子", "伊織", "結月", "剛", "ひなた", "明日香", "玄", "桃子", "誠一郎", "瑠璃",
)  # fmt: skip
SYLLABLES = (
    "ザル", "ポメ", "キロ", "ヌバ", "ラド", "テオ", "ミグ", "ソフ", "ヴェラ", "ガロ", "ピコ", "リュマ", "ドゥラ",
    "ネモ", "クァ", "ボルタ", "シエ", "フォル", "ジャム", "エクセ", "トゥイ", "マズ", "ウィノ", "ハク",
)  # fmt: skip
"""Names are put together from these: people nobody knows, and products that no dictionary has."""
PLACES = len(STEMS) * len(KINDS_OF_PLACE)
ACTORS = len(BODIES) * len(PEOPLE_OF_BODIES)
THINGS = len(NOUNS) * len(QUALITIES)
PEOPLE = len(SURNAMES) * len(GIVEN)
PRODUCTS = len(SYLLABLES) ** 2 + len(SYLLABLES) ** 3
"""How many names there are; of the products most are in one article of thousands, or in none yet."""
EVERYWHERE = ("発表", "住民", "説明", "準備", "見込み", "調べ")
"""Words that stand in nearly every article."""


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
        places = [place(_rank(random, PLACES)) for _ in range(4)]
        actors = [actor(_rank(random, ACTORS)) for _ in range(5)]
        return cls(places, actors, [thing(_rank(random, THINGS)) for _ in range(6)], names)


def noun(random: Random) -> str:
    """What somebody looks for: more often what more articles are about."""
    return NOUNS[_rank(random, len(NOUNS))]


def place(rank: int) -> str:
    """The place of a rank below ``PLACES``, the most frequent first; so are those below."""
    return STEMS[rank % len(STEMS)] + KINDS_OF_PLACE[rank // len(STEMS)]


def actor(rank: int) -> str:
    """Who does something, of a rank below ``ACTORS``."""
    return BODIES[rank % len(BODIES)] + PEOPLE_OF_BODIES[rank // len(BODIES)]


def thing(rank: int) -> str:
    """What something is done with, of a rank below ``THINGS``."""
    return QUALITIES[rank // len(NOUNS)] + NOUNS[rank % len(NOUNS)]


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
