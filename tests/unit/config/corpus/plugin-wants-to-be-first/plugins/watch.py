from interlock import hookimpl

interlock_api = 1


@hookimpl(tryfirst=True)
async def on_event(event):
    print(event.type)
