from interlock import Diagnostic, Location, hookimpl

interlock_api = 1


@hookimpl
def check_snapshot(snapshot):
    for name, agent in snapshot.agents.items():
        if not agent.escalation.queue.startswith("shop-"):
            place = Location(f"agents.d/{name}.yaml")
            yield Diagnostic("ILK-P112", f"'{name}' escalates to a queue that is not the shop's", place)
