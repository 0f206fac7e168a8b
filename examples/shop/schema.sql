-- The shop's tables. Money is integer cents, dates are ISO 8601 text.
-- `seeded` marks effects that came with the seed, so that /stats counts only what callers did.

CREATE TABLE addresses (
    number INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    region TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country TEXT NOT NULL
) STRICT;

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('standard', 'gold')),
    since TEXT NOT NULL,
    address_number INTEGER NOT NULL REFERENCES addresses
) STRICT;

CREATE TABLE products (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    description TEXT NOT NULL,
    price INTEGER NOT NULL CHECK (price > 0),
    stock INTEGER NOT NULL CHECK (stock >= 0),
    returnable INTEGER NOT NULL CHECK (returnable IN (0, 1))
) STRICT;

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers,
    parent TEXT REFERENCES orders,
    status TEXT NOT NULL CHECK (
        status IN ('processing', 'shipped', 'delivered', 'cancelled', 'split', 'see parent order')
    ),
    placed TEXT NOT NULL,
    eta TEXT,
    delivered TEXT,
    address_number INTEGER NOT NULL REFERENCES addresses
) STRICT;

CREATE TABLE order_items (
    order_id TEXT NOT NULL REFERENCES orders,
    sku TEXT NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price INTEGER NOT NULL CHECK (unit_price > 0),
    PRIMARY KEY (order_id, sku)
) STRICT;

CREATE TABLE shipments (
    order_id TEXT PRIMARY KEY REFERENCES orders,
    tracking_number TEXT NOT NULL UNIQUE,
    carrier TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('in_transit', 'delayed', 'delivered')),
    shipped TEXT NOT NULL,
    eta TEXT
) STRICT;

CREATE TABLE shipment_events (
    order_id TEXT NOT NULL REFERENCES shipments,
    at TEXT NOT NULL,
    place TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (order_id, at)
) STRICT;

CREATE TABLE returns (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT GENERATED ALWAYS AS ('RET-' || number) VIRTUAL,
    order_id TEXT NOT NULL REFERENCES orders,
    status TEXT NOT NULL CHECK (status IN ('approved', 'received')),
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seeded INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE return_items (
    return_number INTEGER NOT NULL REFERENCES returns,
    sku TEXT NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (return_number, sku)
) STRICT;

CREATE TABLE refunds (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT GENERATED ALWAYS AS ('REF-' || number) VIRTUAL,
    order_id TEXT NOT NULL REFERENCES orders,
    amount INTEGER NOT NULL CHECK (amount > 0),
    status TEXT NOT NULL CHECK (status IN ('pending', 'paid')),
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seeded INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE crm_notes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT GENERATED ALWAYS AS ('NOTE-' || number) VIRTUAL,
    customer_id TEXT NOT NULL REFERENCES customers,
    note TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seeded INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE cancellations (
    order_id TEXT PRIMARY KEY REFERENCES orders,
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seeded INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE address_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id TEXT NOT NULL REFERENCES orders,
    previous INTEGER NOT NULL REFERENCES addresses,
    current INTEGER NOT NULL REFERENCES addresses,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE policies (
    topic TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
