"""Jobs: functions of a payload and a workshop, which a test can call; ``broker`` makes actors of them."""
