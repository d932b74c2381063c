"""Jobs in processes of their own.

A ready job process has imported the pipelines and forks a child for each job (``server``, on ``aurum.common.forking``). The
worker starts it and talks to the children (``ready``); a child runs one attempt (``child``). Both talk in ``messages``.
"""
