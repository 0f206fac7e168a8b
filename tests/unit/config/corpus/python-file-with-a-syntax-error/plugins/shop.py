def get_order(order_id, customer_id)
    return {}
