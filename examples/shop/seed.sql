-- What a new shop contains. Every date is fixed and no status depends on today.
-- README.md says what each row is good for.

INSERT INTO addresses VALUES
    (1, 'Ada Brooks', '12 Harbor Street', 'Portland', 'OR', '97201', 'US'),
    (2, 'Ben Okafor', '480 Maple Avenue', 'Austin', 'TX', '78701', 'US'),
    (3, 'Chiara Rossi', '9 Elm Court', 'Boston', 'MA', '02108', 'US'),
    (4, 'Dan Brooks', '77 Lake View Road', 'Chicago', 'IL', '60601', 'US'),
    (5, 'Eli Tanaka', '305 Hill Street', 'Seattle', 'WA', '98101', 'US');

INSERT INTO customers VALUES
    ('CUST-1001', 'Ada Brooks', 'ada@example.com', '+1-503-555-0101', 'gold', '2023-04-11', 1),
    ('CUST-1002', 'Ben Okafor', 'ben@example.com', '+1-512-555-0102', 'standard', '2024-09-30', 2),
    ('CUST-1003', 'Chiara Rossi', 'chiara@example.com', '+1-617-555-0103', 'standard', '2025-01-19', 3),
    ('CUST-1004', 'Dan Brooks', 'dan@example.com', '+1-312-555-0104', 'standard', '2025-07-02', 4),
    ('CUST-1005', 'Eli Tanaka', 'eli@example.com', '+1-206-555-0105', 'standard', '2026-10-15', 5);

INSERT INTO products VALUES
    ('SKU-1001', 'Aurora Wireless Headphones', 'audio', 'Over-ear headphones with noise cancelling and 30 hours of battery.', 14900, 42, 1),
    ('SKU-1002', 'Pulse Wireless Earbuds', 'audio', 'In-ear buds with charging case, water resistant.', 7900, 65, 1),
    ('SKU-1003', 'Echo Desk Speaker', 'audio', 'Compact Bluetooth speaker for the desk.', 5900, 18, 1),
    ('SKU-1004', 'Studio USB Microphone', 'audio', 'Cardioid microphone for calls and recording.', 9900, 11, 1),
    ('SKU-1101', 'Braided USB-C Cable 2 m', 'accessories', 'Charges at 100 W, nylon braid.', 1250, 300, 1),
    ('SKU-1102', 'Dual USB-C Charger 65 W', 'accessories', 'Wall charger with two ports.', 3900, 120, 1),
    ('SKU-1103', 'Wireless Charging Pad', 'accessories', 'Flat 15 W charging pad for phones and earbuds.', 2900, 80, 1),
    ('SKU-1104', 'Power Bank 20000 mAh', 'accessories', 'Charges a phone four times, 30 W output.', 4900, 0, 1),
    ('SKU-1105', 'Felt Laptop Sleeve 14 inch', 'accessories', 'Grey wool felt with a leather strap.', 3450, 33, 1),
    ('SKU-1201', 'Gooseneck Electric Kettle', 'kitchen', 'Holds 0.9 litres, temperature control.', 5990, 27, 1),
    ('SKU-1202', 'Stoneware Mug Set of 4', 'kitchen', 'Four mugs, dishwasher safe.', 2400, 54, 1),
    ('SKU-1203', 'Burr Coffee Grinder', 'kitchen', 'Conical burr with 40 settings.', 8900, 14, 1),
    ('SKU-1204', 'Pour-Over Coffee Set', 'kitchen', 'Glass server, dripper and 40 filters.', 4250, 22, 1),
    ('SKU-1205', 'Cast Iron Skillet 26 cm', 'kitchen', 'Seasoned and ready to use.', 3990, 40, 1),
    ('SKU-1301', 'Oak Desk Lamp', 'office', 'Dimmable LED lamp with an oak arm.', 8900, 16, 1),
    ('SKU-1302', 'Dotted Notebook A5', 'office', '192 pages of 100 g paper.', 950, 210, 1),
    ('SKU-1303', 'Mechanical Keyboard', 'office', 'Tenkeyless, quiet switches, wired or wireless.', 11900, 19, 1),
    ('SKU-1304', 'Ergonomic Vertical Mouse', 'office', 'Wireless mouse for the right hand.', 4500, 37, 1),
    ('SKU-1305', 'Laptop Stand', 'office', 'Folding aluminium stand, six heights.', 3200, 48, 1),
    ('SKU-1306', 'Standing Desk Converter', 'office', 'Raises a screen and a keyboard by up to 50 cm.', 18900, 6, 1),
    ('SKU-1401', 'Trail Running Shoes', 'outdoor', 'Grippy sole, sizes 36 to 47.', 11500, 29, 1),
    ('SKU-1402', 'Insulated Water Bottle 1 l', 'outdoor', 'Keeps drinks cold for 24 hours.', 2800, 95, 1),
    ('SKU-1403', 'Rain Jacket', 'outdoor', 'Packable jacket with taped seams.', 9500, 25, 1),
    ('SKU-1404', 'Camping Headlamp', 'outdoor', 'Rechargeable, 400 lumens.', 3600, 61, 1),
    ('SKU-1901', 'Gift Card 50', 'gift', 'Gift card with a value of 50 dollars. Cannot be returned.', 5000, 999, 0);

INSERT INTO orders VALUES
    ('ORD-1001', 'CUST-1001', NULL, 'shipped', '2026-11-18', '2026-11-26', NULL, 1),
    ('ORD-1002', 'CUST-1001', NULL, 'delivered', '2026-11-02', '2026-11-07', '2026-11-06', 1),
    ('ORD-1003', 'CUST-1001', NULL, 'processing', '2026-11-21', '2026-11-30', NULL, 1),
    ('ORD-2000', 'CUST-1001', NULL, 'split', '2026-11-12', NULL, NULL, 1),
    ('ORD-2001', 'CUST-1001', 'ORD-2000', 'see parent order', '2026-11-12', NULL, NULL, 1),
    ('ORD-2002', 'CUST-1001', 'ORD-2000', 'see parent order', '2026-11-12', NULL, NULL, 1),
    ('ORD-1010', 'CUST-1002', NULL, 'delivered', '2026-10-28', '2026-11-03', '2026-11-03', 2),
    ('ORD-1011', 'CUST-1002', NULL, 'shipped', '2026-11-15', '2026-11-24', NULL, 2),
    ('ORD-1020', 'CUST-1003', NULL, 'cancelled', '2026-11-08', NULL, NULL, 3),
    ('ORD-1021', 'CUST-1003', NULL, 'delivered', '2026-10-20', '2026-10-25', '2026-10-24', 3),
    ('ORD-1030', 'CUST-1004', NULL, 'processing', '2026-11-20', '2026-11-29', NULL, 4);

INSERT INTO order_items VALUES
    ('ORD-1001', 'SKU-1001', 1, 14900),
    ('ORD-1001', 'SKU-1101', 2, 1250),
    ('ORD-1002', 'SKU-1201', 1, 5990),
    ('ORD-1002', 'SKU-1202', 1, 2400),
    ('ORD-1003', 'SKU-1303', 1, 11900),
    ('ORD-1003', 'SKU-1304', 1, 4500),
    ('ORD-2001', 'SKU-1306', 1, 18900),
    ('ORD-2002', 'SKU-1305', 1, 3200),
    ('ORD-2002', 'SKU-1302', 3, 950),
    ('ORD-1010', 'SKU-1301', 2, 8900),
    ('ORD-1010', 'SKU-1901', 1, 5000),
    ('ORD-1011', 'SKU-1401', 1, 11500),
    ('ORD-1020', 'SKU-1104', 1, 4900),
    ('ORD-1021', 'SKU-1203', 1, 8900),
    ('ORD-1021', 'SKU-1204', 1, 4250),
    ('ORD-1030', 'SKU-1403', 1, 9500);

INSERT INTO shipments VALUES
    ('ORD-1001', '1Z999AA10123456784', 'UPS', 'in_transit', '2026-11-19', '2026-11-26'),
    ('ORD-1002', '1Z999AA10123450025', 'UPS', 'delivered', '2026-11-03', '2026-11-07'),
    ('ORD-1010', '1Z999AA10123450105', 'UPS', 'delivered', '2026-10-29', '2026-11-03'),
    ('ORD-1011', '1Z999AA10123450114', 'UPS', 'delayed', '2026-11-16', '2026-11-24'),
    ('ORD-1021', '1Z999AA10123450212', 'UPS', 'delivered', '2026-10-21', '2026-10-25');

INSERT INTO shipment_events VALUES
    ('ORD-1001', '2026-11-19T17:40:00Z', 'Reno, NV', 'Picked up by the carrier'),
    ('ORD-1001', '2026-11-20T06:15:00Z', 'Reno, NV', 'Departed from the sorting centre'),
    ('ORD-1001', '2026-11-21T21:05:00Z', 'Medford, OR', 'Arrived at the sorting centre'),
    ('ORD-1002', '2026-11-03T16:20:00Z', 'Reno, NV', 'Picked up by the carrier'),
    ('ORD-1002', '2026-11-06T19:02:00Z', 'Portland, OR', 'Delivered at the front door'),
    ('ORD-1010', '2026-10-29T15:10:00Z', 'Reno, NV', 'Picked up by the carrier'),
    ('ORD-1010', '2026-11-03T18:44:00Z', 'Austin, TX', 'Delivered, signed by Okafor'),
    ('ORD-1011', '2026-11-16T16:05:00Z', 'Reno, NV', 'Picked up by the carrier'),
    ('ORD-1011', '2026-11-19T04:30:00Z', 'Denver, CO', 'Delayed by snow; a new date is being set'),
    ('ORD-1021', '2026-10-21T15:55:00Z', 'Reno, NV', 'Picked up by the carrier'),
    ('ORD-1021', '2026-10-24T17:12:00Z', 'Boston, MA', 'Delivered at the front door');

INSERT INTO returns (number, order_id, status, reason, created_at, seeded) VALUES
    (5001, 'ORD-1021', 'received', 'The grinder is too loud', '2026-10-27T09:30:00Z', 1);

INSERT INTO return_items VALUES (5001, 'SKU-1203', 1);

INSERT INTO refunds (number, order_id, amount, status, reason, created_at, seeded) VALUES
    (7001, 'ORD-1021', 8900, 'paid', 'Return RET-5001 received', '2026-11-04T10:00:00Z', 1);

INSERT INTO cancellations VALUES
    ('ORD-1020', 'Ordered by mistake', '2026-11-08T12:25:00Z', 1);

INSERT INTO crm_notes (number, customer_id, note, created_at, seeded) VALUES
    (9001, 'CUST-1001', 'Prefers to be contacted by e-mail.', '2026-08-14T08:00:00Z', 1);

INSERT INTO policies VALUES
    ('returns', 'Returns', 'Delivered items may be returned. The return label is free. Gift cards cannot be returned. An item can be returned once.'),
    ('refunds', 'Refunds', 'A refund goes to the original means of payment and never exceeds what was paid and not yet refunded. Orders are charged when they ship, so an order that has not shipped is cancelled, not refunded.'),
    ('shipping', 'Shipping', 'Standard shipping is free and takes three to eight days. Large orders may be split into several parcels.'),
    ('cancellations', 'Cancellations', 'An order can be cancelled, and its address changed, as long as it is processing.'),
    ('warranty', 'Warranty', 'All electronics carry a two-year warranty against defects. Wear is not covered.');
