"""Jobs: classes that a test can call with pipelines and a payload; ``broker`` declares an actor for each."""
