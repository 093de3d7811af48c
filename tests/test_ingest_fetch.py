"""Fetching from a real server on loopback: politeness, faults, limits, and what must never be fetched."""

from __future__ import annotations

import datetime as dt
import email.utils
import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.ingest import fetch
from pipeline.ingest.addresses import Mirror
from pipeline.ingest.bodies import BodyError, decoded, is_challenge
from pipeline.ingest.fetch import Fetcher, FetchError, Limits, user_agent
from pipeline.ingest.sources import Family, Source
from tests.site import CHALLENGE, NOW, QUICK, Site, endless, gzipped, huge, redirect, silent, status, truncated

PAGE = b"<html><body><p>The harbour is open to all.</p></body></html>"


def source(**changes: object) -> Source:
    given = {
        "id": "ardland", "name": "Ardland", "family": Family(id="generic"), "base_url": "http://ardland.example",
        "hosts": ("ardland.example",), "delay": 0.0, "max_bytes": 2_000_000,
    }  # fmt: skip
    return Source(**{**given, **changes})


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.put("/page", PAGE)
        yield made


class Waits(list[float]):
    """Remembers what was waited for instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(round(seconds, 2))


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def fetcher(site: Site, waits: Waits) -> Iterator[Fetcher]:
    mirror = Mirror(source=source(), base_url=site.url)
    with Fetcher(mirror, now=lambda: NOW, limits=QUICK, wait=waits) as made:
        yield made


def failure(fetcher: Fetcher, path: str = "/page") -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetcher.get(f"http://ardland.example{path}")
    return caught.value


def test_a_page_comes_with_its_own_address_and_under_our_name(site, fetcher):
    fetched = fetcher.get("http://ardland.example/page")
    assert (fetched.url, fetched.status, fetched.content, fetched.fetched_at) == (
        "http://ardland.example/page", 200, PAGE, NOW,
    )  # fmt: skip
    assert [asked.path for asked in site.asked] == ["/robots.txt", "/page"]
    assert site.asked[1].headers["user-agent"] == user_agent()
    assert user_agent().startswith("stance-convergence/")


def test_the_operators_of_a_site_can_be_given_a_contact(monkeypatch):
    monkeypatch.setenv("STANCE_CONTACT", "desk@example.org")
    assert user_agent().endswith("; desk@example.org)")


def test_a_conditional_request_sends_what_is_held_and_takes_304(site, fetcher):
    first = fetcher.get("http://ardland.example/page")
    again = fetcher.get("http://ardland.example/page", validators=(first.validators[0], "Mon, 01 Jan 2029"))
    assert (again.status, again.content) == (304, b"")
    assert site.asked[-1].headers["if-none-match"] == first.validators[0]
    assert site.asked[-1].headers["if-modified-since"] == "Mon, 01 Jan 2029"


# ---- robots.txt


@pytest.mark.parametrize(
    ("robots", "blocked"),
    [
        ("User-agent: *\nDisallow: /page\n", True),
        ("User-agent: stance-convergence\nDisallow: /\n\nUser-agent: *\nAllow: /\n", True),
        ("User-agent: *\nDisallow: /other\n", False),
        ("User-agent: *\nDisallow: /\nAllow: /page\n", False),
        ("<html>not a robots file</html>", False),
    ],
)
def test_robots_txt_is_honoured(site, fetcher, robots, blocked):
    site.put("/robots.txt", robots, "text/plain")
    if blocked:
        error = failure(fetcher)
        assert (error.state, str(error)) == ("blocked", "robots.txt does not allow it")
        assert site.paths() == []
    else:
        assert fetcher.get("http://ardland.example/page").content == PAGE


def test_robots_txt_is_asked_for_once_and_its_absence_allows_all(site, fetcher):
    fetcher.get("http://ardland.example/page")
    fetcher.get("http://ardland.example/page")
    assert site.times() == {"/robots.txt": 1, "/page": 2}


def test_a_robots_txt_that_cannot_be_reached_forbids_all(site, fetcher):
    site.fail("/robots.txt", *[status(500)] * 3)
    error = failure(fetcher)
    assert error.state == "blocked"
    assert "robots.txt cannot be reached" in str(error)
    assert site.paths() == []


def test_requests_are_apart_by_the_delay_of_the_source_or_of_robots_txt(site, waits, monkeypatch):
    monkeypatch.setattr(fetch, "_is_private", lambda _mirror: False)  # else a mirror on loopback is not spared
    mirror = Mirror(source=source(delay=3.0), base_url=site.url)
    with Fetcher(mirror, now=lambda: NOW, limits=QUICK, wait=waits) as fetcher:
        fetcher.get("http://ardland.example/page")
        assert waits == [pytest.approx(3.0, abs=0.3)]  # between robots.txt and the page
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 7\n", "text/plain")
    waits.clear()
    with Fetcher(mirror, now=lambda: NOW, limits=QUICK, wait=waits) as fetcher:
        fetcher.get("http://ardland.example/page")
        fetcher.get("http://ardland.example/page")
    assert waits[-1] == pytest.approx(7.0, abs=0.3)


def test_a_mirror_on_this_machine_is_not_waited_for(site, waits):
    mirror = Mirror(source=source(delay=30.0), base_url=site.url)
    with Fetcher(mirror, now=lambda: NOW, limits=QUICK, wait=waits) as fetcher:
        fetcher.get("http://ardland.example/page")
    assert waits == []


# ---- statuses


@pytest.mark.parametrize(
    ("code", "state"),
    [(404, "gone"), (410, "gone"), (401, "blocked"), (403, "blocked"), (451, "blocked"), (418, "failed")],
)
def test_a_refusal_is_told_at_once(site, fetcher, code, state):
    site.fail("/page", status(code))
    error = failure(fetcher)
    assert error.state == state
    assert str(code) in str(error)
    assert site.times()["/page"] == 1


def test_500_then_success_succeeds_after_longer_and_longer_waits(site, fetcher, waits):
    site.fail("/page", status(500), status(502))
    assert fetcher.get("http://ardland.example/page").content == PAGE
    assert site.times()["/page"] == 3
    assert waits == [0.01, 0.02]


def test_500_for_ever_fails_after_the_last_try(site, fetcher):
    site.fail("/page", *[status(500)] * 9)
    error = failure(fetcher)
    assert (error.state, error.stop) == ("failed", False)
    assert "status 500 (tried 3 times)" in str(error)
    assert site.times()["/page"] == QUICK.tries


def test_429_is_waited_for_as_long_as_it_asks_in_seconds_or_as_a_date(site, fetcher, waits):
    moment = email.utils.format_datetime(NOW + dt.timedelta(seconds=40), usegmt=True)
    site.fail("/page", status(429, Retry_After="17"), status(503, Retry_After=moment))
    assert fetcher.get("http://ardland.example/page").content == PAGE
    assert 17.0 in waits
    assert 40.0 in waits


def test_a_busy_site_is_asked_more_slowly_from_then_on(site, fetcher, waits):
    site.fail("/page", status(429, Retry_After="0"))
    fetcher.get("http://ardland.example/page")
    waits.clear()
    fetcher.get("http://ardland.example/page")
    assert waits
    assert waits[0] == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("asked", ["86400", "121"])
def test_a_429_that_asks_for_too_long_stops_the_source(site, fetcher, waits, asked):
    site.fail("/page", status(429, Retry_After=asked))
    error = failure(fetcher)
    assert (error.state, error.stop) == ("failed", True)
    assert site.times()["/page"] == 1
    assert float(asked) not in waits


def test_an_unreadable_retry_after_falls_back_to_the_usual_wait(site, fetcher, waits):
    site.fail("/page", status(429, Retry_After="soon"))
    assert fetcher.get("http://ardland.example/page").content == PAGE
    assert waits[0] == 0.01


# ---- the connection


def test_a_site_that_says_nothing_times_out_and_is_tried_again(site, waits):
    released = threading.Event()
    site.fail("/page", silent(released), silent(released))
    mirror = Mirror(source=source(), base_url=site.url)
    with Fetcher(mirror, now=lambda: NOW, limits=replace(QUICK, read=0.5), wait=waits) as fetcher:
        assert fetcher.get("http://ardland.example/page").content == PAGE
        site.fail("/page", *[silent(released)] * 3)
        assert "no answer in time (tried 3 times)" in str(failure(fetcher))
    released.set()


def test_a_truncated_body_is_never_taken_for_a_page(site, fetcher):
    site.fail("/page", truncated(PAGE, 20))
    assert fetcher.get("http://ardland.example/page").content == PAGE
    site.fail("/page", *[truncated(PAGE, 20)] * 3)
    assert "the connection broke" in str(failure(fetcher))


def test_a_site_that_is_not_there_fails(waits):
    with Site() as gone:
        url = gone.url
    mirror = Mirror(source=source(), base_url=url)
    with Fetcher(mirror, now=lambda: NOW, limits=QUICK, wait=waits) as fetcher:
        assert "robots.txt cannot be reached" in str(failure(fetcher))


@pytest.mark.parametrize("behaviour", [endless(), huge(500_000_000)], ids=["endless", "500 MB"])
def test_a_body_without_end_is_cut_at_the_limit(site, fetcher, behaviour):
    site.fail("/page", behaviour)
    begun = time.monotonic()
    assert "larger than 2,000,000 bytes" in str(failure(fetcher))
    assert time.monotonic() - begun < 5
    assert site.times()["/page"] == 1


def test_a_body_that_drips_is_cut_at_the_time_limit(site, waits):
    released = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not released.wait(0.02):
            handler.wfile.write(b"1\r\na\r\n")

    site.fail("/page", drip)
    site.put("/other", PAGE)
    mirror = Mirror(source=source(), base_url=site.url)
    with Fetcher(mirror, now=lambda: NOW, limits=QUICK, wait=waits) as fetcher:
        fetcher.get("http://ardland.example/other")
        fetcher.limits = replace(QUICK, total=0.2)
        assert "not at its end after 0.2 seconds" in str(failure(fetcher))
    released.set()


# ---- compressed bodies


def test_a_compressed_page_is_unpacked_and_kept_as_sent(site, fetcher):
    site.fail("/page", gzipped(PAGE))
    fetched = fetcher.get("http://ardland.example/page")
    assert fetched.content == PAGE
    assert gzip.decompress(fetched.body) == PAGE
    assert fetched.header("content-encoding") == "gzip"


def test_a_gzip_bomb_does_not_explode(site, fetcher):
    bomb = gzip.compress(b"\0" * 300_000_000, 9)
    assert len(bomb) < 400_000
    site.fail("/page", status(200, bomb, Content_Encoding="gzip"))
    assert "taken for a compression bomb" in str(failure(fetcher))


def test_bombs_are_told_by_size_and_by_ratio():
    packed = gzip.compress(b"\0" * 3_000_000)
    with pytest.raises(BodyError, match="more than 1,000,000 bytes"):
        decoded(packed, "gzip", max_bytes=100_000_000)
    with pytest.raises(BodyError, match="more than 1,000 bytes"):
        decoded(gzip.compress(b"a" * 1001), "gzip", max_bytes=1000)
    assert decoded(gzip.compress(b"a" * 1000), "gzip", max_bytes=1000) == b"a" * 1000


def test_all_usual_encodings_unpack():
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for body, name in [
        (PAGE, ""), (PAGE, "identity"), (gzip.compress(PAGE), "gzip"), (gzip.compress(PAGE), "X-GZIP"),
        (zlib.compress(PAGE), "deflate"), (raw.compress(PAGE) + raw.flush(), "deflate"),
        (gzip.compress(zlib.compress(PAGE)), "deflate, gzip"), (gzip.compress(PAGE) + b"\0" * 8, "gzip"),
        (gzip.compress(PAGE[:9]) + gzip.compress(PAGE[9:]), "gzip"),
    ]:  # fmt: skip
        assert decoded(body, name, max_bytes=10_000) == PAGE


@pytest.mark.parametrize(
    ("body", "name", "reason"),
    [
        (gzip.compress(PAGE, mtime=0)[:-9], "gzip", "cut off"), (b"no gzip at all", "gzip", "damaged gzip body"),
        (PAGE, "br", "content encoding 'br' is not known"), (b"\x78", "deflate", "cut off|damaged"),
    ],
)  # fmt: skip
def test_what_does_not_unpack_is_named(body, name, reason):
    with pytest.raises(BodyError, match=reason):
        decoded(body, name, max_bytes=10_000)


# ---- redirects


def test_a_redirect_within_the_site_is_followed_under_the_address_asked_for(site, fetcher):
    site.fail("/old", redirect("/page", 301))
    fetched = fetcher.get("http://ardland.example/old")
    assert (fetched.url, fetched.content) == ("http://ardland.example/old", PAGE)


def test_a_redirect_to_the_sites_own_name_stays_on_the_mirror(site, fetcher):
    site.fail("/old", redirect("http://ardland.example/page"))
    assert fetcher.get("http://ardland.example/old").content == PAGE


def test_a_loop_of_redirects_is_noticed(site, fetcher):
    site.fail("/page", redirect("/other"))
    site.fail("/other", redirect("/page"))
    assert "a loop of redirects" in str(failure(fetcher))
    assert site.paths() == ["/page", "/other"]


def test_redirects_without_end_are_cut(site, fetcher):
    for number in range(9):
        site.fail(f"/{number}", redirect(f"/{number + 1}"))
    assert "more than 5 redirects" in str(failure(fetcher, "/0"))


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/page", "http://169.254.169.254/latest/meta-data/", "http://[::1]/page", "//evil.example/",
        "http://localhost/page", "file:///etc/passwd", "gopher://ardland.example/", "http://ardland.example.evil/",
        "http://2130706433/", "http://user@evil.example/",
    ],
)  # fmt: skip
def test_a_redirect_elsewhere_is_refused_without_a_request(site, fetcher, target):
    site.fail("/page", redirect(target))
    error = failure(fetcher)
    assert error.state == "failed"
    assert "which is no host of this source" in str(error)
    assert site.paths() == ["/page"]


def test_a_redirect_to_another_service_on_this_machine_is_refused(site, fetcher):
    with Site() as other:
        other.put("/page", b"secret")
        site.fail("/page", redirect(f"{other.url}/page"))
        assert "no host of this source" in str(failure(fetcher))
        assert other.asked == []


def test_a_host_that_resolves_to_a_private_address_is_refused(site, waits):
    port = site.url.rsplit(":", 1)[1]
    own = source(hosts=("localhost",), base_url=f"http://localhost:{port}")
    with (
        Fetcher(Mirror(source=own), now=lambda: NOW, limits=QUICK, wait=waits) as fetcher,
        pytest.raises(FetchError),
    ):
        fetcher.get(f"http://localhost:{port}/page")
    assert site.asked == []


def test_a_name_that_changes_to_a_private_address_after_the_check_is_refused(site, waits, monkeypatch):
    monkeypatch.setattr(fetch, "check_public", lambda *_: None)  # the first answer of the name server was public
    port = site.url.rsplit(":", 1)[1]
    own = source(hosts=("localhost",), base_url=f"http://localhost:{port}")
    with Fetcher(Mirror(source=own), now=lambda: NOW, limits=QUICK, wait=waits) as fetcher:
        monkeypatch.setattr(fetcher, "_check_robots", lambda _url: None)
        with pytest.raises(FetchError, match="answered from the private address 127"):
            fetcher.get(f"http://localhost:{port}/page")


# ---- challenges


@pytest.mark.parametrize("code", [200, 202, 403, 503])
def test_a_challenge_is_blocked_whatever_its_status_and_not_tried_again(site, fetcher, code):
    site.fail("/page", status(code, CHALLENGE, Content_Type="text/html"))
    error = failure(fetcher)
    assert (error.state, str(error)) == ("blocked", "an anti-bot challenge stands before the page")
    assert site.times()["/page"] == 1


def test_a_challenge_in_place_of_robots_txt_forbids_nothing(site, fetcher):
    site.put("/robots.txt", CHALLENGE, "text/html")
    assert fetcher.get("http://ardland.example/page").content == PAGE


def test_a_page_with_the_protections_script_and_a_text_is_no_challenge():
    text = b"<p>" + b"The ministry spoke at length about the harbour. " * 40 + b"</p>"
    assert not is_challenge(CHALLENGE.replace(b"<noscript>", text + b"<noscript>"))
    assert is_challenge(CHALLENGE)
    assert not is_challenge(b"<html><body>Short.</body></html>")
    assert is_challenge(b"<html><body>Wait here.</body></html>", markers=["Wait here"])


def test_the_defaults_bound_everything():
    limits = Limits()
    assert 0 < limits.read < limits.total <= 300
    assert 1 < limits.tries <= 6
