"""Languages: those the model reads are known from a few words, and no other passes for one of them."""

import subprocess
import sys

import pytest

from pipeline.classify.language import LANGUAGES, detect_language, guess_language

# Every text is invented. What is asked is the language alone.
READ = {
    "en": [
        "The harbour",
        "Recognition is premature.",
        "No recognition now",
        "HARBOUR OPEN",
        "THE HARBOUR IS OPEN TO ALL OF THE VESSELS OF THE LEAGUE",
        "Anna Vell met Osk Brandt.",
        "The minister met Göring-Łukasz in the Élysée and said that the talks had been useful to the region.",
        "After Çağrı Şükrüoğlu and Gül Kılıç had spoken, the chair read the agenda and asked who else would like "
        "to have the floor; there was nobody, so that the council went on to the railway, which it had put off.",
        "Ms Ødegård-Müller told the council that the harbour is open and that it should not be closed again.",
        "Between 2021 and 2025 the League of Северный порт, as it calls itself, was in talks with the council.",
        "The ministry, 外交部, said that the railway would be built together with the neighbours of the country.",
    ],
    "ru": [
        "Гавань",
        "Признание преждевременно.",
        "Страна готова помогать соседям",
        "ПРИЗНАНИЕ НЕВОЗМОЖНО, И ОБ ЭТОМ БЫЛО СКАЗАНО НЕ РАЗ НА ВСЕХ ВСТРЕЧАХ",
        "Министр Жээнбек Кулубаев сказал, что страны региона не признают движение, но будут с ним говорить.",
        "На встрече с Оразұлы и Ўктамом министр заявил, что дорога будет построена и что она нужна всем.",
        "Представитель NATO сказал, что гавань открыта для всех судов и что так будет и в следующем году.",
        "Ещё не время, и всё же мы её ждём.",
    ],
    "zh": [
        "港口",
        "承认为时过早",
        "外交部发言人说，港口对所有船只开放，铁路将共同建设。",
        "外交部發言人說，港口對所有船隻開放。",
        "NATO应该反思它造成的灾难。",
        "中方希望各方保持克制,发言人说SCO成员国将加强合作。",
        "2021年8月15日",
    ],
}
OTHERS = {
    "uk": [
        "Україна проти",
        "Україна підтримує мирний процес у регіоні та закликає сторони до переговорів, щоб їхні громадяни жили.",
        "Міністр закордонних справ заявив, що країна не визнає новий уряд і чекає виборів.",
    ],
    "tg": [
        "Вазири корҳои хориҷӣ гуфт, ки кишвари ӯ аз ҳамсоягон ҳимоят мекунад ва роҳи оҳанро мекушояд.",
        "Роҳи оҳан барои ҳамаи ҳамсоягон кушода аст, гуфт вазир.",
    ],
    "ky": ["Кыргызстан өз коңшулары менен бирге темир жол курууга даяр экенин министр билдирди, көп иш бар."],
    "kk": ["Сыртқы істер министрі көршілерге көмек көрсетуге дайын екенін айтты, теміржол да салынады."],
    "bg": ["Министърът заяви, че страната му няма да признае новото правителство преди изборите."],
    "fr": [
        "Le ministre a déclaré que son pays ne reconnaîtra pas le nouveau gouvernement avant les élections.",
        "Le port est ouvert et les navires arrivent chaque matin avec des vivres pour la ville.",
    ],
    "de": [
        "Der Minister sagte, dass sein Land die neue Regierung nicht anerkennen werde, bevor gewählt worden ist.",
        "Der Hafen ist offen und die Schiffe kommen jeden Morgen mit Brot in die Stadt.",
    ],
    "es": ["El ministro dijo que su país no reconocerá al nuevo gobierno antes de las elecciones."],
    "tr": ["Bakan, ülkesinin yeni hükümeti tanımayacağını ve komşularla görüşeceğini söyledi."],
    "ja": ["日本の港", "外相は、新しい政府を承認する時期ではないと述べた。", "港は開いています。"],
    "ko": ["장관은 새 정부를 승인하지 않는다고 밝혔다."],
    "fa": ["وزیر امور خارجه گفت که کشور ما هنوز دولت جدید را به رسمیت نمی‌شناسد."],
}


def of_all(texts: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(lang, text) for lang, of_one in texts.items() for text in of_one]


@pytest.mark.parametrize(("lang", "text"), of_all(READ))
def test_the_languages_the_model_reads_are_known_even_from_a_word_or_with_foreign_names(lang, text):
    assert detect_language(text) == lang


@pytest.mark.parametrize(("lang", "text"), of_all(OTHERS))
def test_another_language_is_not_taken_for_the_one_that_shares_its_script(lang, text):
    assert detect_language(text) == lang


@pytest.mark.parametrize("text", ["Ҳамсоягон", "Ўзбек", "Grüße", "دولت", "ქართული", "हिन्दी"])
def test_a_word_with_letters_of_its_own_is_no_language_of_the_model(text):
    assert detect_language(text) not in LANGUAGES


@pytest.mark.parametrize("text", ["", " \n", "123 456", "😀 …", "— 5 %"])
def test_without_letters_it_is_english(text):
    assert detect_language(text) == guess_language(text) == "en"


def test_the_beginning_of_a_text_decides():
    russian, french = (of_one[-1] + " " for of_one in (READ["ru"], OTHERS["fr"]))
    assert detect_language(french * 20 + russian * 60) == "fr"
    assert detect_language(russian * 60 + french * 60) == "ru"


def test_texts_in_the_model_s_languages_do_not_load_the_other_languages_model():
    english, russian, chinese = READ["en"][-1], READ["ru"][-2], READ["zh"][-1]
    usual = [english, english.upper(), russian, russian.upper(), chinese]
    script = (
        "import sys; from pipeline.classify.language import detect_language as d; "
        f"assert [d(t) for t in {usual!r}] == ['en', 'en', 'ru', 'ru', 'zh']; "
        "assert 'py3langid' not in sys.modules; "
        f"assert d({OTHERS['de'][0]!r}) == 'de'; assert 'py3langid' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# By script alone


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The harbour", "en"),
        ("Гавань открыта", "ru"),
        ("港口开放", "zh"),
        ("", "en"),
        ("123 😀 …", "en"),
        ("NATO и СНГ в гавани", "ru"),
        ("ёж", "ru"),
        ("UN 港口", "zh"),  # two letters against twice two
        ("Unio 港口", "en"),  # four against four
        ("Unions 港口", "en"),
        ("дом 港口", "zh"),
        ("é è ü", "en"),
        ("NATO应该反思它造成的灾难", "zh"),  # no space sets the name apart
        ("与US合作", "zh"),
        ("МИД港口", "zh"),
        ("open порт", "en"),  # four against four: the first named wins
        ("㐀", "zh"),
        ("鿿", "zh"),
    ],
)
def test_the_language_is_that_of_most_letters(text, lang):
    assert guess_language(text) == lang
