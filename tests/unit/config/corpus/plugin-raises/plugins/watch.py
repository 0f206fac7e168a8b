from interlock import hookimpl

interlock_api = 1
LIMIT = int("many")
