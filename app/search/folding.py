"""One spelling for texts that are compared: widths, case, accents and old kanji folded, places in the original kept.

Words are taken from folded texts in ``tokens.py``.
"""

import operator
import re
import unicodedata
from dataclasses import dataclass

import regex

# Old and rare forms of kanji, and beside each the form in use.
_KANJI = str.maketrans(
    "髙邊邉齋齊﨑嵜碕澤櫻廣國圀濱濵龍瀧嶋嶌槇遙渕眞惠榮應學藝曾與會舊體萬圓號圖戰對來當縣驛鐵區臺壽德亞冨檜靑栁賴𠮷"
    "瀨彌峯淸增藏黑郞惡壓圍爲醫壹稻飮隱營衞鹽緣艷歐毆奧橫溫穩假價畫壞懷繪槪擴殼覺嶽樂勸卷寬歡罐觀關陷巖顏歸氣龜僞戲"
    "犧據擧峽挾狹鄕曉驅勳薰徑溪經繼莖螢輕鷄缺儉劍圈檢權獻險顯驗嚴效恆鑛濟碎劑册雜產參慘棧蠶贊殘絲齒兒辭濕實舍寫釋收"
    "從澁獸縱肅處緖敍將牀燒奬稱證乘剩壤孃條淨疊穰讓釀觸囑寢愼盡粹醉隨髓數樞聲靜攝竊專淺潛纖踐錢禪雙壯搜插爭總聰莊裝"
    "騷臟屬續墮帶滯擇單擔膽團彈斷癡遲晝蟲鑄廳聽敕鎭遞轉點傳黨盜燈鬪獨讀屆繩貳惱腦霸廢拜賣麥發髮拔蠻祕佛拂竝變辨瓣辯"
    "舖穗寶襃豐萠沒滿默譯藥豫餘譽搖樣謠亂覽兩獵綠壘鄰勵禮隸靈齡曆歷戀鍊爐勞樓灣戶稅說銳悅閱卽旣敎內吳娛步每黃淚戾狀"
    "硏姬巢歲涉凉堯瑤晉祿麴頰塡剝噓嚙摑瘦繫醬鷗屛萊蠟軀攪潑礪鬭餠冱翆鐡亙舘桒檮禱濤邇彥妝絕脫缾俱倂幷晚顚飜遯敘廏吿"
    "窗蔥峩畧槗杦濶甁礦礙穐粮耻膓舩艪蕚衂讚貎辧迯鋪雞飃餝駈鰛鵞麪麵",
    "高辺辺斎斎崎崎崎沢桜広国国浜浜竜滝島島槙遥淵真恵栄応学芸曽与会旧体万円号図戦対来当県駅鉄区台寿徳亜富桧青柳頼吉"
    "瀬弥峰清増蔵黒郎悪圧囲為医壱稲飲隠営衛塩縁艶欧殴奥横温穏仮価画壊懐絵概拡殻覚岳楽勧巻寛歓缶観関陥巌顔帰気亀偽戯"
    "犠拠挙峡挟狭郷暁駆勲薫径渓経継茎蛍軽鶏欠倹剣圏検権献険顕験厳効恒鉱済砕剤冊雑産参惨桟蚕賛残糸歯児辞湿実舎写釈収"
    "従渋獣縦粛処緒叙将床焼奨称証乗剰壌嬢条浄畳穣譲醸触嘱寝慎尽粋酔随髄数枢声静摂窃専浅潜繊践銭禅双壮捜挿争総聡荘装"
    "騒臓属続堕帯滞択単担胆団弾断痴遅昼虫鋳庁聴勅鎮逓転点伝党盗灯闘独読届縄弐悩脳覇廃拝売麦発髪抜蛮秘仏払並変弁弁弁"
    "舗穂宝褒豊萌没満黙訳薬予余誉揺様謡乱覧両猟緑塁隣励礼隷霊齢暦歴恋錬炉労楼湾戸税説鋭悦閲即既教内呉娯歩毎黄涙戻状"
    "研姫巣歳渉涼尭瑶晋禄麹頬填剥嘘噛掴痩繋醤鴎屏莱蝋躯撹溌砺闘餅冴翠鉄亘館桑梼祷涛迩彦粧絶脱瓶倶併併晩顛翻遁叙厩告"
    "窓葱峨略橋杉闊瓶鉱碍秋糧恥腸船櫓萼衄讃貌弁逃舗鶏飄飾駆鰯鵝麺麺",
)
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "⁄": "/"}
_LETTERS |= dict.fromkeys("‘’ʼ", "'")
# Says nothing by itself: accents, Hebrew and Arabic vowel signs, middle dots, variation selectors, soft hyphens, zero
# widths.
_SILENT = regex.compile(
    r"[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652\u0670\u30fb\ufe00-\ufe0f\u00ad"
    r"\u200b-\u200d\u2060\ufeff\U000e0100-\U000e01ef]"
)
# Half-width voiced marks, Hangul vowels and finals: no marks to Unicode, but they become one with what is before them.
_COMBINING = regex.compile(r"[\uff9e\uff9f\u1160-\u11ff]")
_DOTS = {"・", "\uff65"}
_CLUSTER = regex.compile(r"\X")
_LONGEST_CLUSTER = 32
"""So many code points have what are still characters to somebody, families of emoji among them."""
_HYPHEN = regex.compile(r"(?<=\p{Latin})[-\u2010](?=\p{Latin})")

# Spaces, controls and marks, by their numbers: what is taken out of an index must be what was put in, whatever Unicode
# says of a character by then.
_UNBROKEN = re.compile(
    r"[^\x00-\x20!-#%-*,-/:;?@\[-\]_{}\x7f-\xa0\xa1\xa7\xab\xb6\xb7\xbb\xbf\u1680\u2000-\u206f\u2e00-\u2e7f"
    r"\u3000-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303d\u30a0\u30fb\ufe10-\ufe19\ufe30-\ufe6f\uff5f-\uff65]+"
)

_LOOSE = {code: chr(code + 0x60) for code in range(ord("ぁ"), ord("ゖ") + 1)}
_LOOSE |= {ord(small): "カ" for small in "ゕゖヵヶ"} | {ord("斉"): "斎", ord("ゝ"): "ヽ", ord("ゞ"): "ヾ"}


# Characters of ordinary texts whose folded forms are one character each, whatever they stand beside.
_EVEN = re.compile(r"[\n -,.-~、-〕ぁ-ゖァ-ヺー一-鿿々０-９Ａ-Ｚａ-ｚ！？％（）：；]*")

_ENOUGH = 12
"""So many grams of an unbroken text find hardly more texts than all do, and each takes as long as the first."""


class _Characters(dict[int, str]):
    """Each character's folded form, found when it is first met.

    ``uneven``: those whose form is not one character, or is another beside others: marks, and what combines as they do.
    """

    def __init__(self) -> None:
        self.uneven: set[str] = set()

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = self[code] = fold_cluster(character)
        combines = unicodedata.category(character)[0] == "M" or _COMBINING.match(character)
        if len(folded) != 1 or combines:
            self.uneven.add(character)
        return folded


@dataclass(frozen=True)
class Folded:
    """A folded text, and for each of its characters where in the original it stands; None: at the same place."""

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None
    gaps: tuple[int, ...] = ()
    """Before which characters a ・ was dropped: one word ends there, and another begins."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place of ``text[start:end]`` in the original, in code points."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """``text`` as it is compared: ｱｸﾞﾘ is アグリ, ＫＣＮＡ kcna, Café cafe, 髙 高, Wi-Fi wifi; ・ is nothing."""
    plain = text.translate(_characters)
    # Not by a pattern of regex's: it lets go of the interpreter for each, and who waits for it begins to wait anew.
    uneven = _characters.uneven.intersection(text)
    if not uneven:
        folded = Folded(plain)
    elif uneven <= _DOTS:
        folded = _without_dots(text, plain)
    else:
        folded = _by_cluster(text)
    return _joined(folded) if "-" in folded.text or "\u2010" in folded.text else folded


def keeps_places(text: str) -> bool:
    """Whether each character of the text surely stands at the same place in its folded form."""
    return _EVEN.fullmatch(text) is not None


def next_boundary(text: str, at: int) -> int:
    """The first place from this one on at which no character is parted from what combines with it."""
    if not 0 < at < len(text) or keeps_places(text[at - 1 : at + 1]):
        return at
    near = _CLUSTER.finditer(text, max(0, at - _LONGEST_CLUSTER))
    return next((found.end() for found in near if found.end() >= at), at)


def loosen(folded: str) -> str:
    """A folded text in which hiragana is katakana, ヶ カ and 斉 斎: the same characters, one for one."""
    return folded.translate(_LOOSE)


def grams(loose: str) -> set[str]:
    """Every character of a loosened text, every two and every three side by side; marks and spaces part them."""
    found: set[str] = set()
    for run in _UNBROKEN.findall(loose):
        two = [*map(operator.add, run, run[1:])]
        found.update(run, two, map(operator.add, two, run[2:]))
    return found


def least_grams(loose: str) -> set[str]:
    """Few grams that all stand in every text in which this one does: of a long one some, from all over it."""
    found: set[str] = set()
    for run in _UNBROKEN.findall(loose):
        count = max(1, len(run) - 2)
        found.update(run[at : at + 3] for at in (*range(0, count, -(-count // _ENOUGH)), count - 1))
    return found


def pairs(loose: str) -> set[str]:
    """Every two characters that stand side by side in a loosened text."""
    return {pair for run in _UNBROKEN.findall(loose) for pair in map(operator.add, run, run[1:])}


def fold_cluster(cluster: str) -> str:
    """One character with what combines with it, folded; empty where it says nothing."""
    plain = unicodedata.normalize("NFKC", cluster)
    if plain[0] == " " and unicodedata.category(cluster[0]) != "Zs":
        return ""  # an accent that stands by itself, as ゛ ´ ¨: to Unicode a space with one
    spread = unicodedata.normalize("NFD", plain.casefold())
    bare = unicodedata.normalize("NFC", _SILENT.sub("", spread)).translate(_KANJI)
    return "".join(_LETTERS.get(character, character) for character in bare)


def _without_dots(text: str, plain: str) -> Folded:
    """What is uneven for its dots alone, as many Japanese texts are: a quarter of what going by clusters costs."""
    starts = [at for at, character in enumerate(text) if character not in _DOTS]
    dots = (at for at, character in enumerate(text) if character in _DOTS)
    return Folded(plain, starts, [at + 1 for at in starts], tuple(at - before for before, at in enumerate(dots)))


def _by_cluster(text: str) -> Folded:
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    gaps: list[int] = []
    for start, end in (found.span() for found in _CLUSTER.finditer(text)):
        folded = _characters[ord(text[start])] if end - start == 1 else fold_cluster(text[start:end])
        if text[start] in _DOTS:
            gaps.append(len(starts))
        parts.append(folded)
        starts += [start] * len(folded)
        ends += [end] * len(folded)
    return Folded("".join(parts), starts, ends, tuple(gaps))


def _joined(folded: Folded) -> Folded:
    """Without the hyphens between Latin letters."""
    dropped = {found.start() for found in _HYPHEN.finditer(folded.text)}
    if not dropped:
        return folded
    kept = [at for at in range(len(folded.text)) if at not in dropped]
    places = [folded.original(at, at + 1) for at in kept]
    text = "".join(folded.text[at] for at in kept)
    gaps = tuple(gap - sum(at < gap for at in dropped) for gap in folded.gaps)
    return Folded(text, [start for start, _ in places], [end for _, end in places], gaps)


_characters = _Characters()
