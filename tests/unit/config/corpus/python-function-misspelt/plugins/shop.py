def get_orders(order_id, customer_id):
    return {}
