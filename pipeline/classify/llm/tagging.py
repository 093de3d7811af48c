"""Tag statements by a language model's answers: in order, with bounded work ahead, from the cache if it can."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.classify.llm.answers import (
    Answer,
    InvalidAnswerError,
    prompt_version,
    read_answer,
    system_prompt,
    tags_of,
)
from pipeline.classify.llm.cache import AnswerCache
from pipeline.classify.llm.chat import ChatClient, LlmError, Message
from pipeline.classify.llm.settings import PREFIX
from pipeline.config import Targets
from pipeline.schema import Statement, Tag

_MENDING = 3
"""Times that a model is asked for one answer: an invalid one is shown to it with what is wrong."""
_SAMPLING = 0.7
"""Temperature when several answers are asked for; a single one is asked for at 0."""

_Task = tuple[Statement, int, str | None, "Future[Answer] | None"]


def tag_with_llm(
    client: ChatClient,
    cache: AnswerCache,
    statements: Iterable[Statement],
    *,
    targets: Targets,
    chosen: Sequence[str] | None = None,
) -> Iterator[tuple[Statement, list[Tag]]]:
    """Yield each statement with its tags, one per target, in order.

    At most `concurrency` requests are under way, and no more statements than twice that are read ahead. Every valid
    answer is kept at once.

    Parameters
    ----------
    client : ChatClient
    cache : AnswerCache
        Used from this thread only.
    statements : iterable of Statement
    targets : Targets
        With their rules: all are asked about together.
    chosen : sequence of str, optional
        Targets to tag, all by default.

    Raises
    ------
    UsageError, LlmError
        As `ChatClient.ask`, and when an answer stays invalid; what was answered until then is in the cache.
    """
    settings = client.settings
    prompt = system_prompt(targets)
    version = prompt_version(prompt)
    model_id = f"{PREFIX}{settings.model}@{version}"
    names = [target for target in targets.ids if chosen is None or target in chosen]

    def begin(statement: Statement, sample: int) -> _Task:
        known = cache.get(version, settings.model, statement.text, sample)
        if known is not None:
            return statement, sample, known, None
        return statement, sample, None, pool.submit(_ask, client, prompt, statement, targets.ids)

    def end(task: _Task) -> Answer:
        statement, sample, known, future = task
        if future is None:
            client.usage.cached += 1
            return read_answer(known or "", statement.text, targets.ids)
        answer = future.result()
        cache.put(version, settings.model, statement.text, sample, answer.model_dump_json())
        return answer

    tasks = ((statement, sample) for statement in statements for sample in range(settings.samples))
    pool = ThreadPoolExecutor(max_workers=settings.concurrency)
    try:
        waiting = deque(begin(*task) for task in itertools.islice(tasks, 2 * settings.concurrency))
        answers: list[Answer] = []
        while waiting:
            task = waiting.popleft()
            answers.append(end(task))
            waiting.extend(begin(*following) for following in itertools.islice(tasks, 1))
            if len(answers) == settings.samples:
                yield task[0], tags_of(answers, task[0].text, names, model_id)
                answers = []
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ask(client: ChatClient, prompt: str, statement: Statement, targets: Sequence[str]) -> Answer:
    """Ask until the answer is valid."""
    temperature = 0.0 if client.settings.samples == 1 else _SAMPLING
    messages: list[Message] = [
        {"role": "system", "content": prompt},
        {"role": "user", "content": f"<text>\n{statement.text}\n</text>"},
    ]
    wrong = ""
    for _ in range(_MENDING):
        content = client.ask(messages, temperature=temperature)
        try:
            return read_answer(content, statement.text, targets)
        except InvalidAnswerError as error:
            wrong = str(error)
            messages = [
                *messages[:2],
                {"role": "assistant", "content": content},
                {
                    "role": "user",
                    "content": f"That answer cannot be used: {wrong}. Give the whole JSON object again.",
                },
            ]
    raise LlmError(
        f"{client.settings.model} gave no usable answer on statement {statement.statement_id} in {_MENDING} tries "
        f"({wrong}); answers so far are kept."
    )
