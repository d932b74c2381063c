"""Pictures of charts: ``form`` what a request may choose, ``drawer`` and ``process`` the process that draws, ``headers``."""
