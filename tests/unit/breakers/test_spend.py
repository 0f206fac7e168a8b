"""However calls are held and settled, no cap is ever passed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interlock.breakers.caps import CapBreakers
from interlock.breakers.spend import CAPS, Caps, Hold, Spend, is_of_customer

NOW = 1_000_000.0
CUSTOMERS = [None, "a", "b", "c"]

caps = st.dictionaries(st.sampled_from(CAPS), st.integers(1, 500), min_size=1)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.sampled_from(CUSTOMERS), st.integers(0, 200)),
        st.tuples(st.just("settle"), st.integers(0, 30), st.floats(0, 1)),
        st.tuples(st.just("wait"), st.floats(0, 3000), st.none()),
    ),
    max_size=120,
)


@given(caps, acts)
def test_spent_and_held_never_pass_a_cap_in_any_hour_or_day(declared: Caps, done: list) -> None:
    spend, now = Spend(), NOW
    spend.caps = declared
    open_holds: list[Hold] = []
    spent: list[tuple[float, str | None, int]] = []
    for act, first, second in done:
        if act == "wait":
            now += first
        elif act == "hold":
            held = spend.hold(now, first, second)
            if isinstance(held, Hold):
                open_holds.append(held)
            else:
                assert held.free_at >= now
        elif open_holds:
            hold = open_holds.pop(first % len(open_holds))
            cost = int(hold.nano * second)
            spend.settle(now, hold, cost)
            spent.append((now, hold.customer, cost))
        for cap, most in declared.items():
            since = now - (3600 if cap.endswith("HourUsd") else 86400)
            for customer in CUSTOMERS[1:] if is_of_customer(cap) else [None]:
                total = sum(
                    nano
                    for at, of, nano in spent
                    if at > since and (not is_of_customer(cap) or of == customer)
                )
                total += sum(
                    hold.nano
                    for hold in open_holds
                    if not is_of_customer(cap) or hold.customer == customer
                )
                assert total <= most


def test_room_comes_back_when_the_window_has_passed() -> None:
    spend = Spend()
    spend.caps = {"perHourUsd": 100}
    spend.charge(NOW, None, 100)
    reached = spend.reached(NOW, "a")
    assert reached is not None
    assert NOW + 3600 <= reached.free_at <= NOW + 3660
    assert spend.reached(reached.free_at, "a") is None


def test_a_customer_who_waits_does_not_keep_others_waiting() -> None:
    breakers = CapBreakers()
    breakers.adopt({"perCustomerPerHourUsd": 100})
    held, _ = breakers.hold(NOW, "a", 90)
    assert isinstance(held, Hold)
    refused, changes = breakers.hold(NOW, "a", 20)
    assert not isinstance(refused, Hold)
    assert [each.cap for each in changes] == ["perCustomerPerHourUsd"]
    assert breakers.admit(NOW, "a")[0] is not None
    assert breakers.admit(NOW, "b")[0] is None
    assert breakers.admit(NOW, None)[0] is None
    # It was only held: with 50 of 100 the next call fits.
    breakers.spend.settle(NOW, held, 50)
    reached, changes = breakers.admit(NOW, "a")
    assert reached is None
    assert [each.change.state for each in changes] == ["closed"]


def test_turns_wait_until_the_call_that_was_refused_fits() -> None:
    breakers = CapBreakers()
    breakers.adopt({"perHourUsd": 100})
    breakers.spend.charge(NOW, None, 50)
    breakers.spend.charge(NOW + 600, None, 30)
    assert breakers.admit(NOW + 600, "a")[0] is None
    breakers.hold(NOW + 600, "a", 40)
    reached, _ = breakers.admit(NOW + 601, "a")
    assert reached is not None
    assert breakers.admit(reached.free_at - 1, "a")[0] is not None
    assert breakers.admit(reached.free_at, "a")[0] is None


def test_a_call_that_fits_under_no_cap_does_not_stop_all_others_for_ever() -> None:
    breakers = CapBreakers()
    breakers.adopt({"perHourUsd": 100})
    breakers.hold(NOW, None, 500)
    assert breakers.admit(NOW, None)[0] is None


def test_an_operator_has_the_last_word() -> None:
    breakers = CapBreakers()
    breakers.adopt({"perDayUsd": 100})
    breakers.trip("perDayUsd", NOW, who="ops", why="x")
    assert breakers.admit(NOW, None)[0] is not None
    assert not isinstance(breakers.hold(NOW, None, 1)[0], Hold)
    breakers.disable("perDayUsd", NOW, who="ops", why="y")
    assert isinstance(breakers.hold(NOW, None, 500)[0], Hold)
    breakers.enable("perDayUsd", NOW, who="ops", why="z")
    assert not isinstance(breakers.hold(NOW, None, 1)[0], Hold)
    breakers.reset("perDayUsd", NOW, who="ops", why="granted")
    assert breakers.admit(NOW, None)[0] is not None  # 500 are still held


def test_a_reset_grants_the_whole_cap_once_more() -> None:
    breakers = CapBreakers()
    breakers.adopt({"perHourUsd": 100, "perCustomerPerHourUsd": 100})
    breakers.spend.charge(NOW, "a", 100)
    breakers.reset("perHourUsd", NOW, who="ops", why="x")
    assert breakers.admit(NOW, "b")[0] is None
    assert breakers.admit(NOW, "a")[0] is not None
    breakers.reset("perCustomerPerHourUsd", NOW, who="ops", why="x")
    assert breakers.admit(NOW, "a")[0] is None
