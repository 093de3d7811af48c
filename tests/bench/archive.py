"""Make an archive of statements to measure speed on: half name a target, half name none; about 35 words each.

    python -m tests.bench.archive 1000000 archive.csv

Those that name targets are put together from sentences of the bundled corpus, so that none of them is a text that
the model was trained on; the silent ones from the fragments below, written for this. One word in twenty is made
up, drawn by rank from 200,000 of them as rare words are in an archive (Zipf), so that caches meet what they would.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

WORDS = 35
RARE_SHARE = 0.05
RARE_WORDS = 200_000
COLUMNS = ("statement_id", "doc_id", "date", "speaker", "country", "lang", "text")
LANGUAGES = {"en": 0.5, "ru": 0.25, "zh": 0.25}
_CORPUS = Path(__file__).parents[2] / "corpus"
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]+")
_SYLLABLES = ["ba", "de", "fi", "go", "ku", "la", "mer", "no", "pi", "ras", "so", "tu", "ve", "wi", "yan", "zor"]
_CYRILLIC = ["ба", "де", "фи", "го", "ку", "ла", "мер", "но", "пи", "рас", "со", "ту", "ве", "ви", "ян", "зор"]

SILENT = {
    "en": (
        "The city orchestra opened its season with two symphonies and a new work by a local composer.",
        "Farmers in the valley expect a good harvest of apples after a mild spring and steady rain.",
        "The museum will lend forty paintings of the last century to galleries in three other towns.",
        "Engineers are testing a lighter bridge deck that should last twice as long as the old one.",
        "The children's hospital has received new equipment for its heart department.",
        "Our team won the final by two goals to one, and thousands of supporters filled the square.",
        "The ministry of education will publish the results of the school examinations on Monday.",
        "A new railway line will cut the journey between the two provincial capitals to an hour.",
        "Scientists have found a way to store electricity from wind more cheaply than before.",
        "The price of bread rose slightly in May, while vegetables and fruit became cheaper.",
        "The library stays open until midnight during the weeks before the university examinations.",
        "Volunteers planted three thousand trees along the river in a single weekend.",
        "The port handled more containers this quarter than in any earlier one.",
        "We congratulated the winners of the chess tournament and wished them further success.",
        "The film about the great flood was shown at the opening of the festival.",
        "Doctors advise older people to stay out of the sun between noon and four o'clock.",
    ),
    "ru": (
        "Городской оркестр открыл сезон двумя симфониями и новым сочинением местного композитора.",
        "В долине ждут хорошего урожая яблок после мягкой весны и ровных дождей.",
        "Музей передаст на выставку сорок картин прошлого века из своих запасников.",
        "Инженеры испытывают более легкое полотно моста, которое прослужит вдвое дольше прежнего.",
        "Детская больница получила новое оборудование для отделения кардиологии.",
        "Наша команда выиграла финал со счетом два один, и тысячи болельщиков вышли на площадь.",
        "Министерство образования опубликует итоги школьных экзаменов в понедельник.",
        "Новая железная дорога сократит путь между двумя областными центрами до часа.",
        "Ученые нашли способ дешевле хранить электричество, полученное от ветра.",
        "Хлеб в мае немного подорожал, а овощи и фрукты стали дешевле.",
        "Библиотека работает до полуночи в недели перед университетскими экзаменами.",
        "Добровольцы посадили три тысячи деревьев вдоль реки за одни выходные.",
    ),
    "zh": (
        "市交响乐团以两部交响曲和一部本地作曲家的新作拉开了演出季的序幕。",
        "山谷里的果农预计今年苹果将获得丰收，因为春天温和，雨水均匀。",
        "博物馆将向三座城市的美术馆出借四十幅上世纪的油画。",
        "工程师正在试验一种更轻的桥面，它的使用寿命是原来的两倍。",
        "儿童医院的心脏科收到了一批新设备。",
        "我们的球队以二比一赢得决赛，数千名球迷涌上广场庆祝。",
        "教育部门将于星期一公布学校考试成绩。",
        "新铁路将把两座省会之间的路程缩短到一个小时。",
        "科学家找到了一种更便宜的储存风电的方法。",
        "五月份面包价格略有上涨，蔬菜和水果则便宜了。",
    ),
}  # fmt: skip


def corpus_sentences() -> dict[str, list[str]]:
    """Return the sentences of the bundled corpus by language."""
    found: dict[str, list[str]] = {lang: [] for lang in LANGUAGES}
    paths = [_CORPUS / "documented" / "statements.jsonl", *sorted((_CORPUS / "authored").glob("*.jsonl"))]
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            found[record["lang"]] += [part.strip() for part in _SENTENCE.findall(record["text"])]
    return found


def rare_words(syllables: list[str], rng: np.random.Generator) -> list[str]:
    """Return made-up words, the commonest first."""
    parts = rng.integers(0, len(syllables), (RARE_WORDS, 4))
    return ["".join(syllables[i] for i in row) for row in parts]


def statements(n: int, *, silent: float = 0.5, seed: int = 0) -> Iterator[dict[str, str]]:
    """Yield n statements; `silent` is the share of those made of fragments that name no target."""
    rng = np.random.default_rng(seed)
    speaking, rare = corpus_sentences(), {"en": rare_words(_SYLLABLES, rng), "ru": rare_words(_CYRILLIC, rng)}
    langs = rng.choice(list(LANGUAGES), n, p=list(LANGUAGES.values()))
    quiet = rng.random(n) < silent
    for row in range(n):
        lang = str(langs[row])
        text = _text(SILENT[lang] if quiet[row] else speaking[lang], lang, rng)
        if lang in rare:
            text = _with_rare(text, rare[lang], rng)
        yield {
            "statement_id": f"s{row:09d}",
            "doc_id": f"d{row // 3:09d}",
            "date": f"{2010 + row // 3 % 15}-{1 + row // 3 % 12:02d}-{1 + row // 3 % 28:02d}",
            "speaker": f"Speaker {row % 211}",
            "country": ("CHN", "RUS")[row // 3 % 2],
            "lang": lang,
            "text": text,
        }


def _text(sentences: tuple[str, ...] | list[str], lang: str, rng: np.random.Generator) -> str:
    """Put sentences together up to about `WORDS` words; a Chinese word is taken as 1.7 characters."""
    chosen: list[str] = []
    size = 0.0
    while size < WORDS:
        sentence = sentences[int(rng.integers(len(sentences)))]
        length = len(sentence) / 1.7 if lang == "zh" else len(sentence.split())
        if chosen and size + length > WORDS + 10:
            break
        chosen.append(sentence)
        size += length
    return ("" if lang == "zh" else " ").join(chosen)


def _with_rare(text: str, rare: list[str], rng: np.random.Generator) -> str:
    words = text.split()
    for place in np.flatnonzero(rng.random(len(words)) < RARE_SHARE):
        rank = int(RARE_WORDS ** rng.random()) - 1  # Zipf: equal mass in equal ratios of rank
        words[place] = rare[rank]
    return " ".join(words)


def write(n: int, path: Path, *, silent: float = 0.5) -> None:
    """Write n statements as CSV or Parquet, by the file's name."""
    rows = statements(n, silent=silent)
    if path.suffix == ".parquet":
        _write_parquet(rows, path)
        return
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(rows: Iterator[dict[str, str]], path: Path) -> None:
    import itertools

    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    with pq.ParquetWriter(path, schema) as writer:
        while part := list(itertools.islice(rows, 50_000)):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
