"""Jobs: functions of a payload and of pipelines, which a test can call; ``broker`` makes actors of them."""
