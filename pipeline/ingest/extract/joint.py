"""Documents in which several countries speak with one voice."""

from __future__ import annotations

import re

from pipeline.ingest.extract.people import People, word_key
from pipeline.ingest.extract.speakers import Attribution

_TITLE = re.compile(
    r"\bjoint (?:press )?(?:statement|declaration|communiqu[eé]|document)|\bcommuniqu[eé] of the \w+ meeting|"
    r"совместн\w+ (?:заявлени|коммюнике|деклараци)|联合(?:声明|公报|新闻公报|宣言|新闻稿)|共同(?:声明|宣言)",
    re.IGNORECASE,
)
# Leaders "make joint press statements" one after the other: each speaks for himself.
_NOT_JOINT = re.compile(r"statements? (?:to the press|and answers)|press conference|news conference", re.IGNORECASE)
_HAN = re.compile(r"[㐀-鿿]")


def is_joint(title: str) -> bool:
    """Say whether a title is a joint statement's, declaration's or communique's."""
    return bool(_TITLE.search(title)) and not _NOT_JOINT.search(title)


def joint_voice(title: str, people: People, host: str) -> Attribution:
    """Return whose a joint document is: the listed joint voice of its parties, if there is one.

    The country is the host's, on whose site it stands; `Statement.joint` keeps it from counting as the
    host's own position.
    """
    parties = set(_parties(title, people))
    for speaker in people.actors.speaker:
        actors = {role.actor for role in speaker.role}
        if speaker.kind == "institution" and len(parties) > 1 and actors == parties and "joint" in speaker.name.en:
            role = next((r.title for r in speaker.role if r.actor == host), speaker.role[0].title)
            return Attribution(speaker=speaker.name.en, role=role, country=host, how="joint document")
    names = [actor.name.en for actor in people.actors.actor if actor.id in parties]
    voice = f"{', '.join(names)} (joint statement)" if names else ""
    return Attribution(speaker=voice, role="Joint statement", country=host, how="joint document")


def _parties(title: str, people: People) -> list[str]:
    words = word_key(title)
    found = []
    for key, actor in people.places.items():
        if len(key) == 1 and _HAN.search(key[0]):
            if key[0] in title:
                found.append(actor.id)
        elif any(words[at : at + len(key)] == key for at in range(len(words))):
            found.append(actor.id)
    return found
