from interlock import hookimpl

interlock_api = 1


@hookimpl
async def on_event(type):
    print(type)
