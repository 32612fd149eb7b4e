"""Single modules, without processes, network or real time."""
