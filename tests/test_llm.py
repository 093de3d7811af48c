"""The language-model backend against a real server on loopback: what it sends, what it believes, what it survives."""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.classify.llm.answers import (
    Answer,
    InvalidAnswerError,
    prompt_version,
    quote_span,
    read_answer,
    system_prompt,
    tags_of,
)
from pipeline.classify.llm.cache import AnswerCache
from pipeline.classify.llm.chat import LONGEST_WAIT, ChatClient, LlmError
from pipeline.classify.llm.settings import LlmSettings, settings_from_environment
from pipeline.classify.llm.tagging import tag_with_llm
from pipeline.cli.app import app
from pipeline.errors import StoreError, UsageError

TEXT = "Foreign vessels are welcome in the harbour. The choir sang."
RIGHT = {
    "harbour": {"stance": "favor", "quote": "vessels are welcome"},
    "railway": {"stance": "none", "quote": ""},
}
NOTHING = {target: {"stance": "none", "quote": ""} for target in RIGHT}


def completion(content: Any, tokens: tuple[int, int] = (100, 10)) -> bytes:
    text = content if isinstance(content, str) else json.dumps({"targets": content})
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return json.dumps({"choices": [{"message": {"content": text}}], "usage": usage}).encode()


class Server:
    """A server that answers each request by the next of its replies, the last one again and again."""

    def __init__(self) -> None:
        self.replies: list[Any] = [completion(RIGHT)]
        self.requests: list[dict[str, Any]] = []
        self.under_way = self.most_under_way = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = outer.next_reply({"path": self.path, "key": self.headers["Authorization"], "body": body})
                try:
                    status, headers, content = reply(body) if callable(reply) else reply
                finally:
                    outer.done()
                (self.send_response_only if "Date" in headers else self.send_response)(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None: ...

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None: ...  # a client that timed out has hung up

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def next_reply(self, request: dict[str, Any]) -> Any:
        with self._lock:
            reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
            self.requests.append(request)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        return reply if callable(reply) or isinstance(reply, tuple) else (200, {}, reply)

    def done(self) -> None:
        with self._lock:
            self.under_way -= 1

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def ask(server, tmp_path, tiny_targets, make_statement) -> Callable[..., Any]:
    """Tag texts through the server; the waits and the usage of the last run are kept on the function."""

    def run(*texts: str, chosen=None, **settings: Any) -> list[Any]:
        given = LlmSettings(
            **{"url": server.url, "model": "m", "cache": tmp_path / "c" / "answers.sqlite", **settings}
        )
        statements = [make_statement(n, text=text) for n, text in enumerate(texts or (TEXT,), start=1)]
        run.waits = []
        with AnswerCache(given.cache) as cache, ChatClient(given, wait=run.waits.append) as client:
            run.usage = client.usage
            return list(tag_with_llm(client, cache, statements, targets=tiny_targets, chosen=chosen))

    return run


# What is asked, and what an answer becomes


def test_an_answer_becomes_tags_with_probabilities_and_a_quote(server, ask):
    ((statement, (harbour, railway)),) = ask()
    assert statement.text == TEXT
    assert (harbour.target, harbour.stance, railway.target, railway.stance) == (
        "harbour",
        "favor",
        "railway",
        "none",
    )
    assert harbour.probabilities == pytest.approx((1.1 / 1.4, 0.1 / 1.4, 0.1 / 1.4, 0.1 / 1.4))
    assert harbour.confidence == max(harbour.probabilities)
    assert TEXT[harbour.evidence_start : harbour.evidence_end] == harbour.evidence == "vessels are welcome"
    assert (railway.evidence, railway.evidence_start, railway.evidence_end) == ("", None, None)
    assert not harbour.abstained
    assert harbour.model_id.startswith("llm:m@")


def test_the_request_holds_model_codebook_and_text_and_the_key_as_a_bearer(server, ask, tiny_targets):
    ask(key="s3cret")
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["key"] == "Bearer s3cret"
    assert request["body"]["model"] == "m"
    assert request["body"]["temperature"] == 0
    system, user = request["body"]["messages"]
    assert system["content"] == system_prompt(tiny_targets)
    assert TEXT in user["content"]
    assert "Foreign vessels are welcome in the harbour." in system["content"]  # the proposition
    ask(f"{TEXT} Again.")
    assert server.requests[1]["key"] is None


def test_the_prompt_holds_the_whole_codebook_where_there_is_one(tiny_targets, tmp_path):
    (tmp_path / "codebook.md").write_text("When both, code neutral.", encoding="utf-8")
    with_codebook = system_prompt(tiny_targets, tmp_path)
    assert "When both, code neutral." in with_codebook
    assert prompt_version(with_codebook) != prompt_version(system_prompt(tiny_targets, tmp_path / "none"))


def test_targets_can_be_chosen_but_all_are_asked_about(server, ask):
    ((_, tags),) = ask(chosen=["railway"])
    assert [tag.target for tag in tags] == ["railway"]
    assert "harbour" in server.requests[0]["body"]["messages"][0]["content"]


def test_several_samples_vote_and_disagreement_lowers_the_probability(server, ask):
    against = {**RIGHT, "harbour": {"stance": "against", "quote": "The choir"}}
    short = {**RIGHT, "harbour": {"stance": "favor", "quote": "welcome"}}
    server.replies = [completion(reply) for reply in (RIGHT, against, short)]
    ((_, (harbour, railway)),) = ask(samples=3, concurrency=1)
    assert harbour.stance == "favor"
    assert harbour.probabilities == pytest.approx((2.1 / 3.4, 0.1 / 3.4, 1.1 / 3.4, 0.1 / 3.4))
    assert harbour.evidence == "welcome"  # the shortest of those that won
    assert railway.confidence == pytest.approx(3.1 / 3.4)
    assert {request["body"]["temperature"] for request in server.requests} == {0.7}


def test_votes_that_do_not_settle_it_abstain(server, ask):
    neutral = {**RIGHT, "harbour": {"stance": "neutral", "quote": "harbour"}}
    server.replies = [completion(reply) for reply in (RIGHT, neutral)]
    ((_, (harbour, _)),) = ask(samples=2, concurrency=1)
    assert harbour.abstained
    assert harbour.stance == "favor"  # given first


# What is believed


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("no JSON at all", "JSON"),
        ('{"targets": {"harbour": ', "JSON"),
        ('["favor"]', "answer"),
        ({"harbour": RIGHT["harbour"]}, "exactly"),
        ({**RIGHT, "bridge": {"stance": "none", "quote": ""}}, "exactly"),
        ({**RIGHT, "railway": {"stance": "supportive", "quote": ""}}, "railway"),
        ({**RIGHT, "railway": {"stance": "favor", "quote": "railways are fine"}}, "not in the text"),
        ({**RIGHT, "railway": {"stance": "favor", "quote": ""}}, "not in the text"),
        ({**RIGHT, "railway": {"stance": "none", "quote": "", "why": "x"}}, "why"),
        ({**RIGHT, "railway": {"quote": ""}}, "stance"),
        ({**RIGHT, "railway": {"stance": "none", "quote": 3}}, "quote"),
    ],
)
def test_an_invalid_answer_is_shown_to_the_model_with_what_is_wrong(server, ask, content, wrong):
    server.replies = [completion(content), completion(RIGHT)]
    ((_, (harbour, _)),) = ask()
    assert harbour.stance == "favor"
    assert len(server.requests) == 2
    *_, answered, correction = server.requests[1]["body"]["messages"]
    assert answered["role"] == "assistant"
    assert wrong in correction["content"]


def test_an_answer_that_stays_invalid_stops_the_run_and_nothing_is_guessed(server, ask):
    server.replies = [completion(NOTHING), completion("I cannot do that.")]
    with pytest.raises(LlmError, match=r"x2 in 3 tries .*answers so far are kept"):
        ask("First.", "Second.", concurrency=1)
    server.replies = [completion(RIGHT)] * 10
    ask("First.", concurrency=1)
    assert ask.usage.calls == 0  # the first was kept


def test_a_fenced_answer_and_a_quote_with_other_white_space_are_read():
    fenced = f"```json\n{json.dumps({'targets': RIGHT})}\n```"
    assert read_answer(fenced, TEXT, ["harbour", "railway"]).targets["harbour"].stance == "favor"
    text = "The vessels\n  are   welcome."
    assert quote_span("vessels are welcome", text) == (4, 27)
    assert quote_span("Vessels are", text) is None
    assert quote_span(" ", text) is None
    assert quote_span("c++ (a.b)", "x c++ (a.b) y") == (2, 11)


def test_a_quote_beside_none_is_no_evidence():
    answer = Answer.model_validate({"targets": {"harbour": {"stance": "none", "quote": "anything"}}})
    read_answer(answer.model_dump_json(), TEXT, ["harbour"])
    (tag,) = tags_of([answer], TEXT, ["harbour"], "llm:m")
    assert (tag.evidence, tag.evidence_start) == ("", None)
    with pytest.raises(InvalidAnswerError):
        read_answer(answer.model_dump_json(), TEXT, ["harbour", "railway"])


# What is survived


def test_a_busy_server_is_asked_again_after_as_long_as_it_says(server, ask):
    dates = {"Date": "Tue, 06 May 2031 10:00:00 GMT", "Retry-After": "Tue, 06 May 2031 10:00:07 GMT"}
    server.replies = [
        (429, {"Retry-After": "3"}, b""),
        (503, {"Retry-After": "9999"}, b"busy"),
        (429, dates, b""),
        completion(RIGHT),
    ]
    ((_, (harbour, _)),) = ask()
    assert harbour.stance == "favor"
    assert ask.waits == [3.0, LONGEST_WAIT, 7.0]
    assert (ask.usage.calls, ask.usage.retries) == (4, 3)


def test_errors_of_the_server_and_broken_answers_are_tried_again_with_growing_waits(server, ask):
    server.replies = [(500, {}, b"oops"), (200, {}, b"<html>"), (200, {}, b'{"choices": []}'), completion(RIGHT)]
    ask()
    assert ask.waits == [1.0, 2.0, 4.0]


def test_a_server_that_stays_broken_ends_in_one_line(server, ask):
    server.replies = [(500, {}, b"")]
    with pytest.raises(LlmError, match=r"no answer in 4 tries \(status 500\)"):
        ask()
    assert len(server.requests) == 4
    assert len(ask.waits) == 3  # none after the last


def test_a_server_that_does_not_answer_is_given_up_on(server, ask):
    release = threading.Event()

    def hang(_: Any) -> tuple[int, dict[str, str], bytes]:
        release.wait(30)
        return 200, {}, completion(RIGHT)

    server.replies = [hang, completion(RIGHT)]
    begun = time.monotonic()
    try:
        ((_, (harbour, _)),) = ask(timeout=0.3)
    finally:
        release.set()
    assert harbour.stance == "favor"
    assert ask.usage.retries == 1
    assert time.monotonic() - begun < 20


def test_a_server_that_is_not_there_is_a_plain_error(ask):
    with pytest.raises(LlmError, match="no answer in 2 tries"):
        ask(url="http://127.0.0.1:9/v1", tries=2)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_not_tried_again_and_does_not_show_the_key(server, ask, status):
    server.replies = [(status, {}, b"no such model")]
    with pytest.raises(UsageError, match=rf"answered {status} .*no such model") as caught:
        ask(key="s3cret")
    assert len(server.requests) == 1
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(LlmSettings(url="http://a", model="m", key="s3cret"))


# What it costs


def test_what_was_answered_is_not_asked_again(server, ask):
    first = ask(TEXT, "Nothing of note: vessels are welcome.")
    assert (ask.usage.calls, ask.usage.cached) == (2, 0)
    assert (ask.usage.prompt_tokens, ask.usage.completion_tokens) == (200, 20)
    again = ask(TEXT, "Nothing of note: vessels are welcome.")
    assert again == first
    assert (ask.usage.calls, ask.usage.cached, ask.usage.prompt_tokens) == (0, 2, 0)
    ask(model="other")
    assert ask.usage.calls == 1
    ask(samples=2)  # the first sample is there, the second is not
    assert (ask.usage.calls, ask.usage.cached) == (1, 1)


def test_the_cache_keeps_no_text_and_no_key(server, ask, tmp_path):
    ask(key="s3cret")
    with sqlite3.connect(tmp_path / "c" / "answers.sqlite") as connection:
        content = "\n".join(connection.iterdump())
    connection.close()
    assert "choir" not in content
    assert "s3cret" not in content
    assert "favor" in content


def test_a_file_that_is_no_cache_is_named(tmp_path):
    path = tmp_path / "cache"
    path.write_text("not a database, but long enough to be mistaken for none " * 20)
    with pytest.raises(StoreError, match="STANCE_LLM_CACHE"):
        AnswerCache(path)


def test_no_more_requests_are_under_way_than_allowed_and_the_order_is_kept(server, ask):
    both = threading.Barrier(3)  # a third request at the same time is needed to pass, and comes

    def together(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        both.wait(30)
        return 200, {}, completion(NOTHING)

    server.replies = [together]
    texts = [f"Text {n}." for n in range(9)]
    assert [statement.text for statement, _ in ask(*texts, concurrency=3)] == texts
    assert server.most_under_way == 3


def test_a_request_too_many_waits_for_a_place(server, ask):
    one_too_many = threading.Event()

    def linger(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if server.under_way > 2:
            one_too_many.set()
        one_too_many.wait(0.2)  # long enough for another to come, if it may
        return 200, {}, completion(NOTHING)

    server.replies = [linger]
    ask(*(f"Text {n}." for n in range(6)), concurrency=2)
    assert not one_too_many.is_set()


def test_statements_are_read_as_they_are_needed(server, tmp_path, tiny_targets, make_statement):
    server.replies = [completion(NOTHING)]
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield make_statement(1, text=f"Text {len(taken)}.")

    settings = LlmSettings(url=server.url, model="m", concurrency=2)
    with AnswerCache(tmp_path / "a.sqlite") as cache, ChatClient(settings) as client:
        rows = tag_with_llm(client, cache, endless(), targets=tiny_targets)
        next(rows)
        rows.close()
    assert len(taken) <= 6


# Settings and the command


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "STANCE_LLM_URL"),
        ({"STANCE_LLM_URL": "localhost:8000"}, "STANCE_LLM_URL"),
        ({"STANCE_LLM_URL": "http://a", "STANCE_LLM_SAMPLES": "0"}, "STANCE_LLM_SAMPLES"),
        ({"STANCE_LLM_URL": "http://a", "STANCE_LLM_SAMPLES": "2.5"}, "STANCE_LLM_SAMPLES"),
        ({"STANCE_LLM_URL": "http://a", "STANCE_LLM_TIMEOUT": "soon"}, "STANCE_LLM_TIMEOUT"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_accepted(given, named):
    with pytest.raises(UsageError, match=named):
        settings_from_environment("m", given)


def test_settings_come_from_the_environment():
    given = {"URL": "http://a/v1/", "KEY": "k", "SAMPLES": "3", "TIMEOUT": "1.5", "TRIES": "2", "CONCURRENCY": "8"}
    found = settings_from_environment("m", {f"STANCE_LLM_{name}": value for name, value in given.items()})
    assert (found.url, found.key, found.samples, found.timeout) == ("http://a/v1", "k", 3, 1.5)
    assert (found.tries, found.concurrency) == (2, 8)
    with pytest.raises(UsageError, match="names no model"):
        settings_from_environment("", {"STANCE_LLM_URL": "http://a"})


@pytest.fixture
def command(server, tiny_corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("STANCE_CORPUS", str(tiny_corpus))
    monkeypatch.setenv("STANCE_LLM_URL", server.url)
    monkeypatch.setenv("STANCE_LLM_CACHE", str(tmp_path / "answers.sqlite"))
    return lambda *arguments, **options: CliRunner().invoke(app, ["classify", *arguments], **options)


def test_the_command_writes_the_usual_columns_and_says_what_it_cost(server, command, tmp_path):
    done = command("--text", TEXT, "--model", "llm:tiny", "--format", "jsonl")
    assert done.exit_code == 0, done.output
    harbour, railway = map(json.loads, done.stdout.splitlines())
    assert (harbour["statement_id"], harbour["target"], harbour["stance"]) == ("text", "harbour", "favor")
    assert sum(harbour[f"p_{s}"] for s in ("favor", "neutral", "against", "none")) == pytest.approx(1, abs=1e-5)
    assert harbour["evidence"] == "vessels are welcome"
    assert railway["stance"] == "none"
    assert "llm:tiny: 1 calls" in done.stderr
    assert "100 + 10 tokens" in done.stderr
    output = tmp_path / "tags.csv"
    assert command("-", "--model", "llm:tiny", "--output", str(output), input=f"{TEXT}\n").exit_code == 0
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    assert [(row["target"], row["stance"]) for row in rows] == [("harbour", "favor"), ("railway", "none")]
    assert len(server.requests) == 1  # from the cache


def test_the_command_without_an_input_or_an_address_says_what_to_do(command, monkeypatch):
    assert "name one" in str(command("--model", "llm:tiny").exception)
    monkeypatch.delenv("STANCE_LLM_URL")
    failed = command("--text", "a", "--model", "llm:tiny").exception
    assert isinstance(failed, UsageError)
    assert "STANCE_LLM_URL" in str(failed)
