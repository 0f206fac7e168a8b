from interlock import hookimpl

interlock_api = 1


@hookimpl
async def on_event(event):
    print(event.type)


def guard_output(data):
    return None
