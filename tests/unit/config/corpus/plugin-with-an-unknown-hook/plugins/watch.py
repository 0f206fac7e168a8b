from interlock import hookimpl

interlock_api = 1


@hookimpl
async def on_events(event):
    print(event.type)
