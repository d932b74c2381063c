"""Version 1: the paths, parameters and fields of the earlier Aurum, answered by the services of this one."""
