"""Tests of the turns: nobody gets a second one while another waits for the first, however many folders they make."""

from __future__ import annotations

from dataclasses import dataclass, field

from provenance_oracle.oracle.sources.turns import Turns, Waiting


@dataclass
class Queue:
    """Releases that wait, and the turns that they had."""

    now: float = 100.0
    waiting: list[Waiting[str]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turns = Turns(lambda: self.now)

    def come(self, name: str, key: str | None = None, since: float | None = None) -> None:
        """Add a release in the folder before its `/`. Without `key` it has one of its own."""
        shares = (f"folder {name.partition('/')[0]}", f"key {key or name}")
        self.waiting.append(Waiting(name, name, shares, self.now if since is None else since))

    def order(self) -> list[str]:
        return [one.item for one in self.turns.in_order(self.waiting)]

    def take(self) -> str:
        """Give the first one its turn, which takes 10 seconds; it waits no longer then."""
        first = self.turns.in_order(self.waiting)[0]
        self.now += 10
        self.turns.end(first)
        self.waiting.remove(first)
        self.taken.append(first.item)
        return first.item


def test_the_oldest_is_first() -> None:
    queue = Queue()
    for name, since in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        queue.come(name, since=since)
    assert queue.order() == ["b", "c", "a"]


def test_one_folder_with_many_releases_gets_one_turn_before_the_others_had_theirs() -> None:
    queue = Queue()
    for number in range(60):
        queue.come(f"many/{number:02}", since=number)
    queue.come("one/a", since=70)
    queue.come("one/b", since=71)
    assert queue.order()[:5] == ["many/00", "one/a", "many/01", "one/b", "many/02"]


def test_one_key_with_many_folders_gets_one_turn_before_the_others_had_theirs() -> None:
    queue = Queue()
    for number in range(60):
        queue.come(f"!{number:02}", key="theirs", since=number)
    queue.come("honest", since=70)
    assert queue.order()[:3] == ["!00", "honest", "!01"]


def test_a_release_that_comes_during_a_turn_is_next() -> None:
    """The scan is repeated after each slow release. Nobody waits for more than the one at hand."""
    queue = Queue()
    for number in range(60):
        queue.come(f"many/{number:02}")
    assert queue.take() == "many/00"
    queue.come("honest/a", since=queue.now - 5)
    assert queue.take() == "honest/a"


def test_new_folders_do_not_overtake_an_older_release() -> None:
    queue = Queue()
    queue.come("honest/a")
    queue.come("honest/b")
    for number in range(5):
        queue.take()
        for more in range(3):
            queue.come(f"!{number}{more}", since=queue.now)
    assert queue.taken[:3] == ["honest/a", "honest/b", "!00"]


def test_a_copy_of_a_key_is_behind_the_release_that_it_was_copied_from() -> None:
    queue = Queue()
    queue.come("honest", key="honest", since=1)
    for number in range(60):
        queue.come(f"!{number:02}", key="honest", since=2)
    assert queue.order()[0] == "honest"


def test_a_release_that_waits_again_after_its_turn_is_behind_the_others_of_its_share() -> None:
    queue = Queue()
    for name in ("a/1", "a/2", "a/3"):
        queue.come(name)
    queue.turns.end(queue.turns.in_order(queue.waiting)[0])
    assert queue.order() == ["a/2", "a/3", "a/1"]


def test_times_in_the_future_count_as_now() -> None:
    queue = Queue()
    queue.come("a", since=10.0**12)
    queue.now = 200
    queue.come("b")
    assert queue.order() == ["a", "b"], "both came now"
    queue.now = 1.0  # the clock was set back
    queue.turns.end(queue.waiting[0])
    assert sorted(queue.order()) == ["a", "b"]


def test_only_those_that_wait_are_remembered() -> None:
    queue = Queue()
    for number in range(1000):
        queue.come(f"!{number}")
        queue.take()
    assert queue.order() == []
    assert queue.turns._last == {}
