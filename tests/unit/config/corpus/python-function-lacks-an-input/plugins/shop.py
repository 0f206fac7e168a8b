def get_order(order_id):
    return {}
