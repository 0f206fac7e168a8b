from interlock import hookimpl


@hookimpl
async def on_event(event):
    print(event.type)
