from interlock import SinkKind, PluginSettings, hookimpl

interlock_api = 1


@hookimpl
def register_sinks():
    return {"console": SinkKind(PluginSettings, print)}
