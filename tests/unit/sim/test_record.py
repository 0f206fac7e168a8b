from __future__ import annotations

from interlock.sim.record import Entry, Record


def entry(number: int, body: bytes = b"{}", status: int | None = 200) -> Entry:
    return Entry(f"req_{number}", "/v1/messages", body, status, rule=f"rule {number % 2}")


def test_requests_are_counted_by_rule_and_status() -> None:
    record = Record()
    for number in range(3):
        record.add(entry(number))
    record.add(entry(3, status=None))
    record.add(Entry("req_4", "/v1/messages", b"", 401, rule=None))
    record.add_usage(
        {
            "input_tokens": 1,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 3,
            "output_tokens": 4,
        }
    )

    assert record.stats() == {
        "requests": 5,
        "by_rule": {"rule 0": 2, "rule 1": 2},
        "by_status": {"200": 3, "none": 1, "401": 1},
        "tokens": {
            "input_tokens": 1,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 3,
            "output_tokens": 4,
        },
    }


def test_the_newest_requests_are_kept() -> None:
    record = Record()
    for number in range(300):
        record.add(entry(number))

    assert len(record.last(1000)) == 200
    assert [item["request_id"] for item in record.last(2)] == ["req_298", "req_299"]
    assert record.last(0) == []
    assert record.stats()["requests"] == 300


def test_large_bodies_push_older_ones_out() -> None:
    record = Record()
    for number in range(3):
        record.add(entry(number, body=b"x" * 30_000_000))

    assert [item["request_id"] for item in record.last(10)] == ["req_1", "req_2"]


def test_a_body_is_shown_as_json_or_else_as_text() -> None:
    record = Record()
    record.add(entry(1, b'{"a": [1]}'))
    record.add(entry(2, b"not json \xff"))

    assert [item["body"] for item in record.last(2)] == [{"a": [1]}, "not json \ufffd"]
