from aurum.core.names import nearest


def test_nearest_ignores_case_and_puts_the_closest_first() -> None:
    assert nearest("on_peek", ["OFF_PEAK", "7x8", "ON_PEAK"]) == ("ON_PEAK", "OFF_PEAK")


def test_names_that_differ_in_case_only_are_both_offered() -> None:
    assert set(nearest("gbp", ["GBP", "GBp"])) == {"GBP", "GBp"}


def test_nothing_near_is_an_empty_answer() -> None:
    assert nearest("zzzz", ["ON_PEAK", "7x8"]) == ()


def test_no_more_than_count_are_offered() -> None:
    assert len(nearest("hub", [f"hub{n}" for n in range(9)], count=3)) == 3
