"""Resolve a speaker label to a person, a country and the role held on that date, or say why it cannot be.

Nobody is booked to a country because of the page that carries the words: a country comes from the speaker's
entry in actors.toml and the date, or from the label itself ("Prime Minister of India ...", "(China)").
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.config import Role, Speaker
from pipeline.ingest.extract.people import People, is_tagged_surname, mentions, place_named, word_key

_PARENTHESES = re.compile(r"\s*[(（\[]([^()（）\[\]]*)[)）\]]")
_HONORIFIC = re.compile(
    r"^(?:Mr|Mrs|Ms|Miss|Mme|Dr|Sir|Dame|Lord|Baroness|Prince|Princess|Sheikh|Archbishop|Monsignor)\.?\s+(?=\S)"
)
_OF_PLACE = re.compile(r"\b(?:of|for)\s+(?:the\s+)?([^,]+?)\s*,?$")
_NAME_WORD = re.compile(r"^[A-ZА-ЯЁ][\w’'.\-]*$")
# What tells one office from another; the small words of titles do not.
_TITLE_NOISE = frozenset(["of", "the", "for", "and", "to", "affairs", "state", "deputy", "first", "s"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Whose words these are: `speaker` as actors.toml spells it or as labelled, `how` it is known."""

    speaker: str = ""
    role: str = ""
    country: str = ""
    how: str = ""


UNKNOWN = Attribution(how="no speaker is named")


def resolve(
    label: str,
    *,
    people: People,
    day: dt.date | None,
    country: str = "",
    earlier: Sequence[Attribution] = (),
    labels: frozenset[str] = frozenset(),
) -> Attribution:
    """Return whose words a label stands for.

    Parameters
    ----------
    label : str
        As written, without its colon: "President of Russia Vladimir Putin", "毛宁", "Mr. Nebenzia".
    people : People
    day : date, optional
        When it was said; decides the role, and between namesakes.
    country : str
        What the record itself says beside the name ("Russian Federation"), if it does.
    earlier : sequence of Attribution
        Those of the same document before: "Manmohan Singh" after "Prime Minister of India Manmohan Singh".
    labels : frozenset of str
        All labels of the document: one that ends a longer one is the name in it.
    """
    asides = _PARENTHESES.findall(label)
    name = _HONORIFIC.sub("", _PARENTHESES.sub("", label).strip(" :：,"))
    place = country or next((aside for aside in asides if place_named(aside, people)), "")
    tagged = is_tagged_surname(name, people)
    candidates, office = _candidates(name, people, with_surname=bool(place) or tagged)
    if not candidates:
        return _unlisted(name, place, people, earlier, labels)
    stated = place or _place_of(office, people)
    if stated:
        actor = place_named(stated, people)
        return _of_country(candidates, office, actor.id if actor else "", stated, day)
    known = [a for a in earlier if a.country and a.speaker in {c.name.en for c in candidates}]
    if known:
        return replace(known[-1], how="named before")
    return _of_office(name, candidates, office, day)


def _candidates(name: str, people: People, *, with_surname: bool) -> tuple[tuple[Speaker, ...], str]:
    """Return the listed speakers that bear the name, and what the label says beside it (the office)."""
    exact = people.joined.get("".join(word_key(name))) or people.han.get(name.replace(" ", ""))
    if exact:
        return exact, ""
    found = mentions(name, people)
    persons = [m for m in found if any(s.kind == "person" for s in m.speakers)] or list(found)
    # "Wang Yi's deputy" is someone else: the name must begin or end the label.
    ends = [m for m in persons if m.end == len(name) or (m.start == 0 and name[m.end] in ",，(")]
    if ends:
        chosen = ends[-1]
        return chosen.speakers, f"{name[: chosen.start]} {name[chosen.end :]}".strip(" ,，")
    key = word_key(name)
    if with_surname and key:
        return people.surnames.get(key[-1]) or people.surnames.get(key[0], ()), ""
    return (), ""


def _place_of(office: str, people: People) -> str:
    """Return the country that an office names: "President of Russia", "Prime Minister of the Republic of India"."""
    match = _OF_PLACE.search(office)
    if match and place_named(match.group(1).split(" of ")[-1], people):
        return match.group(1).split(" of ")[-1]
    return ""


def _of_country(
    candidates: Sequence[Speaker], office: str, actor: str, stated: str, day: dt.date | None
) -> Attribution:
    """Choose among bearers of a name by the country that the label states."""
    name = candidates[0].name.en
    of_actor = [c for c in candidates if any(role.actor == actor for role in c.role)]
    if not of_actor:
        return Attribution(
            speaker=name, role=office, country=actor, how=f"the label says {stated}; no listed {name} speaks for it"
        )
    if len(of_actor) > 1:
        return _of_office(name, [c for c in of_actor if _roles(c, day, actor)] or of_actor, office, day)
    role = _best(_roles(of_actor[0], day, actor), office)
    return Attribution(
        speaker=of_actor[0].name.en, role=role.title if role else office, country=actor, how="name and country"
    )


def _of_office(name: str, candidates: Sequence[Speaker], office: str, day: dt.date | None) -> Attribution:
    """Choose among bearers of a name by the office and the date; several left means unknown."""
    in_office = [c for c in candidates if _roles(c, day)]
    fitting = _fitting(in_office, office, day) if office and len(in_office) > 1 else in_office
    if len(fitting) == 1:
        return _held(fitting[0], office, day, "name" if len(candidates) == 1 else "name, office and date")
    if len(candidates) == 1:
        speaker = candidates[0]
        return Attribution(speaker=speaker.name.en, role=office, how=f"no office of {name} is known for that date")
    shared = "; ".join(f"{c.name.en} ({', '.join(dict.fromkeys(r.actor for r in c.role))})" for c in candidates)
    return Attribution(speaker=name, role=office, how=f"name shared by {shared}")


def _held(speaker: Speaker, office: str, day: dt.date | None, how: str) -> Attribution:
    roles = _roles(speaker, day)
    actors = {role.actor for role in roles}
    role = _best(roles, office)
    if len(actors) > 1 and speaker.kind == "person":
        return Attribution(speaker=speaker.name.en, role=office, how=f"speaks for {', '.join(sorted(actors))}")
    if role is None:
        return Attribution(speaker=speaker.name.en, role=office, how=how)
    title = role.title if day else office
    return Attribution(speaker=speaker.name.en, role=title, country=role.actor, how=how)


def _roles(speaker: Speaker, day: dt.date | None, actor: str | None = None) -> tuple[Role, ...]:
    if day is None:
        return tuple(role for role in speaker.role if actor is None or role.actor == actor)
    return speaker.roles_on(day, actor)


def _best(roles: Sequence[Role], office: str) -> Role | None:
    """Return the role whose title is most like the office named, the latest of equals."""
    if not roles:
        return None
    wanted = _title_words(office)
    return max(roles, key=lambda role: (len(wanted & _title_words(role.title)), role.start))


def _fitting(speakers: Sequence[Speaker], office: str, day: dt.date | None) -> list[Speaker]:
    """Return the speakers whose titles share most words with the office named, none when no title shares any."""
    wanted = _title_words(office)
    shared = [max(len(wanted & _title_words(role.title)) for role in _roles(s, day)) for s in speakers]
    return [s for s, count in zip(speakers, shared, strict=True) if 0 < count == max(shared)]


def _title_words(title: str) -> set[str]:
    return {word for word in word_key(title) if word not in _TITLE_NOISE}


def _unlisted(
    name: str, place: str, people: People, earlier: Sequence[Attribution], labels: frozenset[str]
) -> Attribution:
    """Return a speaker who is not in actors.toml: by name, with a country only if the record states one."""
    before = [a for a in earlier if a.speaker and _same(a.speaker, name)]
    if before:
        return before[-1]
    shorter = [label for label in labels if name.endswith(f" {label}") and len(label.split()) > 1]
    person = max(shorter, key=len, default="")
    office = name[: -len(person)].strip() if person else ""
    if not person:
        person, office = split_label(name, people)
    stated = place or _place_of(office, people)
    actor = place_named(stated, people) if stated else None
    how = "not listed in actors.toml" + ("; the label states the country" if actor else "")
    return Attribution(speaker=person, role=office, country=actor.id if actor else "", how=how)


def _same(known: str, name: str) -> bool:
    """Say whether one name ends with the other, word for word ("Mohammed Barkindo", "Barkindo")."""
    shorter, longer = sorted((word_key(known), word_key(name)), key=len)
    return bool(shorter) and longer[len(longer) - len(shorter) :] == shorter and len(shorter) > 1


def split_label(label: str, people: People) -> tuple[str, str]:
    """Return (name, office) of a label whose name is not listed.

    "Prime Minister of India Manmohan Singh" parts behind the country, "Vladimir Fortov, Secretary of ..." at
    the comma; otherwise the name is what stands, capitalised, behind the last small word, two words at least.
    """
    if "," in label:
        before, _, behind = label.partition(",")
        if len(before.split()) <= 4 and all(_NAME_WORD.match(w) for w in before.split()):
            return before.strip(), behind.strip()
    words = label.split()
    if len(words) <= 3 or not all(ord(c) < 0x3000 for c in label):
        return label, ""
    for at in (len(words) - 2, len(words) - 3):
        for start in range(max(1, at - 4), at):
            if words[start - 1] in {"of", "the"} and place_named(" ".join(words[start:at]), people):
                return " ".join(words[at:]), " ".join(words[:at])
    return " ".join(words[-2:]), " ".join(words[:-2])
