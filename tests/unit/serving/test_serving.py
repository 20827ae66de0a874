"""The parts of the service, each alone."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendpr.errors import OpendprError, UsageError
from opendpr.serving.batching import Batcher, FullError
from opendpr.serving.gate import Rate
from opendpr.serving.layouts import Layout
from opendpr.serving.logs import JsonLines, LineFormatter
from opendpr.serving.page.page import local_target
from opendpr.serving.prometheus_client import Metrics
from opendpr.serving.records import in_words
from opendpr.serving.settings import Settings, is_loopback
from opendpr.serving.tokens import Token, find_token, read_tokens
from opendpr.text.places import Outline

LONG = "correct-horse-battery"
DIGEST = "c3b0b2f6d4c1cbb4d9a9d4f3e7fbe3cf3f1f5cdd36cd04a9dcbd4ed0f5d0d9a4"


@given(st.text(max_size=60), st.integers(0, 60))
def test_utf16_offsets_are_those_of_the_encoded_text(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    layout = Layout([place for place, character in enumerate(text) if ord(character) > 0xFFFF], Outline())
    assert layout.utf16(offset) == len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def test_what_waits_is_worked_on_together_and_each_gets_its_own() -> None:
    sizes: list[int] = []
    first, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int | OpendprError]:
        if not first.is_set():
            first.set()
            go_on.wait(10)
        return [UsageError("odd") if item % 2 else 10 * item for item in items]

    async def main() -> list[int | BaseException]:
        batcher: Batcher[int, int] = Batcher(work, most=4, room=20, on_batch=sizes.append)
        alone = asyncio.create_task(batcher(0))
        await asyncio.to_thread(first.wait, 10)
        others = [asyncio.create_task(batcher(item)) for item in range(1, 8)]
        await asyncio.sleep(0)
        others[1].cancel()
        go_on.set()
        results = await asyncio.gather(alone, *others, return_exceptions=True)
        batcher.close()
        assert batcher.depth == 0
        return results

    results = asyncio.run(main())
    assert [result for result in results if isinstance(result, int)] == [0, 40, 60]
    assert [type(result) for result in results[1::2]] == [UsageError] * 4
    assert isinstance(results[2], asyncio.CancelledError)
    assert sizes[0] == 1
    assert sum(sizes) == 7
    assert max(sizes) <= 4


def test_a_full_queue_refuses_and_an_unexpected_error_reaches_all_that_wait() -> None:
    go_on = threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        go_on.wait(10)
        raise ZeroDivisionError

    async def main() -> None:
        batcher: Batcher[int, int] = Batcher(work, most=2, room=2)
        waiting = [asyncio.create_task(batcher(item)) for item in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(FullError) as caught:
            await batcher(3)
        assert caught.value.retry_seconds >= 1
        go_on.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [ZeroDivisionError] * 2
        batcher.close()

    asyncio.run(main())


def test_a_rate_allows_a_burst_then_as_many_as_it_says_and_each_client_has_its_own() -> None:
    rate = Rate(2)
    assert [rate.wait_seconds("a", 0.0) for _ in range(4)] == [0.0] * 4
    assert rate.wait_seconds("a", 0.0) == pytest.approx(0.5)
    assert rate.wait_seconds("b", 0.0) == 0.0
    assert rate.wait_seconds("a", 0.5) == 0.0
    assert rate.wait_seconds("a", 0.5) > 0
    assert all(Rate(0).wait_seconds("a", 0.0) == 0 for _ in range(100))


def test_tokens_come_from_a_file_or_the_environment_and_are_kept_hashed(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# ours\n{LONG}\n\nread {LONG}2\nread sha256:{DIGEST}\n")
    tokens = read_tokens(file, {})
    assert [token.writes for token in tokens] == [True, False, False]
    assert LONG not in repr(tokens)
    assert find_token(tokens, LONG) == tokens[0]
    assert find_token(tokens, LONG + "2") == tokens[1]
    assert find_token(tokens, DIGEST) is None
    assert find_token(tokens, "") is None
    assert read_tokens(None, {"OPENDPR_TOKEN_FILE": str(file)}) == tokens
    assert read_tokens(None, {"OPENDPR_TOKEN": LONG}) == tokens[:1]
    assert read_tokens(None, {}) == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "has no token"),
        ("short", "at least 16"),
        (f"read {LONG} more", "got 3 words"),
        (f"write {LONG}", "got 2 words"),
        ("sha256:12", "64 hexadecimal"),
    ],
)
def test_a_token_file_that_makes_no_sense_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(content)
    with pytest.raises(UsageError, match=problem):
        read_tokens(file, {})
    with pytest.raises(UsageError, match="both set"):
        read_tokens(file, {"OPENDPR_TOKEN": LONG})
    with pytest.raises(UsageError, match="cannot be read"):
        read_tokens(tmp_path / "none", {})


def test_only_the_loopback_is_served_without_a_token() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost")] == [True] * 4
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org"):
        with pytest.raises(UsageError, match="no token is set"):
            Settings(Path("notes"), host=host)
    settings = Settings(Path("notes"), host="0.0.0.0", tokens=(Token(DIGEST),), hosts=("a",))
    assert Settings.from_json(settings.to_json()) == settings
    with pytest.raises(UsageError, match="one worker"):
        Settings(Path("notes"), writable=True, workers=2)


def test_metrics_have_the_text_form_of_prometheus_and_two_services_count_apart() -> None:
    metrics, other = Metrics(), Metrics()
    metrics.count_request('/a"\n', "GET", 200, seconds=0.007)
    metrics.add_gauge("opendpr_x", "An x.", lambda: 3.0)
    for size in (1, 2, 9):
        metrics.count_batch("read", size)
    lines = metrics.text().decode().splitlines()
    assert 'opendpr_requests_total{method="GET",route="/a\\"\\n",status="200"} 1.0' in lines
    assert "opendpr_x 3.0" in lines
    assert 'opendpr_batch_questions_bucket{le="2.0",stage="read"} 2.0' in lines
    assert 'opendpr_batch_questions_count{stage="read"} 3.0' in lines
    assert "opendpr_requests_total{" not in other.text().decode()


def test_a_log_entry_is_one_line_whatever_it_holds() -> None:
    record = logging.LogRecord("opendpr", logging.INFO, "", 0, "a\r\nb %s", ("\u2028\n",), None)
    record.fields = {"request_id": "x\ny"}
    line = JsonLines().format(record)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == "a\r\nb \u2028\n"
    assert json.loads(line)["request_id"] == "x\ny"
    assert "\n" not in LineFormatter().format(record)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/?q=a&k=3", "/?q=a&k=3"),
        ("/document?id=a%2Fb", "/document?id=a%2Fb"),
        ("/documents?words=a", "/documents?words=a"),
        ("/documents/remove", "/"),
        *((target, "/") for target in ("//evil.example/", "https://evil.example/", "/\\evil.example", "/v1/info", "")),
        *((target, "/") for target in ("/\r\nSet-Cookie: a=b", "javascript:alert(1)", "///evil.example", "/?é")),
    ],
)
def test_after_the_login_a_browser_stays_on_this_site(target: str, sent: str) -> None:
    assert local_target(target) == sent


def test_a_confidence_is_said_in_words() -> None:
    assert [in_words(value) for value in (1.0, 0.9, 0.7, 0.4, 0.0)] == [
        "very likely", "very likely", "likely", "possible", "a guess"
    ]  # fmt: skip
