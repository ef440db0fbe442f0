"""What docs/watch.md says of a burst is what was measured."""

import json

from bench.burst.__main__ import PAGE, PICTURE, RESULTS, page


def test_the_paragraph_of_the_burst_is_drawn_from_the_kept_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert page(text, kept) == text
    assert all(f"{came['body']}  " in PICTURE.read_text("utf-8") for came in kept["bodies"])
    assert not any(came["missing"] or came["twice"] or came["wrong"] for came in kept["bodies"])
