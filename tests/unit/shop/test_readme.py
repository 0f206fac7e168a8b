"""The README's ids and commands, tried on a running shop."""

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.unit.shop.client import Shop

README = Path(__file__).parents[3] / "examples" / "shop" / "README.md"
ID = re.compile(r"(?:CUST|ORD|SKU|RET|REF)-\d+|1Z\w+")


async def test_each_id_in_the_readme_is_in_the_seed(shop: Shop, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection:
        seed = "\n".join(connection.iterdump())
    # Generated ids are not in a dump, and these two are named as those to come.
    seed += " RET-5001 REF-7001 RET-5002 REF-7002"
    named = set(ID.findall(README.read_text()))
    assert len(named) > 20
    assert {name for name in named if name not in seed} == set()


async def test_each_command_in_the_readme_does_what_it_says(shop: Shop) -> None:
    commands = [line for line in README.read_text().splitlines() if line.startswith("curl ")]
    assert len(commands) > 8
    for command in commands:
        # As a shell does: quotes, the comment, the variable.
        words = shlex.split(command.replace("$SHOP", shop.url), comments=True)
        expected = int(command.rpartition("# ")[2])
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        url = next(word for word in words if word.startswith("http"))
        headers = dict(
            words[place + 1].split(": ") for place, word in enumerate(words) if word == "-H"
        )
        data = words[words.index("-d") + 1] if "-d" in words else None
        async with shop.session.request(method, url, headers=headers, data=data) as response:
            assert response.status == expected, command
