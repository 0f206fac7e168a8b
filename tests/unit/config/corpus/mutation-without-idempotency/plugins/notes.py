def add_note():
    return {}
