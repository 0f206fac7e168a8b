"""Run the shop: `python -m examples.shop --port 0 --database PATH`."""

import argparse
import contextlib
from pathlib import Path

from examples.shop.server import ShopServer


def main() -> None:
    """Serve until interrupted, after one line on standard output that names the address."""
    parser = argparse.ArgumentParser(prog="python -m examples.shop", description=main.__doc__)
    parser.add_argument(
        "--port", type=int, default=8900, help="TCP port on 127.0.0.1; 0 takes a free one"
    )
    parser.add_argument(
        "--database",
        type=Path,
        default=Path("var/shop.sqlite"),
        help="the SQLite file; created and seeded if it does not exist",
    )
    arguments = parser.parse_args()
    server = ShopServer(
        arguments.database,
        arguments.port,
        announce=lambda url: print(f"shop listening on {url}", flush=True),
    )
    # Ctrl+C is how one stops it: no traceback.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main()
