from interlock import hookimpl

interlock_api = 1


@hookimpl
async def check_snapshot(snapshot):
    return []
